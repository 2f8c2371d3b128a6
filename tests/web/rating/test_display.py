"""How faces are shown, and what browsers tell of themselves."""

import re

import pytest

from emorank.room.displays import displays
from emorank.room.schema import PROJECT
from emorank.web.rating.display import family, look

TOLD = {
    "theme": "dark", "width": 390, "height": 664, "pixel_ratio": 3, "face_px": 360,
    "pointer": "touch",
}  # fmt: skip


def test_the_project_fixes_size_and_background(visit, make_room):
    """The page loads them from the server, as its policy wants; raters only."""
    assert visit("").get("/rate/display.css").status_code == 401
    rater = visit("r1")
    assert '<link rel="stylesheet" href="/rate/display.css">' in rater.get("/rate").text
    answer = rater.get("/rate/display.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "--face: 360px; --ground: #808080; --ink: rgb(0 0 0)" in answer.text


def test_an_old_project_keeps_its_look(visit, room):
    """One that was made before they were fixed is shown as it was."""
    with room.project.database.writing() as connection:
        connection.execute(PROJECT.update().values(face_size=None, background=None))
    answer = visit("r1").get("/rate/display.css")
    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize(
    ("background", "ink"),
    [("#808080", "0 0 0"), ("#ffffff", "0 0 0"), ("#606060", "255 255 255"),
     ("#000000", "255 255 255"), ("#00ff00", "0 0 0"), ("#0000ff", "255 255 255")],
)  # fmt: skip
def test_words_can_be_read_on_every_background(background, ink):
    """Black or white, whichever contrasts more by WCAG's measure."""
    assert f"--ink: rgb({ink});" in look(400, background)


def test_what_a_browser_tells_is_kept(visit, room):
    """With the family of the browser, which it does not tell itself, and nothing else of it."""
    rater = visit("r1")
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) AppleWebKit/605.1.15 CriOS/138.0 Safari/604.1"
    for _ in range(2):
        answer = rater.post("/rate/display", json=TOLD, headers={"User-Agent": agent})
        assert answer.status_code == 204
    rater.vote(rater.showings()[0]["id"])
    (row,) = displays(room.project).to_dict("records")
    assert row["browser"] == "Chrome, iOS"
    assert {name: row[name] for name in TOLD} == TOLD
    assert (row["rater"], row["answers"]) == ("r1", 1)
    assert visit("").post("/rate/display", json=TOLD).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"theme": "sepia"}, {"width": -1}, {"height": 10**6}, {"pixel_ratio": 0}, {"pointer": ""},
     {"face_px": "360"}, {"agent": "x"}],
)  # fmt: skip
def test_nonsense_is_refused(visit, room, change):
    """Nothing is kept of it."""
    assert visit("r1").post("/rate/display", json=TOLD | change).status_code == 422
    assert displays(room.project).empty


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/138.0 Safari/537.36 Edg/138.0",
         "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/138.0 Mobile Safari/537.36",
         "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15",
         "Safari, macOS"),
        ("curl/8.0", "other, other"),
        ("", "other, other"),
    ],
)  # fmt: skip
def test_families_of_browsers(agent, name):
    """By the mark that is its own."""
    assert family(agent) == name


def test_the_owner_gets_the_displays_as_a_file(visit, room):
    """One row each; the raters do not."""
    rater = visit("r1")
    rater.post("/rate/display", json=TOLD)
    assert rater.get("/owner/export/displays").status_code == 401
    answer = visit(None).get("/owner/export/displays")
    assert answer.headers["content-disposition"] == 'attachment; filename="displays.csv"'
    header, row = answer.text.splitlines()
    assert header.startswith("display,session,rater,since,theme,width,height,pixel_ratio,face_px")
    assert re.match(r"1,1,r1,[-0-9:.+ ]+,dark,390,664,3.0,360,touch,", row)
