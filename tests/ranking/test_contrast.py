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


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_the_temperature_of_logits_that_are_too_hot_is_found(true):
    """Labels drawn from the probabilities at a known temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2.5, (4000, 5)) * true
    chances = np.exp(logits / true)
    chances /= chances.sum(1, keepdims=True)
    label = np.array([rng.choice(5, p=p) for p in chances])
    assert temperature(logits, label) == pytest.approx(true, rel=0.1)


def test_the_temperature_is_1_where_nothing_can_be_told():
    """No faces, or none named wrongly: then any small temperature would do."""
    assert temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) == 1.0
    assert temperature(np.eye(3) * 9, np.arange(3)) == 1.0
