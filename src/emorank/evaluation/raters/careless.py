"""Raters who may not have looked: four measures, and a rule that says when they are left out.

| measure   | what, as a share from 0 to 1                     | source                           |
|-----------|--------------------------------------------------|----------------------------------|
| `fast`    | timed answers under `answers_table.FAST_MS`, or  | Huang and others 2012 (time on a |
|           | the shortest viewing time if that is longer      | page)                            |
| `run`     | longest run of one and the same answer, of all   | Johnson 2005 (long string),      |
|           | answers of the rater                             | Curran 2016                      |
| `checks`  | attention checks that were failed                | Meade and Craig 2012             |
| `repeats` | faces shown twice whose answers agree: at most   | Curran 2016 (consistency within  |
|           | one level, or 25 positions, apart; of pairs the  | a person)                        |
|           | same face                                        |                                  |

Curran 2016 proposes to leave out who gives one answer in a run of half of the questions or more.
The other numbers of a rule have no general standard, and none is built in: the study declares
them before it has data. A measure with too few answers behind it is None and leaves nobody out.

Sources: Curran 2016, Journal of Experimental Social Psychology 66, 4-19; Meade and Craig 2012,
Psychological Methods 17, 437-455; Huang, Curran, Keeney, Poposki and DeShon 2012, Journal of
Business and Psychology 27, 99-114; Johnson 2005, Journal of Research in Personality 39, 103-129.
"""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.answers.answers_table import RANKS, SKIP, fast_of
from emorank.answers.names import natural
from emorank.answers.scales import NEAR, Scale
from emorank.errors import RatingError
from emorank.vocabulary import NONE

LEAST_ANSWERS, LEAST_REPEATS = 10, 3
_SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
MEASURES = ("fast", "run", "checks", "repeats")
EXAMPLE = "fast>0.1, run>=0.5, checks>0.34, repeats<0.5"
_CRITERION = re.compile(r"([a-z]+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Marks:
    """The measures of one rater, shares from 0 to 1; None where too little is known.

    Attributes:
        answers: that the rater gave, repeats too.
        failed: attention checks that were failed, of `checked`.
        met: the criteria of the rule that the rater meets, in words.
        excluded: whether the rule leaves the rater out.
    """

    rater: str
    answers: int
    fast: float | None
    run: float | None
    checks: float | None
    repeats: float | None
    failed: int = 0
    checked: int = 0
    met: tuple[str, ...] = ()
    excluded: bool = False


@dataclass(frozen=True)
class Rule:
    """When a rater is left out: `least` or more of the criteria are met.

    Attributes:
        criteria: (measure, sign, number) of each.
        text: the rule as it was written.
    """

    criteria: tuple[tuple[str, str, float], ...]
    least: int
    text: str


def parse_rule(text: str) -> Rule:
    """Read a rule such as "fast>0.1, run>=0.5" (one is enough) or "2 of: fast>0.1, run>=0.5, …".

    Raises:
        RatingError: it is none, or a number is not a share from 0 to 1.
    """
    head, colon, rest = text.partition(":")
    count = re.fullmatch(r"\s*(\d+)\s+of\s*", head) if colon else None
    parts = [part.strip() for part in (rest if count else text).split(",") if part.strip()]
    criteria = []
    for part in parts:
        found = _CRITERION.fullmatch(part)
        if not found or found[1] not in MEASURES or float(found[3]) > 1:
            raise RatingError(
                f"'{part}' is no criterion of an exclusion rule; expected one of "
                f"{', '.join(MEASURES)}, then > >= < <=, then a share from 0 to 1, such as: "
                f"{EXAMPLE}"
            )
        criteria.append((found[1], found[2], float(found[3])))
    least = int(count[1]) if count else 1
    if not criteria or not 1 <= least <= len(criteria):
        raise RatingError(f"'{text}' is no exclusion rule; expected such as: {EXAMPLE}")
    return Rule(tuple(criteria), least, " ".join(text.split()))


def careless(
    scale: Scale,
    answers: pd.DataFrame,
    checks: Mapping[str, tuple[int, int]] | None = None,
    rule: Rule | None = None,
) -> tuple[Marks, ...]:
    """The measures of every rater, and what a rule says about each.

    `answers` are those of `room.scaled.scaled_answers`, in the order in which they were given;
    `checks` has of each rater (failed, answered) attention checks.
    """
    known = checks or {}
    names = sorted({*answers["rater"], *known}, key=natural)
    marks = []
    for name in names:
        mine = answers[answers["rater"] == name]
        failed, checked = known.get(name, (0, 0))
        measures = {
            "fast": _fast(mine),
            "run": _run(mine["answer"]),
            "checks": failed / checked if checked else None,
            "repeats": _repeats(scale, mine),
        }
        met = _met(rule, measures)
        out = rule is not None and len(met) >= rule.least
        marks.append(Marks(str(name), len(mine), **measures, failed=failed, checked=checked,
                           met=met, excluded=out))  # fmt: skip
    return tuple(marks)


def with_values(answers: pd.DataFrame) -> pd.DataFrame:
    """The table of `answers_table` with `value`: ranks as numbers from 1."""
    numbers = {word: number for number, word in enumerate(RANKS, start=1)}
    return answers.assign(value=answers["answer"].map(numbers).astype("Float64"))


def kept(answers: pd.DataFrame, marks: Iterable[Marks]) -> pd.DataFrame:
    """The answers of the raters whom no rule leaves out."""
    out = {one.rater for one in marks if one.excluded}
    return answers[~answers["rater"].isin(out)].reset_index(drop=True)


def _met(rule: Rule | None, measures: Mapping[str, float | None]) -> tuple[str, ...]:
    met = []
    for measure, sign, number in rule.criteria if rule else ():
        value = measures[measure]
        if value is not None and _SIGNS[sign](value, number):
            met.append(f"{measure} {sign} {number:g}")
    return tuple(met)


def _fast(mine: pd.DataFrame) -> float | None:
    timed = mine[mine["reaction_ms"].notna()]
    return float(fast_of(timed).mean()) if len(timed) >= LEAST_ANSWERS else None


def _run(given: "pd.Series[str]") -> float | None:
    if len(given) < LEAST_ANSWERS:
        return None
    words = given.to_numpy(dtype=object)
    starts = np.flatnonzero(np.append(True, words[1:] != words[:-1]))
    return float(np.diff(np.append(starts, len(words))).max() / len(words))


def _repeats(scale: Scale, mine: pd.DataFrame) -> float | None:
    unit = ["first", "second", "emotion"] if scale.kind == "pairs" else ["image", "emotion"]
    given = mine[mine["answer"] != SKIP]
    given = given.assign(emotion=given["emotion"].fillna(""))
    both = given[~given["repeat"]].merge(given[given["repeat"]], on=unit, suffixes=("_1", "_2"))
    if len(both) < LEAST_REPEATS:
        return None
    if scale.kind == "pairs":
        return float((both["stronger_1"] == both["stronger_2"]).mean())
    return float(np.mean([_near(scale, *row) for row in _values(both)]))


def _values(both: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    names = ["answer_1", "answer_2", "value_1", "value_2"]
    return both[names].itertuples(index=False, name=None)


def _near(scale: Scale, first: str, second: str, one: Any, other: Any) -> bool:
    """Whether two answers agree; None is the level below the lowest, and no position."""
    if scale.kind == "levels":
        one, other = (0 if word == NONE else n for word, n in ((first, one), (second, other)))
        return bool(abs(one - other) <= 1)
    if NONE in (first, second):
        return first == second
    return bool(abs(one - other) <= NEAR)
