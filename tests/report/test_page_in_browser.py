"""The report as a browser shows it: on a desk, on a phone, with no network and no complaint."""

import numpy as np
import pandas as pd
import pytest

from emorank.report import paper
from emorank.report.item import Item
from emorank.report.page import write
from emorank.report.sections.data import distribution


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_report_fits_the_screen(chromium, contents, tmp_path, width, height):
    """Nothing is wider than the screen, every picture is there, nothing is asked of the network."""
    path = write(contents.page(), tmp_path / "index.html")
    page = chromium.new_page(viewport={"width": width, "height": height})
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Pictures inside closed details are not drawn, but are decoded all the same.
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    assert page.evaluate("document.images.length") > 0
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    page.close()


def test_headings_stay_with_what_they_head_in_print(chromium, contents, tmp_path):
    """A page of paper does not end with a heading, and no figure is cut in two."""
    page = chromium.new_page()
    page.goto(write(contents.page(), tmp_path / "index.html").as_uri())
    page.emulate_media(media="print")
    style = "[...new Set([...document.querySelectorAll('{}')].map(e => getComputedStyle(e).{}))]"
    for heading in ("h2", ".caption", "h2 + p"):
        assert page.evaluate(style.format(heading, "breakAfter")) == ["avoid"]
    for whole in ("figure", ".table", "tr"):
        assert page.evaluate(style.format(whole, "breakInside")) == ["avoid"]
    page.close()


def test_every_link_within_the_page_leads_somewhere(chromium, contents, tmp_path):
    """The table of contents has no dead entry."""
    page = chromium.new_page()
    page.goto(write(contents.page(), tmp_path / "index.html").as_uri())
    dead = "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector("
    assert page.evaluate(dead + "a.getAttribute('href'))).length") == 0
    assert page.evaluate("document.querySelectorAll('a[href^=\"#\"]').length") > 5
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_papers_page_fits_the_screen(chromium, tmp_path, width):
    """Wide tables scroll in their own box, every link leads to a file, pictures are in the page."""
    counts = pd.DataFrame(np.arange(2000, 2030).reshape(2, 15))
    shown = counts.set_axis(pd.MultiIndex.from_product([["Values"], map(str, range(15))]), axis=1)
    items = [
        Item("table_3-4", "Tables 3 and 4", "Counts & more", counts, shown=shown, note="n"),
        Item("table_5", "Table 5", "Sheet", None, missing="nobody rated <b>"),
        Item("figure_8", "Figure 8", "Images", distribution(counts)),
    ]
    page = chromium.new_page(viewport={"width": width, "height": 900})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(paper.write(items, tmp_path, "A <study>", banner="Rendered.").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].filter(i => i.naturalWidth).length") == 1
    links = page.evaluate("[...document.links].map(a => a.getAttribute('href'))")
    files = {link for link in links if not link.startswith("#")}
    assert files == {path.name for path in tmp_path.iterdir()} - {"index.html"}
    assert "nobody rated <b>" in page.inner_text("#table_5")
    assert "Values 14" in page.inner_text("#table_3-4")
    assert complaints == []
    page.close()
