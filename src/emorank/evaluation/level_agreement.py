"""Do ranks agree with the majority of the raters, level by level?"""

from dataclasses import dataclass

import numpy as np

from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import Column, Options, floats, missing, people
from emorank.evaluation.statistics.uncertainty import Estimate, counts_per_cluster
from emorank.vocabulary import LEVELS

_SCORES = {
    "quadratic_kappa": confusion.quadratic_kappa,
    "mean_absolute_error": confusion.mean_absolute_error,
    "accuracy": confusion.accuracy,
}


@dataclass(frozen=True)
class LevelAgreement:
    """Ranks against the raters' majority, over the faces that have both.

    Attributes:
        abstained: faces with a majority for which there is no rank.
        confusion: rows the majority's level, columns the predicted one, None to Strong.
        mean_absolute_error: in levels.
        majority_error: mean absolute error of always predicting the most frequent level.
        majority_level: the most frequent level of these faces.
    """

    count: int
    abstained: int
    confusion: tuple[tuple[int, ...], ...]
    quadratic_kappa: Estimate
    mean_absolute_error: Estimate
    accuracy: Estimate
    majority_error: Estimate
    majority_level: str


def level_agreement(
    level: Column, majority: Column, persons: Column | None = None, options: Options | None = None
) -> LevelAgreement:
    """Compare ranks with the raters' majority, both as places in `LEVELS`.

    Faces without a majority are left out; those without a rank are counted as abstained.
    """
    options = options or Options()
    known = ~missing(majority)
    both = known & ~missing(level)
    rows = floats(majority)[both].astype(np.int64)
    columns = floats(level)[both].astype(np.int64)
    who, shape = people(persons, both), (len(LEVELS), len(LEVELS))
    tables = counts_per_cluster(rows, columns, shape, who.number)
    matrix = tables.sum(0)
    usual = int(matrix.sum(1).argmax())
    constant = counts_per_cluster(rows, np.full_like(rows, usual), shape, who.number)
    always = who.sums({"error": confusion.mean_absolute_error}, constant, options)
    return LevelAgreement(
        count=len(rows),
        abstained=int((known & ~both).sum()),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        majority_error=always["error"],
        majority_level=LEVELS[usual] if len(rows) else "",
        **who.sums(_SCORES, tables, options),
    )
