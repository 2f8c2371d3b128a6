"""What is taken from maps of relevance, against sums written out, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorank.errors import RelevanceError
from emorank.ranking.relevance_features import (
    FEATURES,
    MOVED,
    REGIONS,
    coverage,
    region_shares,
    relevance_features,
)
from emorank.vocabulary import Emotion

MAPS = arrays(np.float64, (2, 3, 7, 7), elements=st.integers(-50, 50).map(lambda n: n / 10))
NAMES = list(FEATURES)


def test_each_feature_written_out():
    """One map of two channels, cell by cell."""
    maps = np.random.default_rng(0).normal(size=(1, 2, 50, 50))
    found = dict(zip(NAMES, relevance_features(maps)[0], strict=True))
    places = maps[0].sum(0)
    assert found["net"] == pytest.approx(maps.sum())
    assert found["mass"] == pytest.approx(places[places > 0].sum())
    assert found["balance"] == pytest.approx(maps.sum() / np.abs(maps).sum())
    for name, (left, top, right, bottom) in REGIONS.items():  # the edges are fiftieths
        inside = places[round(50 * top) : round(50 * bottom), round(50 * left) : round(50 * right)]
        assert found[name] == pytest.approx(inside[inside > 0].sum() / found["mass"])


@given(MAPS, st.floats(0.01, 100))
def test_a_scaled_map_scales_what_has_a_unit(maps, factor):
    """Net and mass; balance and shares stay, and stay in their ranges."""
    one, other = relevance_features(maps), relevance_features(factor * maps)
    np.testing.assert_allclose(other[:, :2], factor * one[:, :2], atol=1e-9)
    np.testing.assert_allclose(other[:, 2:], one[:, 2:], atol=1e-9)
    assert (np.abs(one[:, 2]) <= 1 + 1e-12).all()
    assert ((one[:, 3:] >= 0) & (one[:, 3:] <= 1 + 1e-12)).all()


@given(MAPS)
def test_a_map_turned_to_its_opposite(maps):
    """What spoke for it speaks against it: net and balance change sign."""
    one, other = relevance_features(maps), relevance_features(-maps)
    np.testing.assert_allclose(other[:, [0, 2]], -one[:, [0, 2]], atol=1e-9)


def test_an_empty_map_has_nothing_to_share_out():
    """Zeros, and no NaN."""
    assert (relevance_features(np.zeros((1, 3, 7, 7))) == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_relevance_that_is_not_finite_is_refused(value):
    """With what to do."""
    maps = np.zeros((1, 3, 7, 7))
    maps[0, 0, 3, 3] = value
    with pytest.raises(RelevanceError, match="explain in float64"):
        relevance_features(maps)


@given(st.integers(1, 60), st.integers(1, 60))
def test_regions_cover_their_area_of_any_grid(height, width):
    """Each cell between not and wholly; all together the area of the box."""
    covered = coverage(height, width)
    assert covered.shape == (len(REGIONS), height, width)
    assert ((covered >= 0) & (covered <= 1)).all()
    for cells, (left, top, right, bottom) in zip(covered, REGIONS.values(), strict=True):
        assert cells.mean() == pytest.approx((right - left) * (bottom - top))


def test_regions_lie_in_the_picture_and_in_the_order_of_a_face():
    """Left of right, above below; symmetric; brows over eyes over mouth, which do not meet."""
    for left, top, right, bottom in REGIONS.values():
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert left + right == pytest.approx(1)
    assert REGIONS["brows"][1] < REGIONS["eyes"][1] < REGIONS["nose"][1] < REGIONS["mouth"][1]
    assert REGIONS["eyes"][3] <= REGIONS["mouth"][1]
    assert REGIONS["nose"][3] <= REGIONS["mouth"][1]


def test_every_expression_moves_some_region():
    """And neutral none."""
    assert set(MOVED) == set(Emotion) - {Emotion.NEUTRAL}
    assert all(set(moved) <= set(REGIONS) and moved for moved in MOVED.values())


def test_shares_of_regions_of_a_wider_frame():
    """The usual crop lies in the middle of a wider frame, and so do its regions."""
    crop = np.zeros((3, 50, 50))
    crop[:, 5, 25] = 1.0  # between the brows
    wide = np.pad(crop, ((0, 0), (25, 25), (25, 25)))
    for shares in (region_shares(crop), region_shares(wide, 2.0)):
        assert shares == pytest.approx({"brows": 1, "eyes": 0, "nose": 0, "mouth": 0})
    assert region_shares(wide)["brows"] == 0.0
    assert set(region_shares(-crop).values()) == {0.0}
