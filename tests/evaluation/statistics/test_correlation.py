"""Rank correlations of weighted faces against SciPy and scikit-learn on copied faces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from emorank.evaluation.statistics import correlation

ONCE = np.ones((1, 6))
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=15)


def faces(number=40, persons=6):
    """A score with ties, a truth that it follows roughly, and the person of each face."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 12, number) / 10
    score = np.round(truth + rng.normal(0, 0.4, number), 1)
    return score, truth, rng.integers(0, persons, number)


@given(PAIRS)
def test_spearman_equals_scipy(pairs):
    """The same value, and undefined where SciPy's is: one value throughout."""
    x, y = np.array(pairs, float).T
    ours = correlation.spearman(x, y, np.ones((1, len(x))))
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert np.isnan(ours)
    else:
        np.testing.assert_allclose(ours, stats.spearmanr(x, y).statistic, atol=1e-10)


def test_infinite_values_are_ties_too():
    """Faces without a score are given minus infinity, and share one rank."""
    x, y = np.array([-np.inf, 2.0, -np.inf, 1.0, np.inf]), np.array([1.0, 3, 2, 2, 1])
    found = correlation.spearman(x, y, np.ones((1, 5)))
    assert found[0] == pytest.approx(stats.spearmanr([0, 2, 0, 1, 3], y).statistic)


def test_resamples_equal_those_of_copied_faces():
    """Weights instead of copies: the same rho, tau and AUC as SciPy's and scikit-learn's."""
    x, y, person = faces()
    draws = np.random.default_rng(3).multinomial(6, np.full(6, 1 / 6), size=20).astype(float)
    rho = correlation.spearman(x, y, draws[:, person])
    tau = correlation.kendall(x, y, person, 6)(draws)
    high = y > 0.5
    area = correlation.auc(x[high], x[~high], person[high], person[~high], 6)(draws)
    for i, times in enumerate(draws):
        rows = np.repeat(np.arange(40), times[person].astype(int))
        assert rho[i] == pytest.approx(stats.spearmanr(x[rows], y[rows]).statistic)
        assert tau[i] == pytest.approx(stats.kendalltau(x[rows], y[rows]).statistic)
        assert area[i] == pytest.approx(roc_auc_score(high[rows], x[rows]))


def test_pairs_in_blocks_are_pairs_at_once(monkeypatch):
    """Thousands of faces are paired in blocks of rows."""
    x, y, person = faces(50)
    once = correlation.kendall(x, y, person, 6)(ONCE)
    sizes = [sum(len(x[rows]) for rows in correlation._blocks(50, 50))]
    monkeypatch.setattr(correlation, "_BLOCK", 120)
    blocks = correlation._blocks(50, 50)
    sizes.append(sum(len(x[rows]) for rows in blocks))
    assert len(blocks) == 25
    assert sizes == [50, 50]
    np.testing.assert_allclose(correlation.kendall(x, y, person, 6)(ONCE), once)


def test_no_faces_have_no_correlation():
    """NaN and no error, also where one side of the AUC is empty."""
    none, number = np.empty(0), np.empty(0, int)
    assert np.isnan(correlation.spearman(none, none, np.ones((3, 0)))).all()
    assert np.isnan(correlation.kendall(none, none, number, 6)(ONCE))
    one, first = np.ones(1), np.zeros(1, int)
    assert np.isnan(correlation.auc(one, none, first, number, 6)(ONCE))
    assert np.isnan(correlation.auc(none, one, number, first, 6)(ONCE))


def test_partial_correlation_is_yules():
    """The formula written out; NaN where the third determines one of the two, up to rounding."""
    xy, xz, yz = np.array([0.5, 0.5, 0.5]), np.array([0.3, 1 - 1e-16, -1.0]), np.full(3, 0.2)
    found = correlation.partial(xy, xz, yz)
    assert found[0] == pytest.approx((0.5 - 0.3 * 0.2) / np.sqrt((1 - 0.09) * (1 - 0.04)))
    assert np.isnan(found[1:]).all()
    almost = correlation.partial(np.array([0.0]), np.array([1 - 1e-14]), np.array([0.0]))
    assert np.isnan(almost)
    near = correlation.partial(np.array([0.0]), np.array([1 - 5e-12]), np.array([0.0]))
    assert np.isfinite(near)
