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
        count: number of these faces.
        abstained: faces with a majority for which there is no rank.
        confusion: rows the majority's level, columns the predicted one, None to Strong.
        quadratic_kappa: Cohen's kappa with quadratic weights (Cohen 1968).
        mean_absolute_error: in levels.
        accuracy: the share of ranks that equal the majority's.
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
    """Compare ranks with the raters' majority.

    Args:
        level: (face,) predicted place in `LEVELS`, missing where there is no rank.
        majority: (face,) the raters' place in `LEVELS`; faces without one are left out.
        persons: (face,).
        options: of the bootstrap.
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
