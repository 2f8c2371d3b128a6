"""The sign-flip test against every pattern written out, and Holm against statsmodels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from emorank.evaluation.statistics.significance import EXACT, holm, sign_flip

RNG = np.random.default_rng(0)
NUMBERS = st.integers(-8, 8).map(lambda n: n / 8)


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_every_pattern_of_signs(differences):
    """P is the share of patterns at least as far from zero; eighths add up without rounding."""
    seen = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    found = sign_flip(np.array(differences), RNG)
    assert found.exact
    assert found.p == sum(s >= seen for s in sums) / len(sums)
    assert found.mean == pytest.approx(np.mean(differences))


def test_three_persons_cannot_be_significant():
    """All in one direction, and still p is a quarter: as small as it can be."""
    found = sign_flip(np.array([0.9, 0.8, 0.7]), RNG)
    assert (found.p, found.least) == (0.25, 0.25)


def test_drawn_patterns_agree_with_all_of_them():
    """With more persons patterns are drawn; half of the persons at zero change nothing."""
    few = np.random.default_rng(1).normal(0.3, 1, EXACT - 4)
    exact = sign_flip(few, RNG).p
    drawn = sign_flip(np.concatenate([few, np.zeros(8)]), np.random.default_rng(2))
    assert not drawn.exact
    assert drawn.p == pytest.approx(exact, abs=0.01)


def test_what_is_no_difference_is_refused():
    """No person, or a difference that is not known."""
    for bad in ([], [np.nan], [[1.0]]):
        with pytest.raises(ValueError, match="one finite difference a person"):
            sign_flip(np.array(bad), RNG)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_holm(p):
    """As statsmodels has it."""
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), expected, rtol=1e-12)
