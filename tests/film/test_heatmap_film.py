"""Heatmaps over the faces of a film: calm for the eye, and few frames at once in memory."""

import numpy as np
import pandas as pd
import pytest

from emorank.faces import TEMPLATE
from emorank.film import heatmap_film
from emorank.film.decoder import Frame
from emorank.film.heatmap_film import over_face
from emorank.film.marks import marks_of


def test_over_face_turns_with_the_face():
    """Relevance in the left upper quarter of the crop lies there in a turned picture."""
    plane = np.zeros((64, 64))
    plane[:20, :20] = 1.0
    upright = 50 + 100 * TEMPLATE
    turned = np.column_stack([200 - upright[:, 1], upright[:, 0]])  # a quarter, clockwise
    picture = np.full((200, 200, 3), (200, 150, 100), np.uint8)
    for points, (y, x) in ((upright, (60, 60)), (turned, (60, 140))):
        result = over_face(picture, points.astype(np.float32), plane, 1.0).astype(int)
        assert result[y, x, 0] - result[y, x, 1] > 60  # red
        assert np.ptp(result[120, 100]) == 0  # grey
        assert result[30, 30].tolist() == [200, 150, 100]


def test_a_face_beyond_the_border_leaves_the_picture_alone():
    picture = np.zeros((50, 50, 3), np.uint8)
    far = (500 + 100 * TEMPLATE).astype(np.float32)
    assert over_face(picture, far, np.ones((8, 8)), 1.0) is picture


def test_heatmaps_are_averaged_until_the_face_goes_or_expresses_something_else():
    average = heatmap_film._Average()
    average.add(0.0, "happy", np.full((2, 2), 4.0))
    average.add(heatmap_film.CALMER, "happy", np.full((2, 2), 0.0))
    np.testing.assert_allclose(average.plane, 4 / np.e)
    assert 4 / np.e < average.full < 4  # the scale changes more slowly
    average.add(0.2, "fear", np.full((2, 2), 7.0))
    np.testing.assert_array_equal(average.plane, 7.0)
    average.add(5.0, "fear", np.full((2, 2), 1.0))
    np.testing.assert_array_equal(average.plane, 1.0)


@pytest.mark.parametrize(("held", "most"), [(200_000_000, 8), (2 * 30_000, 2)])
def test_few_frames_wait_for_a_batch(monkeypatch, held, most):
    """A batch of faces, or as many frames as memory is meant to hold; broken ones are left out."""
    monkeypatch.setattr(heatmap_film, "_HELD", held)
    picture = np.zeros((100, 100, 3), np.uint8)
    frames = [Frame(k, k / 25, None if k == 3 else picture) for k in range(40)]
    rows = pd.DataFrame({"frame": range(0, 40, 2), "track": 1})
    parts = list(heatmap_film._parts(iter(frames), marks_of(rows, 2), 4))
    assert [frame.number for part in parts for frame in part] == [k for k in range(40) if k != 3]
    assert max(map(len, parts)) == most
    nobody = marks_of(rows[:0], 2)
    assert max(map(len, heatmap_film._parts(iter(frames), nobody, 4))) <= 16
