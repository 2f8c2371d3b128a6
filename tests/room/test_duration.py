"""The length that raters are told."""

from dataclasses import replace

import msgspec
import pytest

from emorank.room.duration import minutes, minutes_taken
from emorank.room.protocol import Protocol
from emorank.room.store import Vote, submit

FACE = {"image": "a", "emotion": "happy", "level": "Strong"}


@pytest.mark.parametrize(
    ("declared", "faces", "expected"),
    [
        ({}, 15, 1),
        ({}, 16, 2),
        ({"seconds_per_face": 2}, 30, 1),
        ({"exposure": {"face_ms": 200, "mask_ms": 300}}, 120, 10),
        ({"practice": {"faces": [FACE] * 30}}, 60, 5),
        ({"practice": {"faces": [FACE] * 30, "feedback": False}}, 60, 4),
        ({"examples": [FACE] * 20}, 15, 2),
        ({"breaks": {"every": 30}}, 120, 9),  # three: none after the last face
        ({"demographics": [{"key": f"q{n}", "kind": "text"} for n in range(6)]}, 15, 2),
    ],
)
def test_all_that_takes_time_counts(declared, faces, expected):
    """Each part beside the faces: 15 of these make a minute unless the study says otherwise."""
    assert minutes(msgspec.convert(declared, Protocol), faces) == expected


def test_reading_counts():
    """A Chinese character says more than a letter."""
    assert minutes(Protocol(), 15, "a" * 3000) == 4
    assert minutes(Protocol(), 15, "脸" * 500) == 3


def test_how_long_it_took(make_room):
    """The median of those who are done; no pause, no clock that was set back, no import."""
    room = make_room(count=4, raters=("r1", "r2", "r3"), repeats=0, shortest_ms=0)
    assert minutes_taken(room.project) is None
    clock = iter((1000, 1030, 1060, 9000, 9020, 8000, 8010, 8040, 8090, 8100))

    def later():
        return next(clock)

    timed = replace(room.project, clock=later)
    for name, count in (("r1", 4), ("r2", 4), ("r3", 2)):
        for showing in room.showings(name)[:count]:
            submit(timed, room.raters[name], [Vote(f"v-{showing.id}", showing.id, "Strong", 900)])
    # r1: 30 + 30 s, then away; r2: the clock set back, then 10 + 30 s.
    assert minutes_taken(room.project) == (2, pytest.approx(50 / 60))
