"""Each rater against themselves: what was answered when the same image came again."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.answers.answers_table import SKIP, repeats_of
from emorank.answers.names import natural
from emorank.evaluation.raters.ratings import LEVELS
from emorank.evaluation.statistics.confusion import quadratic_kappa
from emorank.evaluation.statistics.uncertainty import LEVEL, Estimate, wilson

ALL = "all raters"


@dataclass(frozen=True)
class Consistency:
    """How a rater answered the second time.

    Attributes:
        rater: the name; `ALL` for everybody's repeats together.
        repeats: units answered twice, neither time by Skip.
        same: the share answered alike, with Wilson's interval.
        within_one: the share at most one level apart; None without repeats.
        kappa: quadratic-weighted, None as the level below Minimal; None where undefined.
        reason: why `kappa` is None.
    """

    rater: str
    repeats: int
    same: Estimate
    within_one: float | None
    kappa: float | None
    reason: str = ""


def consistency(answers: pd.DataFrame, level: float = LEVEL) -> tuple[Consistency, ...]:
    """The consistency of every rater with a repeat, and of all together as the first entry.

    Args:
        answers: from `answers_table`; empty result if no unit was answered twice.
        level: coverage of the intervals.
    """
    both = repeats_of(answers)
    both = both[(both["first"] != SKIP) & (both["second"] != SKIP)]
    if not len(both):
        return ()
    names = sorted(both["rater"].unique(), key=natural)
    each = (_of(name, both[both["rater"] == name], level) for name in names)
    return (_of(ALL, both, level), *each)


def _of(rater: str, both: pd.DataFrame, level: float) -> Consistency:
    levels = pd.Index(LEVELS)
    first, second = (levels.get_indexer(pd.Index(both[name])) for name in ("first", "second"))
    table = np.zeros((len(levels), len(levels)), np.int64)
    np.add.at(table, (first, second), 1)
    kappa = float(quadratic_kappa(table))
    undefined = not np.isfinite(kappa)
    return Consistency(
        rater=rater,
        repeats=len(both),
        same=wilson(int((first == second).sum()), len(both), level),
        within_one=float((np.abs(first - second) <= 1).mean()),
        kappa=None if undefined else kappa,
        reason="one and the same answer throughout" if undefined else "",
    )
