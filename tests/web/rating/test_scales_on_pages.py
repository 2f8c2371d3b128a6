"""Four levels, the slider and pairs: what the server takes, and what raters see."""

import pytest
from tests.rooms import ORIGIN
from tests.web.browsing import READY, enter, given, settled, violations
from tests.web.conftest import Visitor

from emorank.answers.scales import scale_of
from emorank.room.design import Design
from emorank.room.scaled import scaled_answers
from emorank.web.rating.app import make_app
from emorank.web.safety import origins


def visitor_of(room, name):
    return Visitor(make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))).claim(
        room.link(name)
    )


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("four", ["Extreme", "None"], ["Average", "5"]),
        ("slider", ["0", "100", "Skip"], ["101", "-1", "1e1", "Strong"]),
        ("pairs", ["Left", "Right", "Skip"], ["Tie", "None", "Strong"]),
    ],
)
def test_only_answers_of_the_scale_are_taken(make_room, name, good, bad):
    """Others are refused with 422, and nothing is stored."""
    room = make_room(repeats=0, design=Design(scale_of(name)))
    rater = visitor_of(room, "r1")
    shown = rater.showings(start=0)
    for showing, answer in zip(shown, good, strict=False):
        assert rater.vote(showing["id"], answer).status_code == 200
    for answer in bad:
        assert rater.vote(shown[5]["id"], answer).status_code == 422
    scale, table = scaled_answers(room.project)
    assert scale.name == name
    assert table["answer"].tolist() == good
    owner = visitor_of(room, None)
    assert "Median position" in owner.get("/owner/answers").text or name != "slider"
    assert "rate summary" in owner.get("/owner/agreement").text
    assert "Label Studio" not in owner.get("/owner").text
    header, row = owner.get("/owner/export/csv").text.splitlines()[:2]
    assert len(header.split(",")) == len(row.split(","))
    assert owner.get("/owner/export/label-studio").status_code == 409


def test_a_pair_has_two_pictures(make_room):
    """One for each side; which face stands where, the server alone knows."""
    room = make_room(repeats=0, shortest_ms=0, design=Design(scale_of("pairs")))
    rater = visitor_of(room, "r1")
    showing = rater.showings(start=0)[0]["id"]
    left, right = (
        rater.get(f"/rate/picture/{showing}", params={"side": side}).content
        for side in ("left", "right")
    )
    assert left != right
    assert rater.get(f"/rate/picture/{showing}").status_code == 404
    assert rater.get(f"/rate/picture/{showing}?side=up").status_code == 422
    rater.vote(showing, "Left")
    row = scaled_answers(room.project)[1].iloc[0]
    assert row["stronger"] == row["left"]
    assert row["left"] in (row["first"], row["second"])
    plain = make_room(name="plain")
    one = visitor_of(plain, "r1")
    picture = one.showings(start=0)[0]["id"]
    assert one.get(f"/rate/picture/{picture}?side=left").status_code == 404


@pytest.mark.parametrize("database", [None])
def test_slider_and_pairs_in_a_browser(make_room, serve, browse):
    """No answer before a touch, by key and by finger; a chosen face; back to the own answer."""
    room = make_room(count=8, raters=("r1",), repeats=0, design=Design(scale_of("slider")))
    base = serve(room.project.folder).base
    page = enter(
        browse(viewport={"width": 390, "height": 700}, has_touch=True), base, room.link("r1")
    )
    page.wait_for_selector(READY)
    page.keyboard.press("Enter")  # nothing is chosen yet
    page.tap("#confirm", force=True)
    assert page.get_attribute("#slider", "aria-valuetext") == "not set"
    assert page.get_attribute("#slider", "class") == "untouched"  # the style hides its thumb
    for key in ("ArrowRight", "ArrowRight", "PageUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(READY)
    box = page.locator("#slider").bounding_box()
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    position = page.get_attribute("#slider", "aria-valuetext")
    page.tap("#confirm")
    page.wait_for_selector(READY)
    page.keyboard.press("f")
    page.wait_for_selector(READY)
    page.keyboard.press("Backspace")
    page.wait_for_selector(READY)
    page.keyboard.press("Backspace")
    page.wait_for_selector(READY)
    assert page.get_attribute("#slider", "aria-valuetext") == position
    assert violations(page) == []
    settled(page)
    assert page.complaints == []
    assert given(room, "r1")[:4] == ["61", position, "None", None]
    assert 85 <= int(position) <= 95

    room = make_room(
        count=8,
        raters=("r1",),
        repeats=0,
        name="pairs",
        design=Design(scale_of("pairs", ties=True)),
    )
    base = serve(room.project.folder).base
    page = enter(
        browse(viewport={"width": 390, "height": 700}, has_touch=True), base, room.link("r1")
    )
    page.wait_for_selector(READY)
    page.tap(".pair > span:nth-child(2)")
    page.wait_for_selector(READY)
    for key in ("ArrowLeft", "3"):
        page.keyboard.press(key)
        page.wait_for_selector(READY)
    assert violations(page) == []
    settled(page)
    assert page.complaints == []
    assert given(room, "r1")[:4] == ["Right", "Left", "Tie", None]
