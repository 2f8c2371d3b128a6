"""Before and after the faces: consent, examples, practice, questions, the end; the open link."""

import re
from urllib.parse import urlencode

import pytest
from tests.rooms import ORIGIN, declare
from tests.web.conftest import Visitor

from emorank.room.consent import consents
from emorank.room.demographics import demographics
from emorank.room.open_link import open_key, participants
from emorank.room.overview import log, progress
from emorank.room.protocol import protocol_of
from emorank.room.trials import trials_table
from emorank.web.rating.app import make_app
from emorank.web.safety import origins

STUDY = """
title = { en = "Faces", de = "Gesichter" }
seconds_per_face = 6
[languages]
offered = ["en", "de"]
[consent]
contact = "<b>lab</b>"
[[examples]]
image = "a.png"
emotion = "happy"
level = "Strong"
[practice]
faces = [{ image = "b.png", emotion = "fear", level = "None" }]
[[checks]]
image = "c.png"
emotion = "happy"
level = "Strong"
[breaks]
every = 4
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
[[demographics]]
key = "gender"
kind = "choice"
[open_link]
most = 2
[completion]
code = "C0FFEE42"
address = "https://panel.example.org/?cc={code}"
"""


@pytest.fixture
def study(make_room, tmp_path):
    """Eight faces, one check, one for practice; r1 by a personal link, two by the open one."""
    given = declare(tmp_path, STUDY)
    return make_room(count=8, raters=("r1",), repeats=0, shortest_ms=0, declared=given)


@pytest.fixture
def course(study):
    """The application of the study."""
    return make_app(study.project, origins(ORIGIN, "127.0.0.1", 8321))


def consent_in(page):
    return re.search(r'name="agree" value="(\w{64})"', page)[1]


def test_nothing_without_consent(course, study):
    """Neither a session nor a line in the log; a wrong hash is no consent; no is a proper page."""
    visitor, link = Visitor(course), study.link("r1")
    before = len(log(study.project))
    page = visitor.get(link).text
    assert "Your network address is not kept." in page
    assert "It takes about 3 minutes: 10 pictures." in page
    assert "&lt;b&gt;lab&lt;/b&gt;" in page
    for data in ({}, {"agree": ""}, {"agree": "0" * 64}):
        refused = visitor.post(link, data=data)
        assert refused.status_code == 409
        assert "Your consent is needed" in refused.text
        assert not visitor.cookies
    declined = visitor.get(re.search(r'href="(/declined[^"]*)"', page)[1])
    assert "Nothing was stored" in declined.text
    assert len(log(study.project)) == before
    assert consents(study.project).empty
    german = visitor.get(link + "?lang=de")
    assert '<html lang="de">' in german.text
    assert "<h1>Gesichter</h1>" in german.text
    agree = consent_in(german.text)
    assert agree != consent_in(page)  # another text
    assert visitor.post(link, data={"agree": agree}).status_code == 409
    assert visitor.post(link + "?lang=de", data={"agree": agree}).status_code == 303
    signed = consents(study.project).iloc[0]
    assert (signed["language"], signed["text_hash"]) == ("de", agree)
    # The language stays, whatever the browser wants now; another browser is not asked again.
    assert (
        '<html lang="de">' in visitor.get("/rate/examples", headers={"Accept-Language": "en"}).text
    )
    again = visitor.post("/rate/link").json()["link"].removeprefix(ORIGIN)
    other = Visitor(course)
    assert "agree" not in other.get(again).text
    assert other.claim(again).get("/rate/examples").status_code == 200


def test_a_session_without_consent_gets_nothing(course, study):
    """Were there one: the server asks before every page and every answer."""
    rater = Visitor(course)
    link = study.link("r1")
    rater.post(link, data={"agree": consent_in(rater.get(link).text)})
    showing = rater.showings()[0]["id"]
    with study.project.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM consents")
    for address in ("/rate", "/rate/showings", f"/rate/picture/{showing}", "/rate/examples"):
        assert rater.get(address).status_code == 403
    assert rater.vote(showing).status_code == 403


def come(course, study, lang="en", **ids):
    """Somebody by the open link, who agrees."""
    visitor = Visitor(course)
    address = f"/join/{open_key(study.project)}?{urlencode({'lang': lang, **ids})}"
    page = visitor.get(address)
    found = re.search(r'name="agree" value="(\w{64})"', page.text)
    return visitor, visitor.post(address, data={"agree": found[1] if found else ""})


def test_the_whole_course_without_a_browser(course, study):
    """Each stage in its turn, none out of turn; every answer in its own table."""
    rater, answer = come(course, study, PROLIFIC_PID="ann", STUDY_ID="s1")
    assert answer.headers["location"] == "/rate"
    for early in ("/rate/questions", "/rate/done"):
        assert rater.get(early).headers["location"] == "/rate"
    assert rater.post("/rate/questions", data={"age": "33"}).headers["location"] == "/rate"
    assert rater.get("/rate").headers["location"] == "/rate/examples"
    picture = re.search(r'src="(/rate/example/[^"]+)"', rater.get("/rate/examples").text)[1]
    assert rater.get(picture).content.startswith(b"\xff\xd8\xff")
    assert rater.get("/rate/example/abcdefgh").status_code == 404
    page = rater.get("/rate?seen=examples").text
    assert 'data-source="/rate/practice/showings"' in page
    trial = rater.get("/rate/practice/showings").json()["showings"][0]
    assert trial["expected"] == "None"
    assert rater.get(f"/rate/picture/{trial['id']}").status_code == 200
    assert rater.vote(trial["id"], "Strong").json() == {"outcomes": ["stored"]}
    assert 'data-source="/rate/showings"' in rater.get("/rate").text
    line = rater.showings(start=0)
    assert [one["rest"] for one in line] == [at in (4, 8) for at in range(9)]
    assert {one["expected"] for one in line} == {None}
    for one in line:
        rater.vote(one["id"], shown_ms=None)
    assert rater.get("/rate").headers["location"] == "/rate/questions"
    assert rater.get("/rate/done").headers["location"] == "/rate"
    form = rater.get("/rate/questions").text
    assert "Prefer not to say" in form
    assert "non-binary" in form
    for spoilt in ({"age": "7"}, {"age": "x"}, {"gender": "<b>"}):
        refused = rater.post("/rate/questions", data=spoilt)
        assert refused.status_code == 422
        assert "Please look at this answer again" in refused.json()["detail"]
    assert rater.post("/rate/questions", data={"gender": "other", "more": "x"}).status_code == 303
    assert rater.get("/rate").headers["location"] == "/rate/done"
    end = rater.get("/rate/done").text
    assert "C0FFEE42" in end
    assert 'href="https://panel.example.org/?cc=C0FFEE42"' in end
    project = study.project
    said = demographics(project, protocol_of(project).demographics)
    assert said["gender"].tolist() == ["other"]
    assert said["age"].isna().all()
    kinds = trials_table(project).set_index("kind")["passed"]
    assert (bool(kinds["practice"]), bool(kinds["check"])) == (False, True)
    assert progress(project)[1].answered == 8


def test_the_open_link(course, study):
    """The same place for the same person; full, strange and unknown links are proper pages."""
    ann, _ = come(course, study, PROLIFIC_PID="ann")
    first = ann.showings()[0]["id"]
    ann.vote(first)
    again, answer = come(course, study, participant="ann")
    assert answer.status_code == 303
    assert again.showings(start=0)[0] == ann.showings(start=0)[0]
    address = f"/join/{open_key(study.project)}"
    assert ann.get(f"{address}?PROLIFIC_PID=ann").headers["location"] == "/rate"
    # Another person at the same computer gets a place of their own.
    assert ann.get(f"{address}?PROLIFIC_PID=ben").status_code == 200
    come(course, study, PROLIFIC_PID="ben")
    _, full = come(course, study, PROLIFIC_PID="cleo")
    assert full.status_code == 409
    assert "The study is full" in full.text
    for ids in ({}, {"PROLIFIC_PID": "<script>alert(1)</script>"}, {"PROLIFIC_PID": "a" * 99}):
        _, strange = come(course, study, **ids)
        assert strange.status_code == 400
        assert "This link is not complete" in strange.text
        assert "<script>alert" not in strange.text
    nobody = Visitor(course)
    assert nobody.get("/join/abcdefgh?PROLIFIC_PID=ann").status_code == 404
    assert nobody.post("/join/abcdefgh?PROLIFIC_PID=ann").status_code == 404
    assert participants(study.project)["participant"].tolist() == ["ann", "ben"]
    assert [row.name for row in progress(study.project)] == ["r1", "p1", "p2"]


def test_no_open_link_where_none_is_declared(app):
    """The address is unknown then."""
    assert Visitor(app).get("/join/abcdefgh?participant=ann").status_code == 404


def test_errors_are_in_the_language_of_the_rater(course):
    """On pages and for the scripts."""
    visitor = Visitor(course)
    german = {"Accept-Language": "de", "Accept": "text/html"}
    assert "Diese Seite gibt es nicht." in visitor.get("/nowhere", headers=german).text
    told = visitor.get("/rate/showings", headers={"Accept-Language": "de"}).json()["error"]
    assert told.startswith("Sie sind hier nicht")
