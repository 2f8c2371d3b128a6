"""What the theme's pages lack for people who use a keyboard or a screen reader."""

import re
from pathlib import Path

MENDED = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    ('<article role="main" id=', '<article role="main" tabindex="-1" id='),
    ('<div id="search-results"></div>', '<h1>Search</h1>\n<div id="search-results"></div>'),
)
# The icons that open a list in a narrow window are labels, which no key reaches.
ICON = re.compile(
    r'<label class="((?:nav|toc)-overlay-icon[^"]*)" for="(__navigation|__toc)">(.*?)</label>',
    re.DOTALL,
)
OPENED = {"__navigation": "All pages", "__toc": "On this page"}
# A table whose first column has no name: an empty heading is read aloud as nothing.
EMPTY = re.compile(r"<th([^>]*)>(?:<p></p>)?</th>")


def mend(site: Path) -> None:
    """Name landmarks, give headings their level, and take empty headings out of tables."""
    for file in site.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        for theme, ours in MENDED:
            text = text.replace(theme, ours)
        text = ICON.sub(_button, text)
        file.write_text(EMPTY.sub(r"<td\1></td>", text), encoding="utf-8")


def _button(icon: re.Match[str]) -> str:
    """The icon as a button; `site.js` says what it does."""
    name = f'aria-label="{OPENED[icon[2]]}" aria-expanded="false"'
    return (
        f'<button type="button" class="{icon[1]}" data-opens="{icon[2]}" {name}>{icon[3]}</button>'
    )
