"""Which pairs are compared."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.errors import RatingError
from emorank.room.pairing import PAIRS_PER_FACE, choose_pairs


@given(st.integers(2, 24), st.integers(2, 9), st.integers(1, 23), st.integers(0, 99))
def test_each_face_in_enough_pairs_and_all_linked(size, other, per_face, seed):
    """No pair twice, none across emotions, each face `per_face` times or once more, one graph."""
    emotions = ["happy"] * size + ["fear"] * other
    per_face = min(per_face, size - 1, other - 1)
    pairs = choose_pairs(emotions, per_face, np.random.default_rng(seed))
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(a != b and emotions[a] == emotions[b] for a, b in pairs)
    counts = Counter(chain(*pairs))
    assert all(per_face <= counts[face] <= per_face + 1 for face in range(size + other))
    linked = {0}
    for _ in range(size):
        linked |= {face for pair in pairs if linked & set(pair) for face in pair}
    assert len(linked) == size


def test_as_many_as_there_are_by_default():
    """Six pairs a face, or all pairs of a small emotion."""
    pairs = choose_pairs(["happy"] * 20 + ["fear"] * 4, None, np.random.default_rng(0))
    counts = Counter(chain(*pairs))
    assert {counts[face] for face in range(20)} == {PAIRS_PER_FACE}
    assert {counts[face] for face in range(20, 24)} == {3}


@pytest.mark.parametrize(
    ("emotions", "per_face", "says"),
    [
        (["happy", "fear", "fear"], None, "one face of happy"),
        (["fear"] * 4, 4, "4 pairs for each face, but fear has 4 faces, so each can be in 1 to 3"),
        (["fear"] * 4, 0, "0 pairs for each face"),
    ],
)
def test_impossible_pairs_are_refused(emotions, per_face, says):
    """With the arithmetic."""
    with pytest.raises(RatingError, match=says):
        choose_pairs(emotions, per_face, np.random.default_rng(0))
