"""Krippendorff's alpha of numbers against the package krippendorff."""

import krippendorff
import numpy as np
import pytest
from numpy.testing import assert_allclose

from emorank.evaluation.raters.interval_alpha import interval_alpha


def alpha(values, image=None):
    image = np.arange(len(values)) if image is None else image
    return interval_alpha(values, image, np.random.default_rng(0), resamples=200)


def test_as_the_package_computes_it():
    """With missing ratings, units of one rating, and positions far from zero."""
    rng = np.random.default_rng(1)
    for missing, far in ((0.0, 0), (0.4, 0), (0.7, 1e6)):
        table = rng.normal(50, 20, (40, 1)) + rng.normal(0, 10, (40, 7))
        table = table.clip(0, 100).round() + far
        table[rng.random(table.shape) < missing] = np.nan
        theirs = krippendorff.alpha(reliability_data=table.T, level_of_measurement="interval")
        mine = alpha(table)
        assert_allclose(mine.value, theirs, rtol=1e-9)
        assert mine.low < mine.value < mine.high


def test_images_are_drawn_and_not_units():
    """A face that is rated for several emotions is drawn whole: the interval is wider."""
    rng = np.random.default_rng(2)
    table = np.repeat(rng.normal(50, 20, (10, 1)) + rng.normal(0, 15, (10, 5)), 6, axis=0)
    apart, together = alpha(table), alpha(table, np.repeat(np.arange(10), 6))
    assert together.value == apart.value
    assert together.high - together.low > apart.high - apart.low


@pytest.mark.parametrize("table", [np.full((3, 2), 5.0), np.eye(1, 3), np.full((4, 3), np.nan)])
def test_what_is_not_defined_has_a_reason(table):
    """No spread, one face, nothing at all."""
    found = alpha(table)
    assert found.value is None
    assert found.reason
