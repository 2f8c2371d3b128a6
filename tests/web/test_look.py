"""Pages in Chromium: faces as the project fixes them, tables that a phone can scroll."""

import pytest
from tests.rooms import Room, images, noise
from tests.web.browsing import READY, enter, settled, until

from emorank.room.creation import Setup, create_project
from emorank.room.displays import displays
from emorank.room.overview import log, progress

PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True}
COLORS = """() => ['body', '[data-answer=Minimal]', '[data-answer=Strong]', '#back'].map(
  (one) => getComputedStyle(document.querySelector(one)).backgroundColor)"""


@pytest.fixture
def room(tmp_path):
    """A room in a file: pages know nothing of the database."""
    setup = Setup(face_size=340, background="#767676", repeats=0)
    project = create_project(tmp_path / "room", images(12), noise, ["r1", "r2"], setup)
    yield Room(project, {row.name: row.id for row in progress(project)})
    project.database.close()


def test_faces_are_shown_alike_in_every_window_and_theme(room, serve, browse):
    """Size and colours are the project's; what differs is kept, and named by the answers."""
    base, seen = serve(room.project.folder).base, []
    for options in ({"color_scheme": "light"}, PHONE | {"color_scheme": "dark"}):
        page = enter(browse(**options), base, room.link("r1"))
        page.wait_for_selector(READY)
        size = page.eval_on_selector("#frame img", "(face) => [face.width, face.height]")
        seen.append((size, page.evaluate(COLORS)))
        until(page, "performance.getEntriesByName(location.origin + '/rate/display').length > 0")
        page.keyboard.press("1")
        settled(page)
        assert page.complaints == []
    page.set_viewport_size({"width": 300, "height": 664})
    for _ in range(200):
        if len(table := displays(room.project)) == 3:
            break
        page.wait_for_timeout(50)
    assert seen[0] == seen[1]
    assert seen[0][0] == [340, 340]
    assert seen[0][1][0] == "rgb(118, 118, 118)"
    assert table["theme"].tolist() == ["light", "dark", "dark"]
    assert table["pointer"].tolist() == ["mouse", "touch", "touch"]
    assert table["width"].tolist() == [1280, 390, 300]
    assert table["face_px"].tolist()[:2] == [340, 340]
    assert table["face_px"].iloc[2] < 300
    given = log(room.project).query("kind == 'vote'")["display"]
    assert given.tolist() == [1, 2]


def test_the_owners_tables_on_a_phone(room, serve, browse):
    """Every column has a heading; the Tab key reaches each region, the arrow keys scroll it, and it
    stays where it is while its content is fetched anew."""  # noqa: D205, D209 - one sentence
    room.vote_all("r1")
    page = enter(browse(**PHONE), serve(room.project.folder).base, room.link(None))
    for name in ("progress", "distribution"):
        page.wait_for_selector(f"#{name} table")
        heads = page.locator(f"#{name} thead th")
        assert all(text.strip() for text in heads.all_text_contents())
        spans = page.evaluate(
            f"[...document.querySelectorAll('#{name} thead th')].map((th) => th.colSpan)"
        )
        assert sum(spans) == page.locator(f"#{name} tbody tr:first-child > *").count()
    region = page.locator("#progress")
    assert region.get_attribute("role") == "region"
    assert region.get_attribute("aria-label")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "progress":
            break
    assert page.evaluate("document.activeElement.id") == "progress"
    page.keyboard.press("ArrowRight")
    until(page, "document.getElementById('progress').scrollLeft > 0")
    page.wait_for_timeout(300)  # until it has come to rest
    place = page.evaluate("document.getElementById('progress').scrollLeft")
    with page.expect_response("**/owner/progress"):
        pass
    page.wait_for_timeout(100)
    assert page.evaluate("document.getElementById('progress').scrollLeft") == place
    assert page.evaluate("document.activeElement.id") == "progress"
    assert page.locator("main > section").first.text_content().strip().startswith("Export")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.complaints == []
