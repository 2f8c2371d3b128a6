"""Proportional odds: an ordinal model of a few features.

P(level ≤ j | x) = σ(θ_j − x·β): one direction β in the space of features, and cuts θ along it
(McCullagh 1980, "Regression models for ordinal data", JRSS B 42, 109–142). The model uses only the
order of the levels; a feature has one coefficient, the same at every cut.

It brings scikit-learn and SciPy's optimiser, a second to load: who only ranks imports it not.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

# Two equal first cuts would have a gap of 0, whose logarithm is −∞.
_LEAST_GAP = 1e-12


class ProportionalOdds(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Cumulative logit model with an L2 penalty, in scikit-learn's conventions.

    Features are standardised inside, so that one penalty suits all and the
    coefficients can be compared.

    Args:
        penalty: λ of λ/2 · Σ β², on the coefficients of the standardised features; cuts are free.
        most: greatest number of iterations of the optimiser.

    Attributes:
        classes_: the levels in the data, ascending.
        mean_, scale_: of each feature; a constant feature has the scale 1.
        coef_: β, one per standardised feature; if positive, greater features mean higher levels.
        cuts_: θ, ascending, one fewer than levels.
    """

    def __init__(self, penalty: float = 1.0, most: int = 500) -> None:
        self.penalty = penalty
        self.most = most

    def fit(self, X: ArrayLike, y: ArrayLike) -> "ProportionalOdds":
        """Fit by penalised maximum likelihood.

        X is finite, (faces, features); y is the level of each face, of values that can be ordered.

        Raises:
            ValueError: there are fewer than two levels, or scikit-learn refuses X or y.
        """
        values, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        if self.penalty < 0:
            raise ValueError(f"penalty is {self.penalty}; expected 0 or more")
        self.classes_, level = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"expected two levels or more to tell apart, got one class: {self.classes_[0]!r}"
            )
        self.mean_ = values.mean(0)
        spread = values.std(0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        features = (values - self.mean_) / self.scale_
        result = minimize(
            _loss,
            _first_guess(level, features.shape[1]),
            args=(features, level, float(self.penalty)),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.most, "ftol": 1e-12, "gtol": 1e-8},
        )
        cuts = len(self.classes_) - 1
        self.cuts_ = _cuts(result.x[:cuts])
        self.coef_ = result.x[cuts:]
        self.n_iter_ = int(result.nit)
        return self

    def position(self, X: ArrayLike) -> Float[np.ndarray, " faces"]:
        """x·β, the intensity on the scale of the cuts; it has no natural zero."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        position: NDArray[np.float64] = (values - self.mean_) / self.scale_ @ self.coef_
        return position

    def predict_proba(self, X: ArrayLike) -> Float[np.ndarray, "faces levels"]:
        """Probability of each level of `classes_`."""
        position = self.position(X)  # refuses a model that is not fitted
        below = expit(self.cuts_ - position[:, None])
        edges = np.concatenate([np.zeros((len(below), 1)), below, np.ones((len(below), 1))], 1)
        probabilities: NDArray[np.float64] = np.diff(edges, axis=1)
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable level."""
        place = self.predict_proba(X).argmax(1)
        levels: NDArray[Any] = self.classes_[place]
        return levels

    def __sklearn_tags__(self) -> Any:
        """Say that scores are poor on classes without an order, which scikit-learn's checks use."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


def to_values(model: ProportionalOdds) -> dict[str, Any]:
    """A fitted model as plain values for JSON; its levels must be numbers."""
    return {
        "penalty": model.penalty,
        "levels": [int(level) for level in model.classes_],
        "mean": model.mean_.tolist(),
        "scale": model.scale_.tolist(),
        "coefficients": model.coef_.tolist(),
        "cuts": model.cuts_.tolist(),
    }


def from_values(values: dict[str, Any]) -> ProportionalOdds:
    """The model that `to_values` wrote, ready to predict."""
    model = ProportionalOdds(values["penalty"])
    model.classes_ = np.array(values["levels"])
    model.mean_, model.scale_ = np.array(values["mean"]), np.array(values["scale"])
    model.coef_, model.cuts_ = np.array(values["coefficients"]), np.array(values["cuts"])
    model.n_features_in_ = len(model.mean_)
    return model


def _first_guess(level: Int[np.ndarray, " faces"], features: int) -> NDArray[np.float64]:
    """Cuts that give each level its share, and coefficients of 0."""
    shares = np.bincount(level).cumsum()[:-1] / len(level)
    cuts = np.log(shares / (1 - shares))
    gaps = np.log(np.maximum(np.diff(cuts), _LEAST_GAP))
    return np.concatenate([cuts[:1], gaps, np.zeros(features)])


def _cuts(free: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ascending cuts from free numbers: the first, then the logarithms of the gaps."""
    return np.cumsum(np.concatenate([free[:1], np.exp(free[1:])]))


def _loss(
    free: NDArray[np.float64],
    features: Float[np.ndarray, "faces features"],
    level: Int[np.ndarray, " faces"],
    penalty: float,
) -> tuple[float, NDArray[np.float64]]:
    """Penalised negative log-likelihood and its gradient.

    log P(level) = log(σ(b) − σ(a)) = log σ(b) + log σ(−a) + log(1 − e^(a−b)) for cuts a < b around
    the level; this form is exact far from the cuts too, where the difference would cancel.
    """
    count = len(free) - features.shape[1]
    cuts, coefficients = _cuts(free[:count]), free[count:]
    position = features @ coefficients
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    a, b = edges[level] - position, edges[level + 1] - position
    gap = edges[level + 1] - edges[level]
    between = np.log(-np.expm1(-gap))  # 0 at the ends, where the gap is infinite
    likelihood = (log_expit(b) + log_expit(-a) + between).sum()
    loss = penalty / 2 * coefficients @ coefficients - likelihood
    # d/db log σ(b) = σ(−b); d/da log σ(−a) = −σ(a); d/dgap log(1 − e^−gap) = 1 / (e^gap − 1)
    at_b, at_a = expit(-b), -expit(a)
    with np.errstate(over="ignore"):
        apart = 1 / np.expm1(gap)
    by_edge = np.zeros(len(edges))
    np.add.at(by_edge, level + 1, at_b + apart)
    np.add.at(by_edge, level, at_a - apart)
    by_cut = by_edge[1:-1]
    # A cut moves with the first free number and with every gap at or before it.
    by_free = np.cumsum(by_cut[::-1])[::-1].copy()
    by_free[1:] *= np.exp(free[1:count])
    by_coefficient = -features.T @ (at_a + at_b) - penalty * coefficients
    return float(loss), -np.concatenate([by_free, by_coefficient])
