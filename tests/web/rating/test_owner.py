"""The owner's page, on SQLite and PostgreSQL."""

import json
import re

from emorank.room.overview import answers, progress


def test_before_anybody_has_answered(visit):
    """Every panel is there and says so."""
    owner = visit(None)
    assert "0 / 13" in owner.get("/owner/progress").text
    assert "at least two raters" in owner.get("/owner/agreement").text
    assert "No answers yet" in owner.get("/owner/answers").text


def test_progress_tells_fast_answers(visit, room):
    """How many of each rater, and their share."""
    rater = visit("r1")
    for showing, ms in zip(rater.showings()[:4], (300, 900, 499, 500), strict=True):
        rater.vote(showing["id"], reaction_ms=ms)
    panel = visit(None).get("/owner/progress").text
    assert "Under 0.5 s" in panel
    assert 'hasty">2 (50.0%)<' in panel
    assert panel.count("hasty") == 1


def test_panels_follow_the_answers(visit, room):
    """Counts, agreement and cases are those of the answers as they stand, at once."""
    owner = visit(None)
    owner.get("/owner/answers")
    room.vote_all("r1", lambda showing: "Strong")
    assert "at least two raters" in owner.get("/owner/agreement").text
    room.vote_all("r2", lambda showing: "None" if showing.emotion == "fear" else "Minimal")
    panel = owner.get("/owner/answers").text
    assert "Flagged images <span" in panel
    assert len(re.findall(r'<span class="key a-None">not this</span>', panel)) == 6
    assert "Disputed images <span" in panel
    agreement = owner.get("/owner/agreement").text
    assert "Krippendorff" in agreement
    assert "On 12 images" in agreement


def test_export_in_every_format(visit, room):
    """A download with all answers, images under their own names."""
    room.vote_all("r1")
    owner = visit(None)
    for kind in ("csv", "parquet", "json", "label-studio"):
        answer = owner.get(f"/owner/export/{kind}")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
    assert len(owner.get("/owner/export/csv").text.splitlines()) == 1 + len(answers(room.project))
    assert len(json.loads(owner.get("/owner/export/label-studio").content)) == 12
    assert owner.get("/owner/export/exe").status_code == 422
    for table in ("log", "trials", "consents", "displays"):
        head = owner.get(f"/owner/export/{table}").text.splitlines()[0]
        assert "rater" in head.split(",")
    for personal in ("demographics", "participants"):
        assert owner.get(f"/owner/export/{personal}").status_code == 422


def test_a_new_link_for_a_rater(visit, app, room):
    """Shown once; it works, the old link and the old session do not."""
    rater, old, owner = visit("r1"), room.link("r1"), visit(None)
    panel = owner.post(f"/owner/invite/{room.raters['r1']}").text
    new = re.search(r"/invite/[\w-]{43}", panel)[0]
    assert rater.get("/rate").status_code == 401
    assert type(rater)(app).post(old).status_code == 404
    type(rater)(app).claim(new)
    assert owner.post("/owner/invite/abcdefghijklmnop").status_code == 404


def test_closing_and_opening_again(visit, room):
    """The badge says what is so, and the raters' votes are refused in between."""
    owner, rater = visit(None), visit("r1")
    first = rater.showings()[0]["id"]
    assert "closed" in owner.post("/owner/close").text
    assert rater.vote(first).status_code == 409
    assert "Close the rating" in owner.post("/owner/reopen").text
    assert rater.vote(first).status_code == 200


def test_more_raters(visit, app, room):
    """By number or by name, each with a link and all the faces; a name that is taken is refused."""
    owner = visit(None)
    said = owner.post("/owner/add", data={"who": "2"}).text
    links = re.findall(r"/invite/[\w-]{43}", said)
    assert len(links) == 2
    assert "r4" in said
    assert len(type(owner)(app).claim(links[1]).showings()) == len(room.showings("r1"))
    assert "dora" in owner.post("/owner/add", data={"who": "dora, emil"}).text
    for wrong, says in (("emil", "taken: emil"), ("0", "expected 1 to 1000"), ("5000", "5000"),
                        (",", "expected 1 to"), ("a, a", "a name of their own")):  # fmt: skip
        assert says in owner.post("/owner/add", data={"who": wrong}).text
    assert [row.name for row in progress(room.project)] == ["r1", "r2", "r3", "r4", "dora", "emil"]
    assert visit("").post("/owner/add", data={"who": "2"}).status_code == 401
    assert visit("r1").post("/owner/add", data={"who": "2"}).status_code == 401
