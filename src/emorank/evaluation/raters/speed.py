"""How many answers of each rater came too soon for a judgement."""

from dataclasses import dataclass

import pandas as pd

from emorank.answers.answers_table import fast_of
from emorank.answers.names import natural
from emorank.evaluation.raters.consistency import ALL


@dataclass(frozen=True)
class Speed:
    """How fast a rater answered.

    Attributes:
        rater: the name; `ALL` for everybody's answers together.
        timed: answers with a known reaction time, repeats too.
        fast: those of them that `answers_table.fast_of` finds too fast.
        share: `fast` of `timed`.
    """

    rater: str
    timed: int
    fast: int
    share: float


def speed(answers: pd.DataFrame) -> tuple[Speed, ...]:
    """The speed of all raters together, then of each; empty if no reaction time is known."""
    timed = answers[answers["reaction_ms"].notna()]
    if not len(timed):
        return ()
    names = sorted(timed["rater"].unique(), key=natural)
    return (_of(ALL, timed), *(_of(name, timed[timed["rater"] == name]) for name in names))


def _of(rater: str, timed: pd.DataFrame) -> Speed:
    fast = int(fast_of(timed).sum())
    return Speed(rater, len(timed), fast, fast / len(timed))
