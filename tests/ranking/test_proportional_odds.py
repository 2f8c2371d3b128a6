"""The calibrated rank's model: against statsmodels, and what holds whatever is fitted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.base import clone
from statsmodels.miscmodels.ordinal_model import OrderedModel

from emorank.ranking.calibrated import ProportionalOdds, _loss, dumped, loaded, sure


def faces(seed, count=300, levels=4):
    """Features, and levels that follow the first two of them with noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3)) * (1, 10, 0.1) + (0, 5, 0)
    hidden = features[:, 0] + 0.1 * features[:, 1] + rng.logistic(size=count) * 0.5
    return features, np.searchsorted(np.quantile(hidden, np.arange(1, levels) / levels), hidden)


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_without_a_penalty_it_is_statsmodels(levels):
    """The same coefficients and cuts as `OrderedModel`, another optimiser on another formula."""
    features, level = faces(0, levels=levels)
    ours = ProportionalOdds(penalty=0.0).fit(features, level)
    standard = (features - ours.mean_) / ours.scale_
    theirs = OrderedModel(level, standard, distr="logit").fit(method="bfgs", disp=False)
    np.testing.assert_allclose(ours.coef_, theirs.params[:3], atol=2e-3)
    cuts = theirs.model.transform_threshold_params(theirs.params)[1:-1]
    np.testing.assert_allclose(ours.cuts_, cuts, atol=2e-3)
    np.testing.assert_allclose(ours.predict_proba(features), theirs.predict(), atol=1e-3)


@pytest.mark.parametrize("penalty", [0.0, 2.5])
def test_the_gradient_is_that_of_the_loss(penalty):
    """Against finite differences, at places where nothing is at its optimum."""
    features, level = faces(1, 40)
    for seed in range(3):
        free = np.random.default_rng(seed).normal(size=6)

        def loss(at):
            return _loss(at, features, level, penalty)[0]

        numeric = approx_fprime(free, loss, 1e-7)
        np.testing.assert_allclose(_loss(free, features, level, penalty)[1], numeric, rtol=2e-4)


@given(st.integers(0, 50), st.floats(0.1, 1e4), st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
def test_units_do_not_matter(seed, factor, shift):
    """Features in other units give the same probabilities: they are standardised inside."""
    features, level = faces(seed, 60)
    one = ProportionalOdds().fit(features, level).predict_proba(features)
    other = features * factor + shift
    two = ProportionalOdds().fit(other, level).predict_proba(other)
    np.testing.assert_allclose(one, two, atol=1e-4)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_probabilities_are_some_and_levels_rise(seed):
    """They sum to one, and the chance of at least any level never falls along x·β."""
    features, level = faces(seed, 50)
    model = ProportionalOdds().fit(features, level)
    found = model.predict_proba(features)[np.argsort(model.position(features))]
    np.testing.assert_allclose(found.sum(1), 1)
    assert (np.diff(model.cuts_) > 0).all()
    at_least = found[:, ::-1].cumsum(1)
    assert (np.diff(at_least, axis=0) >= -1e-12).all()


def test_a_penalty_holds_coefficients_back():
    """The more, the nearer to zero; the cuts of nothing but the penalty are the levels' shares."""
    features, level = faces(2)
    sizes = [np.abs(ProportionalOdds(p).fit(features, level).coef_).sum() for p in (0.0, 10.0, 1e6)]
    assert sizes[0] > sizes[1] > sizes[2]
    shares = ProportionalOdds(1e9).fit(features, level).predict_proba(features)[0]
    np.testing.assert_allclose(shares, np.bincount(level) / len(level), atol=1e-3)


def test_it_is_a_scikit_learn_estimator():
    """Cloned with its parameters, any labels in order, and no features it was not fitted on."""
    features, level = faces(3)
    model = clone(ProportionalOdds(penalty=3.0))
    assert model.get_params() == {"penalty": 3.0, "most": 500}
    assert set(model.fit(features, level * 10).predict(features)) <= {0, 10, 20, 30}
    with pytest.raises(ValueError, match="features"):
        model.predict(features[:, :2])


@pytest.mark.parametrize(
    ("features", "level", "words"),
    [
        (np.zeros((4, 2)), [1, 1, 1, 1], "one class"),
        (np.full((4, 2), np.nan), [0, 1, 0, 1], "NaN"),
        (np.zeros((4, 2)), [0, 1], "inconsistent"),
    ],
)
def test_what_cannot_be_fitted_is_refused(features, level, words):
    """One level, what is not finite, and features that are not as many as levels."""
    with pytest.raises(ValueError, match=words):
        ProportionalOdds().fit(features, level)
    with pytest.raises(ValueError, match="penalty"):
        ProportionalOdds(-1.0).fit(np.eye(2), [0, 1])


def test_it_goes_through_json():
    """Read again it says the same, to the last bit."""
    features, level = faces(4)
    model = ProportionalOdds().fit(features, level)
    again = loaded(json.loads(json.dumps(dumped(model))))
    np.testing.assert_array_equal(model.predict_proba(features), again.predict_proba(features))


def test_it_abstains_where_the_others_are_likelier():
    """From a half on a level is given."""
    found = sure(np.array([[0.5, 0.3, 0.2], [0.49, 0.31, 0.2], [0, 0, 1]]))
    assert found.tolist() == [0, -1, 2]
    assert sure(np.array([[0.49, 0.31, 0.2]]), 0.4).tolist() == [0]
