"""The page of a film in Chromium: it opens from the disk, jumps, filters, saves, asks nobody."""

import io
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from PIL import Image
from tests.report.film_tables import frames_and_events
from tests.web.browsing import until, violations

from emorank.report import film_page as pages
from emorank.report.film_page import FilmPage, Version, film_page, on_dark, write_film_page

HOSTILE = '</script><img src=x onerror="boom()">\u2028&{{7*7}}.mp4'
SHOWN = {1: [("happy", 2.0, 6.0), ("anger", 5.0, 3.0)], 2: [("sadness", 3.5, 4.5)]}


def jpeg(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (grey, grey, grey)).save(buffer, "JPEG")
    return buffer.getvalue()


def film(name="film.mp4", shown=SHOWN, seconds=8.0, **more) -> FilmPage:
    frames, events = frames_and_events(seconds, 25, shown)
    faces = {event: jpeg(100 + event) for event in events["event"]}
    stills = [(float(k), jpeg(10 * k)) for k in range(int(seconds))]
    about = {"faces": faces, "stills": stills, "tables": ["frames.parquet"]} | more
    return FilmPage(name, seconds, frames, events, 1.0, (64, 48), **about)


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a page from the disk; what it complains about or asks for is kept."""
    open_pages = []

    def open_page(shown: FilmPage, **options):
        path = write_film_page(shown, tmp_path / "index.html")
        page = chromium.new_page(**options)
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        own = ("data:", "blob:", path.parent.as_uri())
        page.on("request", lambda r: r.url.startswith(own) or page.complaints.append(r.url))
        page.goto(path.as_uri())
        open_pages.append(page)
        return page

    yield open_page
    for page in open_pages:
        page.close()


def now(page) -> float:
    return float(page.get_attribute("#timeline", "aria-valuenow"))


def test_a_walk_over_the_page(opened, tmp_path):
    """Events, keys and clicks move the film; choices filter; tables are saved."""
    page = opened(film(note="Simulated faces."))
    assert "Simulated faces." in page.inner_text("header")
    assert page.locator("#panels svg[aria-hidden]").count() == 2
    rows = page.locator("#events tbody tr")
    assert rows.count() == 3

    page.get_by_role("button", name="Anger, Average, Person 1: go to 5.0 s").click()
    assert now(page) == 5.0
    assert page.get_attribute("#still", "alt") == "Frame at 5.0 s"
    assert page.inner_text("#now") == "Person 1\nAnger, Average\nPerson 2\nno expression"
    assert rows.nth(2).evaluate("(row) => row.classList.contains('at')")

    panel = page.locator("#panels svg[aria-hidden]").first
    width = panel.bounding_box()["width"]
    panel.click(position={"x": 62 + (width - 70) * 0.25, "y": 40})  # names of levels are left of it
    assert now(page) == pytest.approx(2.0, abs=0.06)
    spoken = page.get_attribute("#timeline", "aria-valuetext")
    assert "Person 1: Happy, Strong" in spoken
    for key, time in (("ArrowRight", 3.0), ("PageDown", 3.5), ("End", 8.0), ("PageUp", 5.0),
                      ("Home", 0.0), ("Shift+ArrowRight", 0.1)):  # fmt: skip
        page.keyboard.press(key)
        assert now(page) == pytest.approx(time, abs=0.06), key

    page.get_by_label("Person 1", exact=True).uncheck()
    assert rows.count() == 1
    assert page.locator("#panels svg[aria-hidden]").count() == 1
    with page.expect_download() as saved:
        page.click("#events-csv")
    events = pd.read_csv(saved.value.path())
    assert events["emotion"].tolist() == ["sadness"]
    assert events["apex"].tolist() == [3.5]
    page.get_by_label("Person 1", exact=True).check()
    with page.expect_download() as saved:
        page.click("#rows-csv")
    curves = pd.read_csv(saved.value.path(), keep_default_na=False)
    assert len(curves) == 2 * 200
    top = curves.loc[curves["happy"].idxmax()]
    assert (top["time"], top["track"], top["happy"], top["rank"]) == (2.0, 1, 6.0, "Strong")
    page.click("#rows summary")  # the table is filled when the browser says that it is open
    until(page, "document.querySelector('#rows table').innerText.includes('Happy, Strong (6.0)')")

    page.click("#play")
    until(page, "Number(document.getElementById('timeline').ariaValueNow) > 0.3")
    page.click("#play")
    assert page.complaints == []


@pytest.mark.parametrize("options", [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
])  # fmt: skip
def test_everybody_can_use_the_page(opened, options):
    """axe-core finds nothing; nothing is wider than the screen; a hostile name is a name."""
    page = opened(film(HOSTILE), bypass_csp=True, **options)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
    assert page.inner_text("h1") == HOSTILE.replace("\u2028", " ") or HOSTILE in page.inner_text(
        "h1"
    )
    assert page.complaints == []


def test_nobody_no_levels_and_long_films(opened):
    """Without a face or a level the page says so; of a long film a part is shown, which follows."""
    shown = film(shown={1: []})
    bare = shown.frames[["frame", "time", "track"]].assign(p_happy=0.75, p_anger=0.25)
    page = opened(replace(shown, frames=bare))
    assert page.inner_text("#none") == "There are no events without levels."
    assert page.inner_text("#now").endswith("Happy")
    assert "Strong" not in page.inner_text("#panels")
    assert page.complaints == []
    page = opened(film(shown={}))
    assert "No face was found" in page.inner_text("#panels")
    assert page.complaints == []
    page = opened(film(shown={1: [("fear", 650.0, 5.0)]}, seconds=700.0, stills=()))
    page.select_option("#span", label="10 seconds")
    page.click("#after")
    assert now(page) == 650.0
    labels = page.locator("#axis text").all_text_contents()
    assert {"10:50", "10:52"} <= {label.split(".")[0] for label in labels}
    assert page.complaints == []


def test_a_film_that_the_browser_cannot_play_is_replaced(opened, tmp_path):
    """The next version is tried; single frames come last, and say so."""
    for name in ("original.mp4", "annotated.webm"):
        (tmp_path / name).write_bytes(b"no film")
    versions = [
        Version("as it is", "original.mp4", boxes=True),
        Version("annotated", "annotated.webm"),
    ]
    page = opened(film(versions=versions))
    page.wait_for_selector("#still:visible")
    assert "cannot play" in page.inner_text("#trouble")
    assert page.input_value("#version") == "1"


def test_the_data_cannot_leave_their_script():
    """No name or word can end the script or change the policy."""
    versions = [Version(HOSTILE, HOSTILE)]
    html = film_page(film(HOSTILE, note=HOSTILE, tables=[HOSTILE], versions=versions))
    assert html.count("<script") == 2
    assert 'onerror="boom' not in html
    data = re.search(r'id="film-data">(.*?)</script>', html, re.DOTALL)[1]
    assert "<" not in data
    assert json.loads(data)["versions"][0]["label"] == HOSTILE


def test_a_long_film_stays_small(monkeypatch):
    """Curves and boxes are thinned to what was settled on."""
    monkeypatch.setattr(pages, "NUMBERS", 7 * 1000)
    monkeypatch.setattr(pages, "BOXES", 500)
    html = film_page(film(shown={1: [], 2: []}, seconds=600.0, stills=()))
    data = json.loads(re.search(r'id="film-data">(.*?)</script>', html, re.DOTALL)[1])
    for person in data["persons"]:
        assert 400 < len(person["times"]) < 600
        assert len(person["curves"]["happy"]) == len(person["times"])
        assert 4 * len(person["boxTimes"]) == len(person["boxes"])
    assert 300 < sum(len(person["boxTimes"]) for person in data["persons"]) <= 500


def test_of_many_persons_those_seen_longest_are_shown_at_first():
    html = film_page(film(shown={k: [] for k in range(1, 16)}, seconds=2.0))
    data = json.loads(re.search(r'id="film-data">(.*?)</script>', html, re.DOTALL)[1])
    assert sum(person["shown"] for person in data["persons"]) == pages.SHOWN


def test_colours_on_the_dark_page_are_as_light_as_need_be():
    assert on_dark("#FC62F2") == "#FC62F2"
    assert on_dark("#000000") not in ("#000000", "#FFFFFF")
