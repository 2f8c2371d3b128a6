"""The contrast to neutral: levels by probability, and the temperature that fits a network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from emorank.ranking.contrast import CUTS, THRESHOLDS, levels, temperature


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=20))
def test_levels_count_the_cuts_that_the_probability_reaches(values):
    """One by one, as probabilities."""
    expected = [sum(expit(value) >= cut for cut in CUTS) for value in values]
    near = [min(abs(value - edge) for edge in THRESHOLDS) for value in values]
    found = levels(np.array(values))
    assert [a for a, d in zip(found, near, strict=True) if d > 1e-9] == [
        a for a, d in zip(expected, near, strict=True) if d > 1e-9
    ]


def test_none_is_where_neutral_is_more_probable():
    """And each level starts at its cut."""
    edges = np.array(THRESHOLDS)
    assert THRESHOLDS[0] == 0
    assert levels(edges).tolist() == [1, 2, 3]
    assert levels(edges - 1e-6).tolist() == [0, 1, 2]


@given(
    st.floats(-40, 0), st.floats(0.1, 60), st.lists(st.floats(-50, 50), max_size=4), st.floats(1, 5)
)
def test_strong_begins_three_quarters_of_the_way(low, high, others, spread):
    """From the median of neutral faces to that of full expressions, within its limits."""
    neutral = np.array([low - spread, low, low + spread])
    full = np.array([high - spread, high, high + spread])
    found = temperature(neutral, full)
    strong = found * THRESHOLDS[-1]
    assert strong <= high + 1e-9
    if THRESHOLDS[-1] < low / 4 + high * 3 / 4 < high:
        assert strong == pytest.approx(low / 4 + high * 3 / 4)
    else:
        assert strong == pytest.approx(min(THRESHOLDS[-1], high))
    outliers = [1e6] * len(others)
    middle = temperature(np.r_[neutral, outliers, [-v for v in outliers]], full)
    assert middle == pytest.approx(found)


def test_the_temperature_is_1_where_nothing_can_be_told():
    """Without faces of one kind, or where full expressions are called neutral."""
    some = np.array([5.0, 9.0])
    assert temperature(np.zeros(0), some) == temperature(-some, np.zeros(0)) == 1.0
    assert temperature(-some, -some / 9) == 1.0
