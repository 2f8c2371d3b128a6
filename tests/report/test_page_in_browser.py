"""The report as a browser shows it: on a desk, on a phone, with no network and no complaint."""

import pytest

from emorank.report.page import write


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_report_fits_the_screen(chromium, contents, tmp_path, width, height):
    """Nothing is wider than the screen, every picture is there, nothing is asked of the network."""
    path = write(contents, tmp_path / "index.html")
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


def test_every_link_within_the_page_leads_somewhere(chromium, contents, tmp_path):
    """The table of contents has no dead entry."""
    page = chromium.new_page()
    page.goto(write(contents, tmp_path / "index.html").as_uri())
    dead = "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector("
    assert page.evaluate(dead + "a.getAttribute('href'))).length") == 0
    assert page.evaluate("document.querySelectorAll('a[href^=\"#\"]').length") > 5
    page.close()
