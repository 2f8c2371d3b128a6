"""What the rater's page asks of the server, on SQLite and PostgreSQL."""

import re

import pytest
from tests.web.conftest import Visitor

from emorank.room.overview import answers
from emorank.room.store import close


def test_without_a_session_there_is_nothing(visit):
    """No page, no picture, no vote."""
    nobody = visit("")
    for address in ("/rate", "/rate/showings", "/rate/picture/abcdefgh", "/owner"):
        assert nobody.get(address).status_code == 401
    assert nobody.vote("abcdefgh").status_code == 401
    assert nobody.post("/rate/link").status_code == 401


def test_head_is_get_without_a_body(app, room):
    """On pages, pictures, static files and refusals: the same status and length, not one byte."""
    sent = []

    async def listening(scope, receive, send):
        async def heard(message):
            sent.append(message.get("body", b""))
            await send(message)

        await app(scope, receive, heard)

    rater = Visitor(listening).claim(room.link("r1"))
    picture = f"/rate/picture/{rater.showings()[0]['id']}"
    for address in (
        "/",
        "/rate",
        picture,
        "/static/rating/rate.js",
        "/owner",
        "/nowhere",
        "/health",
    ):
        whole = rater.get(address)
        assert b"".join(sent).endswith(whole.content[-100:])
        sent.clear()
        head = rater.head(address)
        assert (head.status_code, head.headers) == (whole.status_code, whole.headers)
        assert b"".join(sent) == b""
        sent.clear()
    link = room.link("r2")
    assert rater.head(link).status_code == 200
    Visitor(app).claim(link)  # looking has not used it up
    assert rater.head("/rate/votes").status_code == 405


def test_a_rater_votes_and_comes_back(visit, room):
    """Votes are acknowledged with the place to go on; the next page load starts there."""
    rater = visit("r1")
    assert "How strongly does this face express" in rater.get("/rate").text
    first, second = rater.showings()[:2]
    assert rater.vote(first["id"]).json() == {"outcomes": ["stored"]}
    assert rater.get("/rate/showings").json()["standing"]["next"] == 1
    assert rater.showings()[0]["id"] == second["id"]
    assert rater.showings(start=0)[0]["answer"] == "Strong"


def test_going_on_elsewhere(visit, app, room):
    """A rater's own link opens another browser at the same place, once."""
    rater = visit("r1")
    rater.vote(rater.showings()[0]["id"])
    link = rater.post("/rate/link").json()["link"]
    path = link.removeprefix("http://127.0.0.1:8321")
    other = type(rater)(app).claim(path)
    assert other.showings()[0]["position"] == 1
    assert type(rater)(app).post(path).status_code == 404
    assert rater.get("/rate").status_code == 200


def test_signing_out_ends_the_session(visit):
    """The cookie is worth nothing afterwards, even if it was kept."""
    rater = visit("r1")
    kept = dict(rater.cookies)
    assert rater.post("/rate/leave").status_code == 303
    rater.cookies.update(kept)
    assert rater.get("/rate").status_code == 401


def test_pictures_are_jpegs_without_a_name(visit, room):
    """Bytes of a JPEG, its type pinned; no header names the file."""
    rater = visit("r1")
    answer = rater.get(f"/rate/picture/{rater.showings()[0]['id']}")
    assert answer.content.startswith(b"\xff\xd8\xff")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-disposition" not in answer.headers
    # The time of a file would tell in which order the data set has its images.
    assert not {"last-modified", "etag"} & set(answer.headers)


def test_nothing_that_a_rater_receives_tells_what_others_said(visit, room):
    """Blind: no answer that a rater can ask for has names of files or votes of others in it."""
    room.vote_all("r2", lambda showing: "Minimal")
    rater = visit("r1")
    seen = [rater.get("/rate"), rater.get("/rate/showings", params={"start": 0, "count": 200})]
    seen += [rater.post("/rate/link"), rater.vote(rater.showings()[0]["id"])]
    for answer in seen:
        assert answer.status_code == 200
        text = answer.text + str(answer.headers)
        assert not re.search(r"p\d+\.png|\br2\b|repeat|predict", text), text
    assert {row["answer"] for row in rater.showings()} == {None}
    # Minimal is on the page once, on its button.
    assert rater.get("/rate").text.count("Minimal") == 2


def test_ids_say_nothing(visit, room):
    """A picture that comes twice has two ids, two raters have none in common, none names a file."""
    mine, others = room.showings("r1"), room.showings("r2")
    ids = {row.id for row in (*mine, *others)}
    assert len(ids) == len(mine) + len(others)
    files = {path.stem for path in (room.project.folder / "images").iterdir()}
    assert not ids & files
    assert all(re.fullmatch(r"[\w-]{16}", name) for name in ids | files)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"answer": "Enormous"},
        {"answer": None},
        {"reaction_ms": -1},
        {"reaction_ms": 10**12},
        {"reaction_ms": "12"},
        {"hidden_ms": None},
        {"change": "yes"},
        {"was": "Enormous"},
        {"id": "a"},
        {"id": "x" * 65},
        {"id": "'; DROP TABLE votes; --"},
        {"showing": "../../rating.db"},
        {"rater": "r2"},
    ],
    ids=str,
)
def test_a_spoilt_vote_is_refused(visit, room, spoilt):
    """422 and a sentence; nothing is stored."""
    rater = visit("r1")
    answer = rater.vote(**{"showing": rater.showings()[0]["id"]} | spoilt) if "id" not in spoilt \
        else rater.vote(rater.showings()[0]["id"], submission=spoilt["id"])  # fmt: skip
    assert answer.status_code == 422
    assert answer.json() == {"error": "The request is not as expected."}
    assert answers(room.project).empty


def test_a_batch_has_a_bound(visit, room):
    """No more than a hundred votes, and at least one."""
    rater = visit("r1")
    vote = {
        "id": "12345678", "showing": rater.showings()[0]["id"], "answer": "Skip",
        "reaction_ms": 1, "hidden_ms": 0, "change": False,
    }  # fmt: skip
    for votes in ([], [vote] * 101):
        assert rater.post("/rate/votes", json={"votes": votes}).status_code == 422
    assert answers(room.project).empty


def test_a_closed_project_says_so(visit, room):
    """409, and the standing tells it before a vote is tried."""
    rater = visit("r1")
    showing = rater.showings()[0]["id"]
    close(room.project)
    assert rater.get("/rate/showings").json()["standing"]["closed"] is True
    answer = rater.vote(showing)
    assert answer.status_code == 409
    assert "closed" in answer.json()["error"]
    assert answer.json()["closed"] is True


def test_an_id_that_comes_again_with_another_answer_is_no_closing(visit):
    """409 too, with its own reason."""
    rater = visit("r1")
    first, second = rater.showings()[:2]
    rater.vote(first["id"], submission="the-same-id")
    answer = rater.vote(second["id"], submission="the-same-id")
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "An answer came twice and differed; load this page anew to go on."
    }
