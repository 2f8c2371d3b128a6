"""Draws window.jpg and window_phone.jpg: the window in Chromium, with rendered faces.

python docs/images/window.py
"""

import io
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from emorank.datasets import load
from emorank.reading.ready import ready_network
from emorank.web.desk import Desk
from emorank.web.safety import origins
from emorank.web.serve import listen, server
from emorank.web.window.app import make_app

HERE = Path(__file__).parent
FACES = ("p03_sadness_4", "p02_happy_3")
DESKTOP = {"viewport": {"width": 1280, "height": 1060}}
PHONE = {
    "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
    "device_scale_factor": 2, "color_scheme": "dark",
}  # fmt: skip


def two_faces() -> bytes:
    """One picture of two rendered faces."""
    both = Image.new("RGB", (560, 280), (150, 155, 160))
    for place, name in zip((20, 310), FACES, strict=True):
        both.paste(Image.open(load(None, "sample").root / "faces" / f"{name}.jpg"), (place, 28))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    return buffer.getvalue()


def draw(browser: Browser, base: str) -> None:
    """Both pictures."""
    for name, options in (("window", DESKTOP), ("window_phone", PHONE)):
        page = browser.new_context(**options).new_page()
        page.goto(base)
        page.wait_for_selector("#reading[aria-busy=false]")
        page.set_input_files(
            "#files", [{"name": "two.png", "mimeType": "image/png", "buffer": two_faces()}]
        )
        page.wait_for_selector("#boxes button:nth-child(2)")
        page.wait_for_timeout(3000)
        if name == "window_phone":
            page.locator("#reading").scroll_into_view_if_needed()
            page.evaluate("document.getElementById('reading').scrollIntoView()")
        shot = Image.open(io.BytesIO(page.screenshot()))
        shot.convert("RGB").save(HERE / f"{name}.jpg", quality=82, optimize=True)


def main() -> None:
    """Serve, and draw."""
    place = listen("127.0.0.1", 0)
    port = place.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    ready = server(
        make_app(Desk(None, ready_network()), origins(base, "127.0.0.1", port)), "127.0.0.1", port
    )
    thread = threading.Thread(target=ready.run, kwargs={"sockets": [place]})
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        draw(browser, base)
        browser.close()
    ready.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
