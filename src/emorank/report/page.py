"""A page: one HTML file that needs nothing else, to read, print and pass on.

The report of a study, the summary of ratings and the paper's tables are pages: a heading and a
list of sections.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from emorank.files import replacing
from emorank.report import style, tables, words


@dataclass(frozen=True)
class Section:
    """A part of a page; the name is its anchor, of letters, digits, `-` and `_`."""

    name: str
    title: str
    body: Markup


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        kind: what it is, above the title.
        simulated: what is simulated, and what that means; empty if nothing is.
        lead: HTML below the title, or text that is escaped.
        results: the lines of results below it; HTML, or text that is escaped.
        foot: the last line of the page.
    """

    kind: str
    title: str
    sections: tuple[Section, ...]
    simulated: str = ""
    lead: str | Markup = ""
    results: tuple[str | Markup, ...] = ()
    foot: str = ""


def section_of(name: str, title: str, template: str = "", **values: object) -> Section:
    """A section from `sections/TEMPLATE.html.j2`, by default that of its name, and its values."""
    return Section(name, title, fill(f"sections/{template or name}.html.j2", **values))


def write(page: Page, path: Path | str) -> Path:
    """Render the page and put it at `path`, whole or not at all; missing folders are made.

    Raises:
        OSError: the file cannot be written; an earlier page is still there.
    """
    path = Path(path)
    html = render(page).encode("utf-8", "backslashreplace")
    with replacing(path) as partial:
        partial.write_bytes(html)
    return path


def render(page: Page) -> str:
    """The page as one HTML document, figures and style in it."""
    return str(fill("templates/page.html.j2", page=page))


def fill(template: str, **values: object) -> Markup:
    """A template of this package as HTML; every value that is no `Markup` is escaped."""
    return Markup(_pages().get_template(template).render(values))  # noqa: S704 - escaped by jinja


@cache
def _pages() -> Environment:
    """Compiles each template once."""
    made = environment(html=True)
    made.filters |= {
        "picture": _picture,
        "table": tables.html,
        "pairs": tables.pairs,
        "notes": _notes,
        "estimate": words.estimate,
        "clean": _clean,
        "grouped": "{:,}".format,
    }
    return made


def environment(*, html: bool) -> Environment:
    """Templates of this package; a name that a template does not get is an error.

    Only with `html` do they escape everything.
    """
    return Environment(
        loader=PackageLoader("emorank.report", ""),
        autoescape=html,  # noqa: S701 - Markdown has its own escaping
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
    )


def _picture(figure: Figure | bytes, alt: str) -> Markup:
    """An <img> with the picture in it; a matplotlib figure or the bytes of a PNG or JPEG."""
    data = figure if isinstance(figure, bytes) else style.png(figure)
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    code = base64.b64encode(data).decode("ascii")
    return Markup('<img alt="{}" src="data:image/{};base64,{}">').format(
        words.text(alt), kind, code
    )


def _notes(lines: Sequence[str]) -> Markup:
    """A list in small letters; nothing for no lines."""
    if not lines:
        return Markup("")
    entries = Markup("").join(Markup("<li>{}</li>").format(words.text(line)) for line in lines)
    return Markup('<ul class="small soft">{}</ul>').format(entries)


def _clean(value: str | Markup) -> str | Markup:
    """Text that any file can hold."""
    return value if isinstance(value, Markup) else words.text(value)
