"""Estimators of intensity side by side on the same faces: Table 10 measured in one place."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import people
from emorank.evaluation.statistics.correlation import spearman
from emorank.evaluation.statistics.significance import holm, least_p, sign_flip, tries_all_signs
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    bootstrap,
    counts_per_cluster,
    no_narrower,
    resampled,
)
from emorank.vocabulary import LEVELS

STATISTICS = {
    "accuracy": confusion.accuracy,
    "balanced_accuracy": confusion.balanced_accuracy,
    "quadratic_kappa": confusion.quadratic_kappa,
    "mean_absolute_error": confusion.mean_absolute_error,
}
COLUMNS = ("estimator", "image", "person", "level", "mean", "predicted", "score")


@dataclass(frozen=True)
class EstimatorScores:
    """One estimator on some faces.

    Attributes:
        abstained: faces without a prediction; they count as wrong, and as level None in distances.
        confusion: rows the raters' level, columns the predicted one, in the order of `LEVELS`.
        balanced_accuracy: mean recall over the levels that occur.
        mean_absolute_error: in levels.
        spearman: between the score and the raters' mean.
    """

    count: int
    abstained: int
    confusion: tuple[tuple[int, ...], ...]
    accuracy: Estimate
    balanced_accuracy: Estimate
    quadratic_kappa: Estimate
    mean_absolute_error: Estimate
    spearman: Estimate


@dataclass(frozen=True)
class AccuracyDifference:
    """The reference's accuracy minus an estimator's, averaged over persons, and its test.

    Attributes:
        value: above zero if the reference is better.
        p: two-sided, of the sign-flip test over persons.
        p_holm: the same, corrected for the number of estimators tested.
    """

    value: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class EstimatorComparison:
    """All estimators on the same faces.

    Attributes:
        scores: by estimator, in the order of the table.
        differences: by estimator, without the reference itself.
        persons: number of persons; of images where no person is known.
        exact: whether the tests tried every pattern of signs.
        least_p: the least p that so many persons can give, before correction.
    """

    scores: dict[str, EstimatorScores]
    differences: dict[str, AccuracyDifference]
    reference: str
    persons: int
    exact: bool
    least_p: float


def comparison(
    predictions: pd.DataFrame,
    reference: str,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> EstimatorComparison:
    """Score every estimator, and test each against the reference.

    The resamples of `seed` are the same for every estimator. `predictions` has one row for each
    estimator and image: `estimator`, `image`, `person` (missing where unknown; the image then
    counts as a person), `level` of the raters (a place in `LEVELS`), `mean` rating, `predicted` (a
    place in `LEVELS`; <NA> for an abstention) and `score` (the greater the stronger; NaN for none).

    Raises:
        ValueError: the reference is not among the estimators.
    """
    names = list(dict.fromkeys(predictions["estimator"]))
    if reference not in names:
        raise ValueError(f"'{reference}' is none of the estimators compared: {', '.join(names)}")
    tables = {name: predictions[predictions["estimator"] == name] for name in names}
    options: dict[str, Any] = {"seed": seed, "resamples": resamples, "level": level}
    persons = len(_by_person(tables[reference]))
    return EstimatorComparison(
        scores={name: score(table, **options) for name, table in tables.items()},
        differences=_differences(tables, reference, seed),
        reference=reference,
        persons=persons,
        exact=tries_all_signs(persons),
        least_p=least_p(persons),
    )


def score(table: pd.DataFrame, *, seed: int, resamples: int, level: float) -> EstimatorScores:
    """Score one estimator's rows."""
    who = people(table["person"], np.ones(len(table), bool))
    options: dict[str, Any] = {"unit": who.unit, "resamples": resamples, "level": level}
    rows = table["level"].to_numpy(np.int64)
    abstained = table["predicted"].isna().to_numpy()
    columns = table["predicted"].fillna(0).to_numpy(np.int64)
    # An abstention is always wrong, so a face of level None needs another column than None.
    columns = np.where(abstained & (rows == 0), 1, columns)
    counts = counts_per_cluster(rows, columns, (len(LEVELS), len(LEVELS)), who.number)
    estimates = bootstrap(STATISTICS, counts, np.random.default_rng(seed), **options)
    hits = int(np.trace(counts.sum(axis=0)))
    estimates["accuracy"] = no_narrower(estimates["accuracy"], hits, len(table))
    # Means of the same votes may differ in the last bit. A face without a score ranks lowest.
    x = table["score"].fillna(-np.inf).to_numpy(np.float64).round(9)
    y = table["mean"].to_numpy(np.float64).round(9)
    correlation = resampled(
        lambda draws: {"spearman": spearman(x, y, draws[:, who.number])},
        np.ones(who.size, np.int64),
        np.random.default_rng(seed),
        **options,
    )
    return EstimatorScores(
        count=len(table),
        abstained=int(abstained.sum()),
        confusion=tuple(tuple(row) for row in counts.sum(axis=0).tolist()),
        **estimates,
        **correlation,
    )


def _differences(
    tables: dict[str, pd.DataFrame], reference: str, seed: int
) -> dict[str, AccuracyDifference]:
    """The test of each other estimator, over the persons whose faces both were given."""
    ours = _by_person(tables[reference])
    gaps = {
        name: (ours - _by_person(table)).dropna().to_numpy()
        for name, table in tables.items()
        if name != reference
    }
    gaps = {name: gap for name, gap in gaps.items() if len(gap)}
    p = [sign_flip(gap, np.random.default_rng(seed)) for gap in gaps.values()]
    return {
        name: AccuracyDifference(float(gap.mean()), one, adjusted)
        for (name, gap), one, adjusted in zip(gaps.items(), p, holm(p), strict=True)
    }


def _by_person(table: pd.DataFrame) -> pd.Series:
    """The share of right levels of each person, or of each image whose person is unknown."""
    right = (table["predicted"] == table["level"]).fillna(value=False).astype(np.float64)
    person = table["person"].astype(object).where(table["person"].notna(), table["image"])
    return right.groupby(person).mean()
