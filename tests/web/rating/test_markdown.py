"""The study's Markdown as HTML."""

import pytest

from emorank.web.rating.markdown import html_of


def test_headings_lists_and_links():
    """Headings go a step down, below the page's own."""
    made = html_of("# Title\n\nText with *weight* and [a link](https://example.org).\n\n- one\n")
    assert "<h2>Title</h2>" in made
    assert '<a href="https://example.org">a link</a>' in made
    assert "<li>one</li>" in made


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.org/spy.png)",
        '<https://example.org/"onclick="alert(1)>',
        "&lt;script&gt;",
    ],
)
def test_nothing_of_it_can_run_or_load(text):
    """HTML is shown as it is written; addresses that run are no links; pictures are left out."""
    made = html_of(text)
    assert "<script" not in made
    assert "<img" not in made
    assert "javascript:" not in made.partition("href")[2].partition(">")[0]
    assert 'href="data:' not in made
    assert 'onclick="' not in made
