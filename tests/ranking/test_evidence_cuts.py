"""Evidence cut into thirds within the emotion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.errors import StudyError
from emorank.ranking.evidence import ANY, LEAST, cuts, levels

SCORES = st.lists(st.integers(-1000, 1000), min_size=9, max_size=60, unique=True)


@given(SCORES)
def test_each_level_has_a_third_of_the_faces(values):
    """Of the faces that were cut, give or take one."""
    score, emotion = np.array(values) / 1000, ["happy"] * len(values)
    counts = np.bincount(levels(score, emotion, cuts(score, emotion)), minlength=4)
    assert counts[0] == 0
    assert np.abs(counts[1:] - len(values) / 3).max() <= 1


def test_thirds_are_within_the_emotion_where_it_has_faces_enough():
    """A score is Strong for one emotion and Minimal for another; a rare one goes with all."""
    score = np.concatenate([np.linspace(0, 1, LEAST), np.linspace(10, 11, LEAST), [5, 6]])
    emotion = ["fear"] * LEAST + ["happy"] * LEAST + ["anger"] * 2
    found = cuts(score, emotion)
    assert set(found) == {ANY, "fear", "happy"}
    assert found["fear"] == pytest.approx((1 / 3, 2 / 3))
    assert found["happy"] == pytest.approx((10 + 1 / 3, 10 + 2 / 3))
    assert found[ANY] == pytest.approx(tuple(np.quantile(score, [1 / 3, 2 / 3])))
    given_ = levels(np.array([2.0, 2.0, 2.0]), ["fear", "happy", "anger"], found)
    assert given_.tolist() == [3, 1, 2]


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_more_evidence_is_never_a_lower_level(one, other):
    """Within an emotion."""
    cut = {ANY: (-0.2, 0.4)}
    low, high = sorted([one, other])
    found = levels(np.array([low, high]), ["fear", "fear"], cut)
    assert found[0] <= found[1]


def test_a_face_that_is_called_neutral_expresses_nothing():
    """Whatever its score; a score on a cut is above it."""
    found = levels(np.array([9.0, 0.4, 0.39]), ["neutral", "fear", "fear"], {ANY: (-0.2, 0.4)})
    assert found.tolist() == [0, 3, 2]
    assert levels(np.array([]), [], {ANY: (0.0, 1.0)}).tolist() == []


@pytest.mark.parametrize("count", [0, 2])
def test_two_faces_have_no_thirds(count):
    """What was expected and what came."""
    with pytest.raises(StudyError, match=f"at least 3 faces .* got {count}"):
        cuts(np.zeros(count), ["fear"] * count)


def test_three_faces_have_thirds():
    """One face each."""
    score = np.array([0.0, 1.0, 2.0])
    assert levels(score, ["fear"] * 3, cuts(score, ["fear"] * 3)).tolist() == [1, 2, 3]
