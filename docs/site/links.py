"""What the links of a built site lead to: pages and anchors that are there, and other hosts."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href")}
STYLE = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


@dataclass
class Page(HTMLParser):
    """What one HTML file names: anchors, links that people follow, files that a browser loads."""

    anchors: set[str] = field(default_factory=set)
    followed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the names and links of an element."""
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.anchors.add(value)
            elif (tag, name) == ("a", "href"):
                self.followed.append(value)
            elif (tag, name) in LOADED and not value.startswith("data:"):
                self.loaded.append(value)


def read(site: Path) -> dict[Path, Page]:
    """Every page of a site."""
    pages = {}
    for file in sorted(site.rglob("*.html")):
        pages[file] = Page()
        pages[file].feed(file.read_text(encoding="utf-8"))
    return pages


def faults(site: Path) -> list[str]:
    """Each link that leads to no file or anchor, and each file that comes from another host."""
    pages = read(site)
    found = []
    for file, page in pages.items():
        where = file.relative_to(site)
        found += [f"{where}: loads {link}" for link in page.loaded if foreign(link)]
        for link in page.followed + page.loaded:
            if foreign(link) or urlsplit(link).scheme:
                continue
            parts = urlsplit(link)
            aim = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            missing = not aim.exists()
            if aim in pages and parts.fragment:
                missing = unquote(parts.fragment) not in pages[aim].anchors
            if missing:
                found.append(f"{where}: {link} leads nowhere")
    for file in sorted(site.rglob("*.css")):
        for match in STYLE.finditer(file.read_text(encoding="utf-8")):
            found.append(f"{file.relative_to(site)}: loads {match[1] or match[2]}")
    return found


def foreign(link: str) -> bool:
    """Whether a link names another host."""
    return link.startswith(("http:", "https:", "//"))


def external(site: Path) -> dict[str, list[str]]:
    """The links to other hosts, each with the pages that have it; nobody asks whether they work."""
    found = defaultdict(list)
    for file, page in read(site).items():
        for link in dict.fromkeys(page.followed):
            if foreign(link):
                found[link].append(file.name)
    return dict(sorted(found.items()))
