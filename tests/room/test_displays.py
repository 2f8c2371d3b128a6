"""On what sessions see the faces, and which answers were given on it."""

from dataclasses import replace

from emorank.room.displays import Display, displays, note
from emorank.room.invites import claim, invite
from emorank.room.overview import log
from emorank.room.store import Vote, submit

DESK = Display("light", 1280, 800, 1.0, 360, "mouse", "Firefox, Windows")
PHONE = Display("dark", 360, 640, 2.5, 320, "touch", "Chrome, Android")


def session_of(room, name):
    return claim(room.project, invite(room.project, room.raters[name]))[0]


def vote(room, name, position, session):
    showing = room.showings(name)[position].id
    submit(
        room.project, room.raters[name], [Vote(f"v{position}", showing, "Strong", 800, 0)], session
    )


def test_a_new_row_when_something_has_changed(room):
    """The same told again changes nothing; each session is a number of its own."""
    first, second = session_of(room, "r1"), session_of(room, "r2")
    for session, display in (
        (first, DESK), (first, DESK), (second, DESK), (first, PHONE), (first, DESK),
    ):  # fmt: skip
        note(room.project, session, display)
    table = displays(room.project)
    assert table["display"].tolist() == [1, 2, 3, 4]
    assert table["session"].tolist() == [1, 2, 1, 1]
    assert table["rater"].tolist() == ["r1", "r2", "r1", "r1"]
    told = [Display(*row) for row in table[list(vars(DESK))].itertuples(index=False)]
    assert told == [DESK, DESK, PHONE, DESK]
    assert set(table["face_size"]) == {360}
    assert set(table["background"]) == {"#808080"}
    assert table["since"].dt.tz is not None


def test_the_log_names_the_display_of_an_answer(room):
    """The one that the session told last; none before it told, and none for another session's."""
    mine, other = session_of(room, "r1"), session_of(room, "r2")
    vote(room, "r1", 0, mine)
    note(room.project, other, PHONE)
    note(room.project, mine, DESK)
    vote(room, "r1", 1, mine)
    note(room.project, mine, PHONE)
    vote(room, "r1", 2, mine)
    vote(room, "r1", 3, None)
    events = log(room.project)
    given = events.loc[events["kind"] == "vote", "display"].astype("Int64")
    assert [None if given.isna().iloc[i] else given.iloc[i] for i in range(4)] == [None, 2, 3, None]
    assert displays(room.project)["answers"].tolist() == [0, 1, 1]


def test_a_session_cannot_fill_the_disk(room, monkeypatch):
    """Beyond some hundred changes nothing more is kept."""
    monkeypatch.setattr("emorank.room.displays.MOST", 3)
    session = session_of(room, "r1")
    for width in range(6):
        note(room.project, session, replace(DESK, width=width))
    assert displays(room.project)["width"].tolist() == [0, 1, 2]


def test_before_anybody_has_come(room):
    """A table without rows."""
    assert displays(room.project).empty
