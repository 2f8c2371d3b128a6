"""What is personal of a rater goes, from the files too; the log and the others stay."""

import contextlib
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from sqlalchemy import select

from emorank.errors import RatingError, StorageError
from emorank.room.design import Design
from emorank.room.displays import Display, displays, note
from emorank.room.forget import DAY, KEPT, forget, retention
from emorank.room.invites import claim, invite
from emorank.room.overview import answers, log, progress
from emorank.room.schema import METADATA, RATERS, SESSIONS

SHOWN = Display("dark", 1234, 777, 2.0, 360, "mouse", "Netscape, Solaris")


def content(room):
    """All bytes of the database's files, or all rows of the server's tables."""
    project = room.project
    if project.database.dialect == "sqlite":
        return b"".join(path.read_bytes() for path in project.folder.glob("rating.db*"))
    with project.database.reading() as connection:
        rows = [connection.execute(table.select()).all() for table in METADATA.sorted_tables]
    return repr(rows).encode()


@pytest.mark.parametrize("with_answers", [False, True])
def test_nothing_personal_is_left(make_room, with_answers):
    """No name, no session, no display; answers under a random name, or none."""
    room = make_room(raters=("Wilhelmina Wundt", "ben"), repeats=0, shortest_ms=0)
    rater = room.raters["Wilhelmina Wundt"]
    secret, _ = claim(room.project, invite(room.project, rater))
    note(room.project, secret, SHOWN)
    for name in room.raters:
        room.vote_all(name)
    before = content(room)
    for trace in (b"Wilhelmina", b"Netscape"):
        assert trace in before
    events = len(log(room.project))
    done = forget(room.project, ["Wilhelmina Wundt"], with_answers)["Wilhelmina Wundt"]
    after = content(room)
    for trace in (b"Wilhelmina", b"Wundt", b"Netscape"):
        assert trace not in after
    given = answers(room.project)
    left = [done.pseudonym, "ben"] if not with_answers else ["ben"]
    assert sorted(set(given["rater"])) == sorted(left)
    assert done.answers == (12 if with_answers else 0)
    assert len(log(room.project)) == events + 1  # nothing of the log is gone
    assert set(log(room.project)["rater"].dropna()) == {done.pseudonym, "ben"}
    assert displays(room.project)["browser"].tolist() == [""]
    with room.project.database.reading() as connection:
        rows = connection.execute(select(SESSIONS).where(SESSIONS.c.rater_id == rater)).all()
    assert all(row.revoked_at is not None and row.expires_at == 0 for row in rows)
    assert [row.link for row in progress(room.project)] == ["none", "none"]


def test_an_unknown_name_deletes_nothing(room):
    """Not of the others either."""
    with pytest.raises(RatingError, match="nothing was deleted"):
        forget(room.project, ["r1", "who"])
    with room.project.database.reading() as connection:
        assert set(connection.execute(select(RATERS.c.name)).scalars()) == {"r1", "r2"}


def test_a_file_that_cannot_be_written_anew_is_told(room, monkeypatch):
    """The names are gone all the same, and the message says how to go on."""

    def fail(_):
        raise StorageError("locked")

    monkeypatch.setattr("emorank.room.forget.compact", fail)
    with pytest.raises(
        StorageError, match=r"it was deleted, .* under the new names: forgotten rater 1"
    ):
        forget(room.project, ["r1"])
    assert "r1" not in {row.name for row in progress(room.project)}


def test_every_table_with_a_rater_is_known():
    """A new table with a rater's id is deleted from, unless it is listed as kept."""
    named = {table.name for table in METADATA.sorted_tables if "rater_id" in table.c}
    assert named >= KEPT - {"raters", "trials"}
    assert "invites" in named - KEPT


def test_retention_is_told_when_it_is_due(make_room):
    """Days after the last answer; nothing before one, nothing when all are forgotten."""
    room = make_room(design=Design(keep_days=30), repeats=0)
    assert retention(room.project).due is None
    room.vote_all("r1")
    kept = retention(room.project)
    last = int(answers(room.project)["at"].max().timestamp() * 1000)
    assert abs(kept.due - last - 30 * DAY) < 1000
    assert not kept.overdue(kept.due - 1)
    assert kept.overdue(kept.due)
    forget(room.project, ["r1", "r2"])
    assert not retention(room.project).overdue(kept.due)
    assert replace(kept, raters=()).overdue(kept.due) is False


def test_no_address_is_stored(make_room, serve):
    """After real requests with a forwarded address: not in the folder, not in what was printed."""
    room = make_room()
    server = serve(room.project.folder)
    for path in (room.link("r1"), "/rate", "/invite/" + "x" * 43, "/nothing"):
        headers = {"X-Forwarded-For": "203.0.113.77", "Accept": "text/html"}
        request = urllib.request.Request(server.base + path, headers=headers)  # noqa: S310
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30)  # noqa: S310 - loopback
    server.stop()
    assert "203.0.113.77" not in server.said()
    for path in room.project.folder.rglob("*"):
        assert not path.is_file() or b"203.0.113.77" not in path.read_bytes()
    assert b"203.0.113.77" not in content(room)
