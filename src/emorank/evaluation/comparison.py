"""Estimators of intensity side by side on the same faces: Table 10 measured in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.significance import SignFlip, holm, sign_flip
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    bootstrap,
    clusters,
    counts_per_cluster,
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
        count: faces scored.
        abstained: of these, those of which it said nothing; they are wrong, and None in distance.
        confusion: rows the raters' level, columns its own, both in the order of `LEVELS`.
        accuracy: the share of right levels.
        balanced_accuracy: mean recall over the levels that occur.
        quadratic_kappa: Cohen's kappa with quadratic weights.
        mean_absolute_error: in levels.
        spearman: between its continuous intensity and the raters' mean.
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
    """The reference's accuracy less an estimator's, the mean over persons, and its test.

    Attributes:
        value: above zero where the reference is better.
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
        reference: the estimator that the others are tested against.
        persons: how many the tests and intervals are over.
        exact: whether the test tried every pattern of signs.
        least_p: the least p that so many persons can give, before correction.
    """

    scores: dict[str, EstimatorScores]
    differences: dict[str, AccuracyDifference]
    reference: str
    persons: int
    exact: bool
    least_p: float

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers for JSON; undefined is None."""
        result: dict[str, Any] = msgspec.to_builtins(self)
        return result

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "EstimatorComparison":
        """The inverse of `to_dict`."""
        return msgspec.convert(record, cls)


def comparison(
    predictions: pd.DataFrame,
    reference: str,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> EstimatorComparison:
    """Score every estimator, and test each against the reference.

    Args:
        predictions: `estimator`, `image`, `person` (missing where unknown: then each image is a
            person), `level` (what the raters say; a place in `LEVELS`), `mean` rating,
            `predicted` (a place in `LEVELS`; <NA> for an abstention) and `score` (the greater the
            stronger; NaN for none), one row for each estimator and image.
        reference: the estimator that the others are tested against.
        seed: of the resamples, which are the same for every estimator, and of the sign patterns.
        resamples: of the bootstrap.
        level: coverage of the intervals.
    """
    names = list(dict.fromkeys(predictions["estimator"]))
    if reference not in names:
        raise ValueError(f"'{reference}' is none of the estimators compared: {', '.join(names)}")
    tables = {name: predictions[predictions["estimator"] == name] for name in names}
    again = partial(score, seed=seed, resamples=resamples, level=level)
    flips = _flips(tables, reference, seed)
    corrected = dict(zip(flips, holm([flip.p for flip in flips.values()]), strict=True))
    persons = len(_by_person(tables[reference]))
    example = sign_flip(np.ones(persons), np.random.default_rng(seed), draws=1)
    return EstimatorComparison(
        scores={name: again(table) for name, table in tables.items()},
        differences={n: AccuracyDifference(f.mean, f.p, corrected[n]) for n, f in flips.items()},
        reference=reference,
        persons=persons,
        exact=example.exact,
        least_p=example.least,
    )


def score(table: pd.DataFrame, *, seed: int, resamples: int, level: float) -> EstimatorScores:
    """Score one estimator's rows."""
    person = clusters(_persons(table), len(table))
    unit = "persons" if table["person"].notna().any() else "images"
    rows = table["level"].to_numpy(np.int64)
    abstained = table["predicted"].isna().to_numpy()
    columns = table["predicted"].fillna(0).to_numpy(np.int64)
    # An abstention is wrong whatever is right, so that a face of level None needs another column.
    wrong = np.where(abstained & (rows == 0), 1, columns)
    counts = counts_per_cluster(rows, wrong, (len(LEVELS), len(LEVELS)), person)
    again = partial(bootstrap, unit=unit, resamples=resamples, level=level)
    found = again(STATISTICS, counts, np.random.default_rng(seed))
    # Means of the same votes may differ in the last bit; a face without a score is the weakest.
    values = table["score"].fillna(-np.inf).to_numpy(np.float64).round(9)
    x, y = (np.unique(v, return_inverse=True) for v in (values, table["mean"].round(9)))
    pairs = counts_per_cluster(x[1], y[1], (len(x[0]), len(y[0])), person)
    correlation = again({"spearman": confusion.spearman}, pairs, np.random.default_rng(seed))
    return EstimatorScores(
        count=len(table),
        abstained=int(abstained.sum()),
        confusion=tuple(tuple(row) for row in counts.sum(axis=0).tolist()),
        **found,
        **correlation,
    )


def _flips(tables: Mapping[str, pd.DataFrame], reference: str, seed: int) -> dict[str, SignFlip]:
    ours = _by_person(tables[reference])
    found = {}
    for name, table in tables.items():
        if name != reference:
            # An estimator that was not asked about some person is compared on the others.
            difference = (ours - _by_person(table)).dropna()
            if len(difference):
                found[name] = sign_flip(difference.to_numpy(), np.random.default_rng(seed))
    return found


def _by_person(table: pd.DataFrame) -> pd.Series:
    """The share of right levels of each person."""
    right = (table["predicted"] == table["level"]).fillna(value=False).astype(np.float64)
    return right.groupby(_persons(table)).mean()


def _persons(table: pd.DataFrame) -> pd.Series:
    return table["person"].astype(object).where(table["person"].notna(), table["image"])
