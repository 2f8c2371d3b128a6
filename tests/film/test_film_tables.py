"""Records of frames become tables that have their columns whatever the film shows."""

import base64

import numpy as np
import pytest

from emorank.film.events import COLUMNS
from emorank.film.look import POINTS
from emorank.film.measure import packed, unpacked
from emorank.film.tables import tables_of

BOX = {"box_left": 0.0, "box_top": 0.0, "box_right": 9.0, "box_bottom": 9.0}
FACE = {
    "image": "a.mp4", "face": 1, **BOX, "predicted": "happy", "p_happy": 0.9, "p_anger": 0.1,
    "rank": None, "abstained": True, "score": 1.0,
}  # fmt: skip
COLUMN_ROW = FACE | dict.fromkeys((*POINTS, "size", "blur"), 0.0)


def record(frame: int, faces: int, **more):
    """A frame whose faces are all alike."""
    thumbnail = base64.b64encode(np.full(192, 9, np.uint8).tobytes()).decode()
    looks = packed(np.ones(128, np.float32))
    about = {"frame": frame, "time": frame / 25, "image": "a.mp4", "thumbnail": thumbnail}
    return about | {"faces": [{"row": COLUMN_ROW, "person": looks}] * faces} | more


def test_a_film_without_a_face_has_the_same_columns():
    empty = tables_of("a", [record(0, 0), record(1, 0)], COLUMN_ROW, 1.0).frames
    full = tables_of("a", [record(0, 1), record(1, 0)], COLUMN_ROW, 1.0).frames
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert empty["track"].isna().all()
    assert full["track"].isna().to_list() == [False, True]


def test_a_network_that_does_not_know_neutral_has_no_curves_and_no_events():
    made = tables_of("a", [record(0, 1)], COLUMN_ROW, 1.0)
    assert not [name for name in made.frames if name.startswith("smooth")]
    assert made.events.empty
    assert tuple(made.events.columns) == COLUMNS


def test_a_frame_that_cannot_be_used_is_named_and_has_no_row():
    records = [record(0, 1), {"frame": 1, "time": 0.04, "image": "a.mp4", "reason": "torn"}]
    made = tables_of("a", [*records, record(2, 1), {"end": 3}], COLUMN_ROW, 1.0)
    assert made.frames["frame"].to_list() == [0, 2]
    assert made.broken == [{"frame": 1, "time": 0.04, "reason": "torn"}]


def test_nothing_at_all():
    made = tables_of("a", [], COLUMN_ROW, 1.0)
    assert made.frames.empty
    assert "track" in made.frames


def test_looks_are_kept_to_half_precision():
    looks = np.random.default_rng(0).normal(0, 0.2, 128).astype(np.float32)
    assert unpacked(packed(looks)) == pytest.approx(looks, abs=1e-3)
