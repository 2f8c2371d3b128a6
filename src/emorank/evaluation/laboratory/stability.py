"""How far a score moves when the picture changes and the expression does not."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from emorank.evaluation.statistics.columns import Column, Options, array, floats, missing, people
from emorank.evaluation.statistics.uncertainty import Estimate, with_reason


@dataclass(frozen=True)
class ScoreChange:
    """A score before and after one change of the picture.

    Attributes:
        count: faces that have a score before and after.
        shift: mean distance of the two scores, in standard deviations of the scores of all faces.
            Two independent scores of one normal distribution are 1.13 apart.
        moved: share of the faces whose level changes, appears or is lost; None if no face has a
            level.
    """

    count: int
    shift: Estimate
    moved: Estimate


def change(
    before: tuple[Column, Column],
    after: tuple[Column, Column],
    spread: float,
    persons: Column | None = None,
    options: Options | None = None,
) -> ScoreChange:
    """Compare the score and level of each face `before` and `after` a change.

    They are missing where there is none. `spread` is the standard deviation of the scores of all
    unchanged faces.
    """
    options = options or Options()
    both = ~(missing(before[0]) | missing(after[0]))
    who = people(persons, both)
    gap = abs(floats(after[0])[both] - floats(before[0])[both])
    reason = "" if both.any() else "no face has a score before and after"
    if spread == 0:
        reason, gap = "the score is the same for every face", np.full_like(gap, np.nan)
    shift = who.quotient(gap / (spread or 1.0), np.ones_like(gap), options)
    return ScoreChange(
        int(both.sum()), with_reason(shift, reason), _moved(before, after, persons, options)
    )


def _moved(
    before: tuple[Column, Column],
    after: tuple[Column, Column],
    persons: Column | None,
    options: Options,
) -> Estimate:
    old, new = floats(before[1]), floats(after[1])
    some = np.isfinite(old) | np.isfinite(new)
    who = people(persons, some)
    different: Float[np.ndarray, " face"] = (old[some] != new[some]).astype(np.float64)
    share = who.quotient(different, np.ones_like(different), options)
    return with_reason(share, "" if some.any() else "no face has a level")


def spread_of(score: Column) -> float:
    """The standard deviation of the scores that are not missing; 0 if all are."""
    values = floats(array(score)[~missing(score)])
    return float(values.std()) if len(values) else 0.0
