"""The length that raters are told."""

import msgspec
import pytest

from emorank.room.duration import minutes
from emorank.room.protocol import Protocol

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
