"""Proportional odds against statsmodels, finite differences and scikit-learn's own checks."""

import json

import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.miscmodels.ordinal_model import OrderedModel

from emorank.ranking import proportional_odds
from emorank.ranking.calibrated import probable_level
from emorank.ranking.proportional_odds import ProportionalOdds, from_values, to_values

SEEDS = st.integers(0, 10_000)


def drawn(seed=0, faces=200, levels=4):
    """Features of some size, and levels that follow two of them and chance."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(faces, 3)) * (5, 1, 0.1) + (3, 0, -1)
    along = 0.3 * x[:, 0] - x[:, 1] + rng.logistic(size=faces)
    return x, np.digitize(along, np.quantile(along, np.arange(1, levels) / levels))


def test_without_a_penalty_it_is_maximum_likelihood():
    """Coefficients and cuts of statsmodels, on the same standardised features."""
    x, y = drawn()
    model = ProportionalOdds(penalty=0.0).fit(x, y)
    standard = (x - x.mean(0)) / x.std(0)
    oracle = OrderedModel(y, standard, distr="logit")
    found = oracle.fit(method="bfgs", disp=False, gtol=1e-8)
    np.testing.assert_allclose(model.coef_, found.params[:3], atol=1e-3)
    cuts = oracle.transform_threshold_params(found.params)[1:-1]
    np.testing.assert_allclose(model.cuts_, cuts, atol=1e-3)
    np.testing.assert_allclose(
        model.predict_proba(x), oracle.predict(found.params, standard), atol=1e-3
    )


@pytest.mark.parametrize("penalty", [0.0, 1.0, 30.0])
def test_the_gradient_is_that_of_the_loss(penalty):
    """Against finite differences, away from the optimum."""
    x, y = drawn(1, 40)
    start = np.random.default_rng(2).normal(size=6)
    error = check_grad(
        lambda free: proportional_odds._loss(free, x, y, penalty)[0],
        lambda free: proportional_odds._loss(free, x, y, penalty)[1],
        start,
    )
    scale = np.linalg.norm(proportional_odds._loss(start, x, y, penalty)[1])
    assert scale > 1
    assert error < 1e-5 * scale


def test_the_loss_is_the_likelihood_written_out():
    """A difference of two logistic functions per face, and the penalty."""
    x, y = drawn(3, 30)
    free = np.array([-1.0, 0.2, -0.3, 0.5, -0.4, 0.1])
    cuts = np.cumsum([free[0], *np.exp(free[1:3])])
    total = 2.0 / 2 * (free[3:] ** 2).sum()
    for row, level in zip(x, y, strict=True):
        below = [0, *(1 / (1 + np.exp(row @ free[3:] - cuts))), 1]
        total -= np.log(below[level + 1] - below[level])
    assert proportional_odds._loss(free, x, y, 2.0)[0] == pytest.approx(total)


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 4), st.sampled_from([0.1, 1.0, 10.0]))
def test_probabilities_are_probabilities(seed, levels, penalty):
    """They sum to 1, cuts climb, and who lies further along is more likely above any level."""
    x, y = drawn(seed, 60, levels)
    model = ProportionalOdds(penalty).fit(x, y)
    found = model.predict_proba(x)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1)
    assert (np.diff(model.cuts_) > 0).all()
    below = found.cumsum(1)[np.argsort(model.position(x))]
    assert (np.diff(below, axis=0) <= 1e-12).all()
    np.testing.assert_array_equal(model.predict(x), found.argmax(1))


@settings(max_examples=25)
@given(SEEDS, st.lists(st.floats(0.01, 100), min_size=3, max_size=3), st.floats(-50, 50))
def test_the_units_of_a_feature_do_not_matter(seed, scale, shift):
    """Features rescaled and moved, the same probabilities, penalised or not."""
    x, y = drawn(seed, 60)
    moved = x * np.array(scale) + shift
    one, other = ProportionalOdds().fit(x, y), ProportionalOdds().fit(moved, y)
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(moved), atol=1e-4)


def test_a_greater_penalty_holds_coefficients_towards_nothing():
    """In the end the levels' shares are all that is left."""
    x, y = drawn()
    sizes = [
        np.abs(ProportionalOdds(p).fit(x, y).coef_).sum() for p in (0.0, 1.0, 10.0, 100.0, 1e6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    found = ProportionalOdds(1e6).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(found, np.tile(np.bincount(y) / len(y), (len(y), 1)), atol=1e-2)


def test_there_is_a_penalty_unless_somebody_asks_for_none():
    """Its size by default is 1."""
    x, y = drawn()
    default = ProportionalOdds().fit(x, y).coef_
    np.testing.assert_array_equal(default, ProportionalOdds(1.0).fit(x, y).coef_)
    assert np.abs(default).sum() < np.abs(ProportionalOdds(0.0).fit(x, y).coef_).sum()


def test_levels_may_be_any_that_have_an_order():
    """Their numbers carry nothing but the order; a constant feature counts for nothing."""
    x, y = drawn(levels=3)
    x[:, 2] = 7
    plain = ProportionalOdds().fit(x, y)
    other = ProportionalOdds().fit(x, np.array([-5, 2, 90])[y])
    np.testing.assert_allclose(plain.coef_, other.coef_)
    np.testing.assert_array_equal(other.classes_, [-5, 2, 90])
    assert plain.scale_[2] == 1
    assert plain.coef_[2] == 0


def test_a_fitted_model_comes_back_from_json():
    """Numbers only, and the same probabilities and levels to the last bit."""
    x, y = drawn()
    model = ProportionalOdds(0.5).fit(x, y + 1)
    again = from_values(json.loads(json.dumps(to_values(model))))
    np.testing.assert_array_equal(model.predict_proba(x), again.predict_proba(x))
    np.testing.assert_array_equal(model.predict(x), again.predict(x))
    assert again.get_params() == model.get_params()
    assert clone(again).get_params() == {"penalty": 0.5, "most": 500}
    with pytest.raises(ValueError, match="expecting 3 features"):
        again.predict(x[:, :2])


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), st.floats(0, 1))
def test_it_abstains_exactly_where_no_level_is_likely_enough(weights, least):
    """The place of the greatest probability, or −1."""
    shares = np.array([weights]) / sum(weights)
    expected = shares[0].argmax() if shares.max() >= least else -1
    assert probable_level(shares, least)[0] == expected
    assert probable_level(np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])).tolist() == [0, -1]


@pytest.mark.parametrize(
    ("penalty", "levels", "said"),
    [(-1.0, [0, 1, 2], "expected 0 or more"), (1.0, [2, 2, 2], "two levels or more")],
)
def test_what_cannot_be_fitted_is_refused(penalty, levels, said):
    """By name."""
    with pytest.raises(ValueError, match=said):
        ProportionalOdds(penalty).fit(np.eye(3), levels)


@pytest.fixture
def unchecked():
    """Without the tests' own check of annotations: others' errors are expected."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@parametrize_with_checks([ProportionalOdds()])
def test_scikit_learns_conventions(unchecked, estimator, check):
    """All of its checks."""
    check(estimator)
