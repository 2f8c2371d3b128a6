"""Scores along sequences: the smooth curve against dense algebra, and a person's neutral level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.ranking.temporal import LOW, own_neutral, smooth

TIMES = st.lists(st.integers(0, 60), min_size=3, max_size=25, unique=True)


def dense(score, time, period):
    """The normal equations, written out: second derivatives by the divided differences."""
    n, h = len(time), np.median(np.diff(time))
    rows = np.zeros((n - 2, n))
    for k in range(n - 2):
        a, b = (time[k + 1] - time[k]) / h, (time[k + 2] - time[k + 1]) / h
        second = 2 * np.array([1 / (a * (a + b)), -1 / (a * b), 1 / (b * (a + b))])
        rows[k, k : k + 3] = second * np.sqrt((a + b) / 2)
    known = np.isfinite(score)
    system = np.diag(known.astype(float)) + (period / h / (2 * np.pi)) ** 4 * rows.T @ rows
    return np.linalg.solve(system, np.where(known, score, 0))


@given(TIMES, st.floats(0.5, 20), st.integers(0, 1000))
def test_the_curve_is_that_of_the_normal_equations(times, period, seed):
    """At irregular times in any order, with gaps."""
    rng = np.random.default_rng(seed)
    time, score = np.array(times, float), rng.normal(0, 3, len(times))
    score[rng.permutation(len(score))[: len(score) - 2 - len(score) // 2]] = np.nan
    order = np.argsort(time)
    curve = smooth(score, time, period)
    expected = dense(score[order], time[order], period)
    np.testing.assert_allclose(curve[order], expected, rtol=1e-5, atol=1e-5)


@given(TIMES, st.floats(-3, 3), st.floats(-9, 9))
def test_a_straight_rise_stays_as_it_is_and_gaps_are_drawn_through(times, slope, start):
    """Also beyond the last score."""
    time = np.array(times, float)
    score = start + slope * time
    measured = score.copy()
    measured[2:-1:2] = np.nan
    np.testing.assert_allclose(smooth(measured, time), score, atol=1e-6)


def test_swings_of_the_period_are_halved():
    """And the more, the shorter they are; the unit of time does not matter."""
    time = np.arange(2000.0)
    for period, gain in ((40, 0.5), (80, 1 / (1 + 2**-4)), (20, 1 / 17)):
        wave = np.sin(2 * np.pi * time / period)
        for unit in (1.0, 0.04):
            curve = smooth(wave, time * unit, 40 * unit)
            middle = curve[500:1500]
            assert abs(middle).max() == pytest.approx(gain, rel=0.03)


def test_few_scores_come_back_as_they_are():
    """One score tells of no curve; two frames are a straight line."""
    np.testing.assert_array_equal(smooth(np.array([1.0, np.nan, np.nan]), np.arange(3.0)),
                                  [1, np.nan, np.nan])  # fmt: skip
    np.testing.assert_array_equal(smooth(np.array([1.0, 5.0]), np.arange(2.0)), [1, 5])
    assert smooth(np.array([]), np.array([])).shape == (0,)


@pytest.mark.parametrize("time", [[0, 1, 1], [0, 1, np.nan], [0, 1, np.inf]])
def test_times_that_are_none_are_refused(time):
    """Two frames cannot be at one time."""
    with pytest.raises(ValueError, match="finite time"):
        smooth(np.zeros(3), np.array(time, float))


@pytest.mark.parametrize("period", [0.0, -1.0, np.nan])
def test_periods_that_are_none_are_refused(period):
    """Nothing is shorter than nothing."""
    with pytest.raises(ValueError, match="positive"):
        smooth(np.zeros(3), np.arange(3.0), period)


def test_the_neutral_level_is_of_known_neutral_frames_or_else_of_the_lowest():
    """Frames without a score count for nothing."""
    score = np.array([5.0, -1.0, 0.0, 1.0, 8.0, np.nan])
    calm = np.array([False, True, True, True, False, True])
    assert own_neutral(score, calm) == 0
    assert own_neutral(score, ~calm) == 6.5
    lowest = np.quantile(score[:5], LOW)
    assert own_neutral(score) == own_neutral(score, np.zeros(6, bool)) == lowest
    assert np.isnan(own_neutral(np.full(2, np.nan)))
