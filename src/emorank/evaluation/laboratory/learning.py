"""How many rated images are enough? And how sure are the coefficients that they gave?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.confusion import quadratic_kappa
from emorank.evaluation.statistics.uncertainty import LEVEL
from emorank.ranking.calibrated import ProportionalOdds
from emorank.vocabulary import LEVELS

DRAWS = 100
_FEWEST = 7  # rated images to begin the curve with, doubled at each point


@dataclass(frozen=True)
class Rated:
    """Faces of which the level is known.

    Attributes:
        features: what the model is given.
        level: place in `LEVELS`.
        person: a number for each person.
    """

    features: Float[np.ndarray, "face features"]
    level: Int[np.ndarray, " face"]
    person: Int[np.ndarray, " face"]

    def __getitem__(self, rows: Int[np.ndarray, " some"]) -> "Rated":
        return Rated(self.features[rows], self.level[rows], self.person[rows])


@dataclass(frozen=True)
class LearningPoint:
    """One point of a learning curve.

    Attributes:
        images: rated images fitted on.
        persons: whom they show, on average over the draws.
        kappa: median quadratic kappa on the test faces; None where it is hardly ever defined.
        low, high: where 95 % of the draws lie, of rated images and of test persons at once.
        draws: in which a model could be fitted and kappa was defined.
    """

    images: int
    persons: float
    kappa: float | None
    low: float | None
    high: float | None
    draws: int


def learning_curve(
    model: ProportionalOdds,
    rated: Rated,
    test: Rated,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[LearningPoint, ...]:
    """Quadratic kappa on test persons against the number of rated images fitted on.

    Each draw takes so many of the rated images at random, without replacement, and as many test
    persons as there are, with it; the last point has all the rated images.

    Args:
        model: fitted anew in each draw.
        rated: what there is to learn from.
        test: of other persons.
        rng: draws.
        draws: for each point.
    """
    count = len(rated.level)
    sizes = [s for s in (_FEWEST * 2**k for k in range(20)) if s < count]
    return tuple(_point(model, rated, test, size, rng, draws) for size in [*sizes, count])


def coefficient_intervals(
    model: ProportionalOdds,
    rated: Rated,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[Float[np.ndarray, "features 2"], str]:
    """Percentile intervals of the coefficients, and over what they were drawn.

    Persons are drawn with replacement where there are five or more, else images: two persons drawn
    twice are one person too often. Features keep the scale of the whole.

    Args:
        model: fitted on `rated`.
        rated: faces.
        rng: draws.
        draws: how many.
        level: coverage.
    """
    persons = np.unique(rated.person)
    unit = "persons" if len(persons) >= 5 else "images"
    cluster = rated.person if unit == "persons" else np.arange(len(rated.level))
    rows_of = [np.flatnonzero(cluster == one) for one in np.unique(cluster)]
    found = []
    for _ in range(draws):
        chosen = rng.integers(len(rows_of), size=len(rows_of))
        some = rated[np.concatenate([rows_of[k] for k in chosen])]
        if len(np.unique(some.level)) > 1:
            again = ProportionalOdds(model.penalty).fit(some.features, some.level)
            found.append(again.coef_ / again.scale_ * model.scale_)
    tail = (1 - level) / 2
    return np.quantile(found, [tail, 1 - tail], axis=0).T, unit


def _point(
    model: ProportionalOdds,
    rated: Rated,
    test: Rated,
    size: int,
    rng: np.random.Generator,
    draws: int,
) -> LearningPoint:
    persons, kappas = [], []
    rows_of = [np.flatnonzero(test.person == one) for one in np.unique(test.person)]
    for _ in range(draws):
        some = rated[rng.permutation(len(rated.level))[:size]]
        persons.append(len(np.unique(some.person)))
        drawn = np.concatenate([rows_of[k] for k in rng.integers(len(rows_of), size=len(rows_of))])
        if len(np.unique(some.level)) > 1:
            fitted = ProportionalOdds(model.penalty).fit(some.features, some.level)
            kappas.append(_kappa(test.level[drawn], fitted.predict(test.features[drawn])))
    defined = np.array([kappa for kappa in kappas if np.isfinite(kappa)])
    if len(defined) < draws / 2:
        return LearningPoint(size, float(np.mean(persons)), None, None, None, len(defined))
    low, middle, high = (float(v) for v in np.quantile(defined, [0.025, 0.5, 0.975]))
    return LearningPoint(size, float(np.mean(persons)), middle, low, high, len(defined))


def _kappa(level: Int[np.ndarray, " face"], predicted: Int[np.ndarray, " face"]) -> float:
    counts = np.zeros((len(LEVELS), len(LEVELS)), np.int64)
    np.add.at(counts, (level, predicted), 1)
    return float(quadratic_kappa(counts))
