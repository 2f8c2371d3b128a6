"""How many rated images are enough, and how sure are the coefficients fitted on them?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.confusion import confusion, quadratic_kappa
from emorank.evaluation.statistics.uncertainty import LEVEL
from emorank.vocabulary import LEVELS

if TYPE_CHECKING:
    from emorank.ranking.proportional_odds import ProportionalOdds

DRAWS = 100
_FEWEST = 7  # rated images of the first point; each further point has twice as many
_FEWEST_PERSONS = 5
_ASIDE = 5  # one person in so many is set aside in a draw where there are no other test persons


@dataclass(frozen=True)
class Rated:
    """Faces whose level, a place in `LEVELS`, is known; each person has a number."""

    features: Float[np.ndarray, "face features"]
    level: Int[np.ndarray, " face"]
    person: Int[np.ndarray, " face"]

    def __getitem__(self, rows: Int[np.ndarray, " some"]) -> "Rated":
        return Rated(self.features[rows], self.level[rows], self.person[rows])


@dataclass(frozen=True)
class LearningPoint:
    """One point of a learning curve.

    Attributes:
        images: number of rated images that the model is fitted on.
        persons: number of persons on them, averaged over the draws.
        kappa: median quadratic kappa on the test faces; None if defined in less than half of the
            draws.
        low, high: interval of 95 % of the draws, of rated images and of test persons at once.
        draws: number of draws in which a model could be fitted and kappa was defined.
    """

    images: int
    persons: float
    kappa: float | None
    low: float | None
    high: float | None
    draws: int


def learning_curve(
    model: "ProportionalOdds",
    rated: Rated,
    test: Rated | None,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[LearningPoint, ...]:
    """Quadratic kappa on test persons against the number of rated images fitted on.

    Each draw takes the number of rated images at random without replacement, and the test persons
    with replacement. The last point has all rated images. `model` is fitted again in each draw,
    with its penalty; `test` has faces of other persons than `rated`. Without it, each draw sets a
    fifth of the rated persons aside as test persons; of fewer than five persons there is no curve.
    """
    persons = len(np.unique(rated.person))
    if test is None and persons < _FEWEST_PERSONS:
        return ()
    count = len(rated.level)
    if test is None:
        count -= round(count * (persons // _ASIDE) / persons)
    sizes = [s for s in (_FEWEST * 2**k for k in range(20)) if s < count]
    return tuple(_point(model, rated, test, size, rng, draws) for size in [*sizes, count])


def levels_of_strangers(
    model: "ProportionalOdds", rated: Rated, fold: Int[np.ndarray, " face"]
) -> Int[np.ndarray, " face"]:
    """The most probable level of each face by a model fitted on the other folds; −1 for none.

    `model` is fitted again for each fold, with its penalty. There is none where the other folds
    have one level only.
    """
    levels = np.full(len(rated.level), -1, np.int64)
    for number in np.unique(fold):
        held = np.flatnonzero(fold == number)
        others = rated[np.flatnonzero(fold != number)]
        if len(np.unique(others.level)) > 1:
            fitted = type(model)(model.penalty).fit(others.features, others.level)
            levels[held] = fitted.predict(rated.features[held])
    return levels


def coefficient_intervals(
    model: "ProportionalOdds",
    rated: Rated,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> tuple[Float[np.ndarray, "features 2"], str]:
    """Percentile intervals of the coefficients, and the unit drawn: "persons" or "images".

    Persons are drawn with replacement if there are at least five, else images, because too many
    draws of a few persons hold one person only. `model` is fitted on `rated`; the coefficients are
    in its feature scale.
    """
    persons = np.unique(rated.person)
    unit = "persons" if len(persons) >= _FEWEST_PERSONS else "images"
    cluster = rated.person if unit == "persons" else np.arange(len(rated.level))
    rows_of = [np.flatnonzero(cluster == one) for one in np.unique(cluster)]
    coefficients = []
    for _ in range(draws):
        drawn = rng.integers(len(rows_of), size=len(rows_of))
        some = rated[np.concatenate([rows_of[k] for k in drawn])]
        if len(np.unique(some.level)) > 1:
            again = type(model)(model.penalty).fit(some.features, some.level)
            coefficients.append(again.coef_ / again.scale_ * model.scale_)
    tail = (1 - level) / 2
    return np.quantile(coefficients, [tail, 1 - tail], axis=0).T, unit


def _point(
    model: "ProportionalOdds",
    rated: Rated,
    test: Rated | None,
    size: int,
    rng: np.random.Generator,
    draws: int,
) -> LearningPoint:
    persons, kappas = [], []
    for _ in range(draws):
        known, strangers = (rated, test) if test is not None else _parted(rated, rng)
        some = known[rng.permutation(len(known.level))[:size]]
        persons.append(len(np.unique(some.person)))
        rows_of = [np.flatnonzero(strangers.person == k) for k in np.unique(strangers.person)]
        drawn = np.concatenate([rows_of[k] for k in rng.integers(len(rows_of), size=len(rows_of))])
        if len(np.unique(some.level)) > 1:
            fitted = type(model)(model.penalty).fit(some.features, some.level)
            predicted = fitted.predict(strangers.features[drawn])
            table = confusion(strangers.level[drawn], predicted, len(LEVELS))
            kappas.append(quadratic_kappa(table))
    defined = np.array([kappa for kappa in kappas if np.isfinite(kappa)])
    if len(defined) < draws / 2:
        return LearningPoint(size, float(np.mean(persons)), None, None, None, len(defined))
    low, middle, high = (float(v) for v in np.quantile(defined, [0.025, 0.5, 0.975]))
    return LearningPoint(size, float(np.mean(persons)), middle, low, high, len(defined))


def _parted(rated: Rated, rng: np.random.Generator) -> tuple[Rated, Rated]:
    """The faces of four persons in five, drawn at random, and those of the others."""
    persons = rng.permutation(np.unique(rated.person))
    aside = np.isin(rated.person, persons[: len(persons) // _ASIDE])
    return rated[np.flatnonzero(~aside)], rated[np.flatnonzero(aside)]
