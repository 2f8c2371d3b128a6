"""Votes are stored once, whatever is sent twice, late, or at the same time."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from emorank.errors import RatingError, StorageError
from emorank.room.overview import answers, log
from emorank.room.project import open_project
from emorank.room.schema import EVENTS, VOTES
from emorank.room.store import (
    Closed,
    UnknownShowing,
    Vote,
    close,
    image_of,
    showings,
    standing,
    submit,
)


@pytest.fixture
def rater(room):
    return room.raters["r1"]


def vote(showing, answer="Strong", submission=None, **more):
    return Vote(submission or f"s-{showing}", showing, answer, 900, 10, **more)


def test_a_vote_is_stored_with_its_times(room, rater):
    """Answer, reaction and hidden time come out as they went in, and the place moves on."""
    first, second = room.showings("r1")[:2]
    assert submit(room.project, rater, [vote(first.id)]) == ["stored"]
    where = standing(room.project, rater)
    assert (where.answered, where.next, where.pace_ms) == (1, second.position, 900)
    row = answers(room.project).iloc[0]
    assert (row["answer"], row["reaction_ms"], row["hidden_ms"]) == ("Strong", 900, 10)
    assert (row["image"], row["emotion"]) == (row["image"], first.emotion)


def test_a_reader_sees_one_state(room, rater):
    """What is stored between two of its queries is not there, in any table, until it is done."""
    first, second = room.showings("r1")[:2]
    submit(room.project, rater, [vote(first.id)])
    counts = [select(func.count()).select_from(table) for table in (VOTES, EVENTS)]
    with room.project.database.reading() as connection:
        votes = connection.execute(counts[0]).scalar_one()
        other = open_project(room.project.folder)
        submit(other, rater, [vote(second.id)])
        other.database.close()
        assert connection.execute(counts[0]).scalar_one() == votes == 1
        before = connection.execute(counts[1]).scalar_one()
    with room.project.database.reading() as connection:
        assert connection.execute(counts[0]).scalar_one() == 2
        assert connection.execute(counts[1]).scalar_one() == before + 1


def test_the_same_submission_is_stored_once(room, rater):
    """A retry after a lost answer: acknowledged again, one vote, one event."""
    first = room.showings("r1")[0]
    for _ in range(3):
        assert submit(room.project, rater, [vote(first.id)]) == ["stored"]
    assert len(answers(room.project)) == 1
    assert (log(room.project)["kind"] == "vote").sum() == 1


def test_the_same_submission_twice_in_one_batch_is_stored_once(room, rater):
    """Even within one request."""
    first = room.showings("r1")[0]
    assert submit(room.project, rater, [vote(first.id)] * 2) == ["stored", "stored"]
    assert (log(room.project)["kind"] == "vote").sum() == 1


def test_a_submission_id_cannot_be_used_for_another_answer(room, rater):
    """Refused, and nothing of the batch is stored."""
    first, second = room.showings("r1")[:2]
    submit(room.project, rater, [vote(first.id)])
    with pytest.raises(RatingError, match="another answer"):
        submit(room.project, rater, [vote(second.id), vote(first.id, "Minimal", f"s-{first.id}")])
    assert len(answers(room.project)) == 1


def test_a_change_replaces_the_answer_and_stays_in_the_log(room, rater):
    """One answer stands; the log has both."""
    first = room.showings("r1")[0]
    submit(room.project, rater, [vote(first.id)])
    submit(room.project, rater, [vote(first.id, "Minimal", "again-1", change=True)])
    assert answers(room.project)["answer"].tolist() == ["Minimal"]
    events = log(room.project)
    votes = events[events["kind"].isin(["vote", "change"])]
    assert votes["kind"].tolist() == ["vote", "change"]
    assert votes["answer"].tolist() == ["Strong", "Minimal"]


def test_a_vote_and_its_change_in_one_batch(room, rater):
    """As a browser that was cut off sends them."""
    first = room.showings("r1")[0]
    sent = [vote(first.id), vote(first.id, "Average", "again-1", change=True)]
    assert submit(room.project, rater, sent) == ["stored", "stored"]
    assert answers(room.project)["answer"].tolist() == ["Average"]


def test_a_second_vote_that_is_no_change_is_stale(room, rater):
    """The rater went on in another browser: what was acknowledged there stands."""
    first = room.showings("r1")[0]
    submit(room.project, rater, [vote(first.id)])
    assert submit(room.project, rater, [vote(first.id, "Minimal", "other-tab")]) == ["stale"]
    assert answers(room.project)["answer"].tolist() == ["Strong"]


def test_a_change_of_another_answer_is_stale(room, rater):
    """What a browser has kept for long does not go over what the rater answered elsewhere since."""
    first, second = room.showings("r1")[:2]
    submit(room.project, rater, [vote(first.id, "None", "elsewhere")])
    kept = [
        vote(first.id, "Strong", "kept-1"),
        vote(first.id, "Minimal", "kept-2", change=True, was="Strong"),
        vote(second.id, "Strong", "kept-3"),
        vote(second.id, "Minimal", "kept-4", change=True, was="Strong"),
    ]
    assert submit(room.project, rater, kept) == ["stale", "stale", "stored", "stored"]
    assert answers(room.project)["answer"].tolist() == ["None", "Minimal"]
    again = vote(second.id, "Average", "again-1", change=True, was="Minimal")
    assert submit(room.project, rater, [again]) == ["stored"]


def test_another_raters_picture_is_refused_with_the_whole_batch(room, rater):
    """Neither the vote nor those beside it are stored."""
    own, foreign = room.showings("r1")[0], room.showings("r2")[0]
    with pytest.raises(UnknownShowing):
        submit(room.project, rater, [vote(own.id), vote(foreign.id)])
    assert answers(room.project).empty
    with pytest.raises(UnknownShowing):
        image_of(room.project, rater, foreign.id)


def test_a_closed_project_takes_no_new_vote_and_acknowledges_old_ones(room, rater):
    """What was stored before is still stored; opened again, the rest goes on."""
    first, second = room.showings("r1")[:2]
    submit(room.project, rater, [vote(first.id)])
    close(room.project)
    assert submit(room.project, rater, [vote(first.id)]) == ["stored"]
    with pytest.raises(Closed):
        submit(room.project, rater, [vote(second.id)])
    assert standing(room.project, rater).closed
    close(room.project, closed=False)
    assert submit(room.project, rater, [vote(second.id)]) == ["stored"]


def test_the_database_itself_refuses_a_second_vote(room, rater):
    """Whoever writes past the program meets the constraint."""
    first = room.showings("r1")[0]
    submit(room.project, rater, [vote(first.id)])
    twice = text(
        "INSERT INTO votes (showing_id, answer, seq) SELECT showing_id, 'Minimal', seq FROM votes"
    )
    again = text(
        "INSERT INTO showings (id, rater_id, position, image_id, repeat) "
        "SELECT 'other', rater_id, 999, image_id, repeat FROM showings WHERE id = :id"
    )
    for statement in (twice, again):
        with pytest.raises(StorageError), room.project.database.writing() as connection:
            connection.execute(statement, {"id": first.id} if statement is again else {})
    assert len(answers(room.project)) == 1


@pytest.mark.parametrize("change", ["UPDATE events SET answer = 'None'", "DELETE FROM events"])
def test_the_log_cannot_be_changed(room, rater, change):
    """Triggers of the database refuse it."""
    submit(room.project, rater, [vote(room.showings("r1")[0].id)])
    before = log(room.project)
    writing = room.project.database.writing
    with pytest.raises(StorageError, match="append-only"), writing() as connection:
        connection.execute(text(change))
    assert log(room.project).equals(before)


def test_two_browsers_at_the_same_time_store_each_id_once(room, rater):
    """The same batches from eight threads: every vote once, nothing fails."""
    sent = [vote(showing.id) for showing in room.showings("r1")]
    failures = []

    def send(turn):
        try:
            for one in sent[turn:] + sent[:turn]:
                assert submit(room.project, rater, [one]) == ["stored"]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(answers(room.project)) == len(sent)
    assert (log(room.project)["kind"] == "vote").sum() == len(sent)


def test_a_clock_that_jumps_back_does_not_change_the_order(room, rater):
    """Order is by sequence: a year back, a year forward, and the votes stay as they were given."""
    moments = iter((1.7e9, 1.7e9 - 3e7, 1.7e9 + 3e7, 0.0))
    jumpy = replace(room.project, clock=lambda: next(moments))
    shown = room.showings("r1")[:3]
    for showing in shown:
        submit(jumpy, rater, [vote(showing.id)])
    submit(jumpy, rater, [vote(shown[1].id, "Minimal", "later", change=True)])
    events = log(room.project)
    given = events[events["kind"].isin(["vote", "change"])]
    assert given["kind"].tolist() == ["vote"] * 3 + ["change"]
    assert not given["at"].is_monotonic_increasing
    assert given["seq"].is_monotonic_increasing
    assert answers(room.project)["answer"].tolist() == ["Strong", "Strong", "Minimal"]


def test_showings_come_in_pages_with_own_answers_only(room, rater):
    """A rater's pages hold that rater's answers and nobody else's."""
    room.vote_all("r2", lambda showing: "Minimal")
    first = showings(room.project, rater, 0, 5)
    rest = showings(room.project, rater, 5, 100)
    assert [row.position for row in (*first, *rest)] == list(range(13))  # one comes twice
    assert {row.answer for row in (*first, *rest)} == {None}


@pytest.mark.parametrize(
    ("times", "fate"),
    [
        ({"reaction_ms": 250}, "stored"),
        ({"reaction_ms": 249}, "fast"),
        ({"reaction_ms": 0}, "fast"),
        ({"reaction_ms": 700, "served_ms": 249}, "fast"),  # it claims more than can be
        ({"reaction_ms": 250, "served_ms": 250}, "stored"),
    ],
    ids=str,
)
def test_a_vote_within_the_shortest_viewing_time_is_not_stored(room, rater, times, fate):
    """It was meant for the face before; the others of its batch are stored, with that time."""
    first, second = room.showings("r1")[:2]
    hasty = Vote("hasty-vote", first.id, "Strong", **{"hidden_ms": 5000} | times)
    assert submit(room.project, rater, [hasty, vote(second.id)]) == [fate, "stored"]
    stored = answers(room.project)
    assert stored["shortest_ms"].tolist() == [250] * len(stored)
    assert len(stored) == (2 if fate == "stored" else 1)
    # Answered again in time, it is stored.
    assert submit(room.project, rater, [vote(first.id)]) == [
        "stored" if fate == "fast" else "stale"
    ]
    assert log(room.project).query("kind == 'vote'")["shortest_ms"].tolist() == [250, 250]


def test_a_hasty_change_is_not_stored(room, rater):
    """Back, and a double click: the answer that was there stays."""
    first = room.showings("r1")[0]
    submit(room.project, rater, [vote(first.id)])
    hasty = Vote("hasty-vote", first.id, "Minimal", 100, 0, change=True)
    assert submit(room.project, rater, [hasty]) == ["fast"]
    assert answers(room.project)["answer"].tolist() == ["Strong"]


def test_the_project_says_how_long_a_face_has_to_be_seen(make_room):
    """Another shortest time, and none."""
    for name, shortest, fate in (("long", 1000, "fast"), ("none", 0, "stored")):
        room = make_room(name=name, shortest_ms=shortest)
        first = room.showings("r1")[0]
        assert submit(room.project, room.raters["r1"], [vote(first.id)]) == [fate]
    assert answers(room.project)["shortest_ms"].tolist() == [0]
