"""Draws audit.png and groups.png: sections of the report that the tutorial makes.

python docs/images/report_sections.py tested
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
SECTIONS = {"audit": 724, "groups": 560}

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1000, "height": 1000})
    page.goto((Path(sys.argv[1]) / "report" / "index.html").resolve().as_uri())
    for name, most in SECTIONS.items():
        section = page.locator(f"section#{name}")
        box = section.bounding_box()
        clip = {"x": box["x"] - 16, "y": box["y"] + 3, "width": box["width"] + 32, "height": most}
        page.screenshot(path=HERE / f"{name}.png", full_page=True, clip=clip)
    browser.close()
