"""The sign-flip test against every pattern written out, and Holm against statsmodels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from emorank.evaluation.statistics import significance
from emorank.evaluation.statistics.significance import holm, least_p, sign_flip, tries_all_signs

RNG = np.random.default_rng(0)
FORMER = {6: 0.5625, 14: 0.4736328125, 16: 0.8770751953125}
NUMBERS = st.integers(-8, 8).map(lambda n: n / 8)


def every_pattern(differences) -> float:
    """The share of sign patterns whose sum is at least as far from zero, pattern by pattern."""
    observed = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    return sum(total >= observed - 1e-9 for total in sums) / len(sums)


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_every_pattern_of_signs(differences):
    """P is the share of all patterns; eighths add up without rounding."""
    assert sign_flip(np.array(differences), RNG) == every_pattern(differences)


@given(st.lists(st.integers(-9, 9).map(lambda n: n / 12), min_size=2, max_size=8))
def test_sums_that_differ_by_rounding_are_equal(differences):
    """Shares of twelve faces do not add up exactly, and patterns of one sum count alike."""
    assert sign_flip(np.array(differences), RNG) == every_pattern(differences)


def test_p_values_of_the_former_implementation():
    """Values written down before SciPy's test took the place of a loop over patterns."""
    d = np.random.default_rng(0).integers(-10, 10, 16) / 12
    assert sign_flip(d[:6], RNG) == FORMER[6]
    assert sign_flip(d[:14], RNG) == FORMER[14]
    assert sign_flip(d, RNG) == FORMER[16]


def test_three_persons_cannot_be_significant():
    """All in one direction, and still p is a quarter: as small as it can be."""
    assert sign_flip(np.array([0.9, 0.8, 0.7]), RNG) == least_p(3) == 0.25
    assert sign_flip(np.array([0.9]), RNG) == least_p(1) == 1
    assert least_p(0) == 1


def test_all_patterns_are_tried_up_to_sixteen_persons():
    """More patterns than draws are drawn, and the least p is then one pattern of them."""
    assert tries_all_signs(16)
    assert not tries_all_signs(17)
    assert least_p(16) == 2**-15
    assert least_p(17) == 1 / 100_001


def test_drawn_patterns_agree_with_all_of_them():
    """With more persons patterns are drawn; half of the persons at zero change nothing."""
    few = np.random.default_rng(1).normal(0.3, 1, 12)
    drawn = sign_flip(np.concatenate([few, np.zeros(8)]), np.random.default_rng(2))
    assert drawn == pytest.approx(sign_flip(few, RNG), abs=0.01)


def test_the_observed_pattern_counts_among_the_drawn(monkeypatch):
    """P is never 0: of 100 drawn patterns none reaches 40 equal signs, and p is 1/101."""
    monkeypatch.setattr(significance, "DRAWS", 100)
    assert sign_flip(np.ones(40), np.random.default_rng(0)) == 1 / 101


@pytest.mark.parametrize("bad", [[], [np.nan], [0.5, np.inf], [[1.0]]])
def test_what_is_no_difference_is_refused(bad):
    """No person, or a difference that is not known."""
    with pytest.raises(ValueError, match="one finite difference for each person"):
        sign_flip(np.array(bad), RNG)


@settings(max_examples=12)  # statsmodels takes a quarter of a second
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_holm(p):
    """As statsmodels computes it; nothing for no test."""
    expected = multipletests(p, method="holm")[1] if p else []
    np.testing.assert_allclose(holm(p), expected, rtol=1e-12)
