"""How far scores move when pictures change."""

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.laboratory import stability
from emorank.evaluation.statistics.columns import Options

FEW = Options(resamples=50)
PERSONS = list("aabbccdd")


def test_shift_is_the_mean_distance_in_spreads():
    """The shift in standard deviations, and the share of changed levels with lost and new ones."""
    before = np.arange(8.0)
    after = before + np.array([0.5, -0.5, 1, 0, 0, 0, 0, 2])
    levels = pd.Series([1, 1, 2, 2, 3, 3, pd.NA, pd.NA], dtype="Int64")
    new = pd.Series([1, 2, 2, 2, 3, pd.NA, pd.NA, 1], dtype="Int64")
    spread = stability.spread_of(before)
    assert spread == pytest.approx(before.std())
    found = stability.change((before, levels), (after, new), spread, PERSONS, FEW)
    assert found.shift.value == pytest.approx(0.5 / before.std())
    assert found.moved.value == pytest.approx(3 / 7)
    assert found.shift.low <= found.shift.value <= found.shift.high


def test_nothing_moves_where_nothing_changes():
    """Equal scores have a shift of 0 with an interval of 0."""
    before = np.arange(8.0)
    found = stability.change((before, [1] * 8), (before, [1] * 8), 1.0, PERSONS, FEW)
    assert (found.shift.value, found.shift.high, found.moved.value) == (0, 0, 0)


def test_independent_scores_are_as_far_apart_as_the_docstring_says():
    """They are 2/sqrt(pi) standard deviations apart."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20000))
    none = [pd.NA] * len(a)
    found = stability.change((a, none), (b, none), stability.spread_of(a), None, FEW)
    assert found.shift.value == pytest.approx(1.13, abs=0.02)
    assert found.moved.value is None
    assert found.moved.reason == "no face has a level"


def test_a_constant_has_no_spread_to_measure_in():
    """The shift is None, and the reason says why."""
    same = np.ones(8)
    found = stability.change((same, [2] * 8), (same, [2] * 8), 0.0, PERSONS, FEW)
    assert found.shift.value is None
    assert "same for every face" in found.shift.reason
    assert found.moved.value == 0


def test_scores_that_are_missing_are_not_compared():
    """A face without a score before or after the change is left out."""
    found = stability.change(
        ([np.nan, 1.0, 2.0], [pd.NA] * 3), ([1.0, np.nan, 2.5], [pd.NA] * 3), 1.0, None, FEW
    )
    assert found.count == 1
    assert found.shift.value == 0.5
    empty = stability.change(([np.nan], [pd.NA]), ([1.0], [pd.NA]), 1.0, None, FEW)
    assert empty.shift.value is None
    assert "before and after" in empty.shift.reason
    assert stability.spread_of([np.nan]) == 0
