"""Markdown of the project's as HTML: no HTML of its own passes, no script, no picture."""

from markdown_it import MarkdownIt
from markupsafe import Markup

# "js-default" is markdown-it's preset for text of strangers: HTML is shown as it is written, and
# links lead to web and mail addresses only.
_READER = MarkdownIt("js-default", {"html": False, "linkify": False}).disable("image")


def html_of(text: str) -> Markup:
    """The HTML; headings are a step lower, as the page has one of its own."""
    tokens = _READER.parse(text)
    for token in tokens:
        if token.tag in {"h1", "h2", "h3", "h4", "h5"}:
            token.tag = f"h{int(token.tag[1]) + 1}"
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704 - its own HTML
