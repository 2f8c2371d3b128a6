"""Raters' showings in overlap designs and pairs, as they are stored."""

from collections import Counter

import pytest
from sqlalchemy import select
from tests.rooms import declare, images

from emorank.answers.scales import Scale, scale_of
from emorank.errors import RatingError
from emorank.room.design import Design, check_design, read_design, stronger
from emorank.room.enrolment import add_raters
from emorank.room.overview import log, progress
from emorank.room.schema import IMAGES, PAIRS, SHOWINGS
from emorank.room.store import NotOnScale


def shown(room):
    """The rows of `showings` with the units' names."""
    query = select(SHOWINGS, IMAGES.c.name).join(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
    with room.project.database.reading() as connection:
        return connection.execute(query).all()


def test_raters_rate_a_part_and_late_ones_what_is_short(make_room):
    """Twelve faces, six a rater; who comes later gets the faces of the one who did nothing."""
    design = Design(per_rater=6, per_unit=2)
    room = make_room(raters=["a", "b", "c", "d"], repeats=0, design=design)
    firsts = Counter(row.name for row in shown(room))
    assert set(firsts.values()) == {2}
    for name in "abc":
        room.vote_all(name)
    mine = {row.name for row in shown(room) if row.rater_id == room.raters["d"]}
    late = add_raters(room.project, ["e"])["e"]
    assert {row.name for row in shown(room) if row.rater_id == late} == mine
    # What the late rater owes counts as done, so the next one gets other faces.
    other = add_raters(room.project, ["f"])["f"]
    assert {row.name for row in shown(room) if row.rater_id == other} != mine
    assert [row.total for row in progress(room.project)] == [6] * 6
    assert log(room.project)["kind"].tolist()[-2:] == ["rater", "rater"]


def test_where_all_rate_all_a_late_rater_does_too(make_room):
    """With repeats as everybody."""
    room = make_room(count=30, raters=["a"], repeats=0.1)
    add_raters(room.project, ["b"])
    assert [row.total for row in progress(room.project)] == [33, 33]


def test_faces_for_each_alone_decide_how_many(make_room):
    """Two raters of three for each of ten faces: seven each, for late ones too."""
    room = make_room(count=10, raters=["a", "b", "c"], repeats=0, design=Design(per_unit=2))
    add_raters(room.project, ["d"])
    assert [row.total for row in progress(room.project)] == [7] * 4


def test_pairs_change_sides(make_room):
    """Half of the raters see a face of a pair left; a repeat has it on the other side."""
    design = Design(scale_of("pairs", ties=True), pairs_per_face=4)
    room = make_room(count=20, raters=["a", "b"], repeats=0.2, design=design)
    with room.project.database.reading() as connection:
        pairs = connection.execute(select(PAIRS)).all()
        assert read_design(connection) == design
    assert len(pairs) == 40
    rows = shown(room)
    sides = {(row.rater_id, row.image_id, row.repeat): row.swapped for row in rows}
    a, b = room.raters["a"], room.raters["b"]
    for pair in pairs:
        assert sides[a, pair.image_id, 0] + sides[b, pair.image_id, 0] == 1
    again = [key for key in sides if key[2]]
    assert len(again) == 16
    assert all(sides[key] != sides[key[0], key[1], 0] for key in again)
    first = next(row for row in rows if row.rater_id == a)
    room.vote("a", {first.id: "Tie"})
    with pytest.raises(NotOnScale):
        room.vote("b", {room.showings("b")[0].id: "Strong"})


def test_who_was_stronger():
    """The side and the order of the faces decide together."""
    assert [stronger("Left", False), stronger("Left", True)] == ["first", "second"]
    assert [stronger("Right", False), stronger("Right", True)] == ["second", "first"]
    assert stronger("Tie", True) is None


@pytest.mark.parametrize(
    ("design", "says"),
    [
        (Design(per_rater=0), "0 units for each rater"),
        (Design(per_unit=0), "0 raters for each unit"),
        (Design(pairs_per_face=2), "need the scale 'pairs'"),
        (Design(Scale("pairs"), pairs_per_face=0), "0 pairs for each face"),
        (Design(keep_days=0), "0 days"),
        (Design(keep_days=36_501), "36501 days"),
    ],
)
def test_impossible_designs_are_refused(design, says):
    """One by one."""
    with pytest.raises(RatingError, match=says):
        check_design(design)


def test_an_impossible_overlap_leaves_no_trace(make_room, tmp_path):
    """The folder is not made."""
    with pytest.raises(RatingError, match="give 4 answers, but 12 faces"):
        make_room(design=Design(per_rater=2))
    assert list(tmp_path.glob("*room*")) == []
    assert len(images(12)) == 12


@pytest.mark.parametrize("database", [None])
def test_who_may_come_by_an_open_link_counts(make_room, tmp_path):
    """Two pilots and ten strangers cover what the pilots alone could not; nine do not."""
    design = Design(per_rater=2, per_unit=2)
    link = "[open_link]\nmost = {0}"
    with pytest.raises(RatingError, match="11 raters with 2 faces each give 22 answers"):
        make_room(declared=declare(tmp_path, link.format(9)), design=design)
    room = make_room(declared=declare(tmp_path, link.format(10)), design=design, repeats=0)
    assert [len(room.showings(name)) for name in room.raters] == [2, 2]
