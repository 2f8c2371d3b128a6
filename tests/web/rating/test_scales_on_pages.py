"""Four levels, the slider and pairs: what the server takes, and what raters see."""

import re

import pytest
from tests.rooms import ORIGIN, declare
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
    panel = owner.get("/owner/answers").text
    assert "Median position" in panel or name != "slider"
    faces = re.findall(r"<strong>([-\d.]+)</strong> <small>([^,<]+)", panel)
    numbers = [float(number) for number, _ in faces]
    words = {"four": "mean level", "slider": "mean position", "pairs": "Bradley-Terry score"}
    assert {word for _, word in faces} == {words[name]}
    assert (4.0 in numbers) == (name == "four")
    assert {0.0, 100.0} <= {*numbers} or name != "slider"
    (picture,) = re.findall('src="(/owner/picture/[^"]+)"', panel)[:1]
    assert owner.get(picture).status_code == 200
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


SHOWN = """
[[{0}]]
{1}
emotion = "happy"
level = {2}
"""
ONE, TWO = 'image = "a.png"', 'left = "a.png"\nright = "b.png"'


@pytest.mark.parametrize("database", [None])
@pytest.mark.parametrize(
    ("name", "examples", "below"),
    [
        ("four", [(ONE, "'Extreme'"), (ONE, "'Minimal'"), (ONE, "'None'")],
         ["Minimal", "Extreme", "Not this emotion"]),
        ("slider", [(ONE, "'None'"), (ONE, "'70-100'"), (ONE, "8")],
         ["8", "70–100", "Not this emotion"]),
        ("pairs", [(TWO, "'Right'"), (TWO, "'Left'")], ["", "stronger", "stronger", ""]),
    ],
)  # fmt: skip
def test_examples_of_each_scale(make_room, tmp_path, name, examples, below):
    """The weakest first, the words below; practice says what was expected."""
    study = "".join(SHOWN.format("examples", *one) for one in examples)
    study += SHOWN.format("practice.faces", *examples[0])
    room = make_room(declared=declare(tmp_path, study), design=Design(scale_of(name)))
    rater = visitor_of(room, "r1")
    page = rater.get("/rate/examples").text
    assert re.findall("<figcaption>(.*)</figcaption>", page) == below
    pictures = re.findall('src="(/rate/example/[^"]+)"', page)
    assert all(rater.get(one).status_code == 200 for one in pictures)
    (trial,) = rater.get("/rate/practice/showings").json()["showings"]
    assert trial["expected"] == examples[0][1].strip("'")
    side = {"side": "right"} if name == "pairs" else {}
    assert rater.get(f"/rate/picture/{trial['id']}", params=side).status_code == 200


@pytest.mark.parametrize("database", [None])
def test_slider_and_pairs_in_a_browser(make_room, serve, browse, tmp_path):
    """No answer before a touch, by key and by finger; a chosen face; back to the own answer."""
    room = make_room(
        count=8, raters=("r1",), repeats=0, design=Design(scale_of("slider")),
        declared=declare(tmp_path, SHOWN.format("practice.faces", ONE, "'60-90'") * 2),
    )  # fmt: skip
    base = serve(room.project.folder).base
    page = enter(
        browse(viewport={"width": 390, "height": 700}, has_touch=True), base, room.link("r1")
    )
    for key, says in (("End", "Here “60–90” was expected."), ("PageUp", "Yes: “60–90” was")):
        page.wait_for_selector(READY)
        page.keyboard.press("ArrowUp")  # into the middle
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_selector("#on:not([hidden])")
        assert says in page.text_content("#feedback")
        page.keyboard.press("Enter")
    page.click("#end-on")
    page.wait_for_url("**/rate")
    page.wait_for_selector(READY)
    page.keyboard.press("Enter")  # nothing is chosen yet
    page.tap("#confirm", force=True)
    assert page.get_attribute("#slider", "aria-valuetext") == "not set"
    assert page.get_attribute("#slider", "class") == "untouched"  # the style hides its thumb
    page.tap("#menu")
    page.keyboard.press("Escape")  # the focus goes back to the button that opened the help
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
        declared=declare(tmp_path, SHOWN.format("practice.faces", TWO, "'Left'")),
    )
    base = serve(room.project.folder).base
    page = enter(
        browse(viewport={"width": 390, "height": 700}, has_touch=True), base, room.link("r1")
    )
    page.wait_for_selector(READY)
    page.tap(".pair > span:nth-child(2)")
    page.wait_for_selector("#on:not([hidden])")
    assert page.text_content("#feedback") == "Here “Left” was expected."
    page.tap("#on")
    page.tap("#end-on")
    page.wait_for_url("**/rate")
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
