"""Evidence: what is taken from a map, the regions, and thirds that ask nobody."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank import faces
from emorank.errors import RelevanceError, StudyError
from emorank.ranking.evidence import ANY, cuts, levels
from emorank.ranking.features import FEATURES, relevance_features
from emorank.ranking.regions import MOVED, REGIONS, coverage
from emorank.vocabulary import Emotion

NET, MASS, BALANCE = range(3)


def maps(seed, batch=3):
    return np.random.default_rng(seed).normal(0.2, 1, (batch, 3, 10, 10))


def test_features_by_hand():
    """Two places for, one against; a place sums its channels, the balance counts all."""
    map_ = np.zeros((1, 2, 2, 2))
    map_[0, :, 0, 0] = 3, 1
    map_[0, :, 0, 1] = 2, -1
    map_[0, :, 1, 1] = -4, 1
    net, mass, balance = relevance_features(map_)[0, :3]
    assert (net, mass) == (2, 5)
    assert balance == pytest.approx(2 / 12)


@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_a_greater_map_has_more_mass_and_the_same_shares(seed, factor):
    """Net and mass are in units of the logit, the rest has none."""
    one, two = relevance_features(maps(seed)), relevance_features(maps(seed) * factor)
    np.testing.assert_allclose(two[:, :2], one[:, :2] * factor, rtol=1e-9)
    np.testing.assert_allclose(two[:, 2:], one[:, 2:], rtol=1e-9)
    assert (np.abs(one[:, BALANCE]) <= 1).all()
    assert (one[:, MASS] >= one[:, NET] - 1e-9).all()


def test_a_map_of_nothing_has_nothing():
    """No relevance, no share: zero, and no warning."""
    assert not relevance_features(np.zeros((1, 3, 8, 8))).any()
    with pytest.raises(RelevanceError, match="finite"):
        relevance_features(np.full((1, 3, 8, 8), np.nan))


@pytest.mark.parametrize("side", [7, 224])
def test_regions_cover_their_boxes(side):
    """As much of the grid as the box has of the picture, on any grid."""
    found = coverage(side, side)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-9
    for region, (left, top, right, bottom) in zip(found, REGIONS.values(), strict=True):
        assert region.mean() == pytest.approx((right - left) * (bottom - top))


def test_landmarks_lie_in_their_regions():
    """Eyes, nose tip and corners of the mouth of the one crop."""
    for name, points in {"eyes": (0, 1), "nose": (2,), "mouth": (3, 4)}.items():
        left, top, right, bottom = REGIONS[name]
        for x, y in faces.TEMPLATE[list(points)]:
            assert left < x < right
            assert top < y < bottom


def test_every_emotion_moves_regions_that_there_are():
    """Neutral moves none."""
    assert set(MOVED) == set(Emotion) - {Emotion.NEUTRAL}
    assert {part for parts in MOVED.values() for part in parts} <= set(REGIONS) <= set(FEATURES)


def test_thirds_within_the_emotion():
    """Nine faces of an emotion have thirds of their own; the others take those of all."""
    score = np.concatenate([np.arange(9.0), np.arange(100.0, 103)])
    emotion = ["happy"] * 9 + ["fear"] * 3
    found = cuts(score, emotion)
    assert set(found) == {ANY, "happy"}
    of_happy = levels(np.arange(9.0), ["happy"] * 9, found)
    assert of_happy.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert levels(np.array([1.0, 101.0]), ["fear", "fear"], found).tolist() == [1, 3]


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=40))
def test_stronger_evidence_is_never_a_lower_level(scores):
    """Whatever the cuts."""
    found = cuts(np.array(scores), ["anger"] * len(scores))
    assert (np.diff(levels(np.sort(scores), ["anger"] * len(scores), found)) >= 0).all()


def test_neutral_is_none_and_few_faces_are_refused():
    """There is no expression to be strong where none is named."""
    found = cuts(np.arange(3.0), ["anger"] * 3)
    assert levels(np.array([99.0]), ["neutral"], found).tolist() == [0]
    with pytest.raises(StudyError, match="at least 3 faces"):
        cuts(np.arange(2.0), ["anger"] * 2)
