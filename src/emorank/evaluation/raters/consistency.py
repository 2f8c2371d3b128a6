"""How consistent each rater is: the answers to images that were shown twice."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.answers.answers_table import SKIP, repeats_of
from emorank.answers.names import natural
from emorank.evaluation.statistics.confusion import confusion, quadratic_kappa
from emorank.evaluation.statistics.uncertainty import LEVEL, Estimate, wilson
from emorank.vocabulary import LEVELS

ALL = "all raters"


@dataclass(frozen=True)
class Consistency:
    """How a rater's second answers compare with the first ones.

    Attributes:
        rater: the name; `ALL` for everybody's repeats together.
        repeats: units answered twice, neither time by Skip.
        same: the share of equal answers, with Wilson's interval.
        within_one: the share of answers at most one level apart.
        kappa: quadratic-weighted, with the answer None as the level below Minimal; None if
            undefined.
        reason: why `kappa` is None.
    """

    rater: str
    repeats: int
    same: Estimate
    within_one: float
    kappa: float | None
    reason: str = ""


def consistency(answers: pd.DataFrame, level: float = LEVEL) -> tuple[Consistency, ...]:
    """The consistency of all raters together, then of each rater with a repeat.

    `answers` are from `answers_table`. The result is empty if no unit was answered twice.
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
    kappa = float(quadratic_kappa(confusion(first, second, len(levels))))
    undefined = not np.isfinite(kappa)
    return Consistency(
        rater=rater,
        repeats=len(both),
        same=wilson(int((first == second).sum()), len(both), level),
        within_one=float((np.abs(first - second) <= 1).mean()),
        kappa=None if undefined else kappa,
        reason="one and the same answer throughout" if undefined else "",
    )
