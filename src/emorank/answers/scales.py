"""What raters can answer: three or four levels, a slider from 0 to 100, or the stronger of a pair.

`THREE` is the scale of the paper, and of every file of votes. The other scales are those of rating
projects.
"""

import re
from dataclasses import dataclass
from typing import Literal

from emorank.answers.answers_table import RANKS, SKIP
from emorank.errors import RatingError
from emorank.vocabulary import NONE

Kind = Literal["levels", "slider", "pairs"]
SCALES = ("three", "four", "slider", "pairs")
FOUR = ("Minimal", "Moderate", "Strong", "Extreme")
LEFT, RIGHT, TIE = "Left", "Right", "Tie"
TOP = 100  # of the slider, which begins at 0
NEAR = 25  # positions of a slider that count as the same answer
LONGEST_NAME = 40
_RANGE = re.compile(r"(\d{1,3})\s*[-–]\s*(\d{1,3})")


@dataclass(frozen=True)
class Scale:
    """What a rater can answer.

    Attributes:
        kind: "levels" in an order, a "slider", or "pairs" of faces.
        levels: the names of the levels, weakest first; empty for the other kinds.
        ties: whether "equally strong" is an answer to a pair.
    """

    kind: Kind
    levels: tuple[str, ...] = ()
    ties: bool = False

    @property
    def name(self) -> str:
        """One of `SCALES`."""
        return {3: "three", 4: "four"}[len(self.levels)] if self.kind == "levels" else self.kind

    @property
    def standard(self) -> bool:
        """Whether it is the scale of the paper."""
        return self.levels == RANKS

    @property
    def words(self) -> tuple[str, ...]:
        """All answers that are words: of a slider only those that are no position."""
        own = (LEFT, RIGHT, *([TIE] if self.ties else [])) if self.kind == "pairs" else self.levels
        return (*own, SKIP) if self.kind == "pairs" else (*own, NONE, SKIP)

    def admits(self, answer: str) -> bool:
        """Whether this is an answer on the scale; a slider's positions are "0" to "100"."""
        return answer in self.words or (self.kind == "slider" and answer in _POSITIONS)

    def number(self, answer: str) -> float | None:
        """The answer as a number: of a level from 1, of a slider the position; None without one."""
        if answer in self.levels:
            return float(self.levels.index(answer) + 1)
        return float(answer) if self.kind == "slider" and answer in _POSITIONS else None

    def expects(self, answer: str) -> bool:
        """Whether a study can expect this answer: one of the scale, or of a slider "70-100"."""
        return answer != SKIP and (self.admits(answer) or self.limits(answer) is not None)

    def as_expected(self, answer: str, expected: str) -> bool:
        """Whether an answer is the expected one; of a slider in the range, or near the position."""
        limits, position = self.limits(expected), self.number(answer)
        if limits is None or position is None:
            return answer == expected
        return limits[0] <= position <= limits[1]

    def limits(self, expected: str) -> tuple[float, float] | None:
        """The lowest and highest position of a slider that are expected; None where none is."""
        if self.kind != "slider":
            return None
        if expected in _POSITIONS:
            return float(expected) - NEAR, float(expected) + NEAR
        found = _RANGE.fullmatch(expected)
        low, high = (int(found[1]), int(found[2])) if found else (1, 0)
        return (low, high) if low <= high <= TOP else None


_POSITIONS = frozenset(map(str, range(TOP + 1)))
THREE = Scale("levels", RANKS)


def scale_of(name: str, levels: tuple[str, ...] = (), ties: bool = False) -> Scale:
    """The scale of a name in `SCALES`; `levels` names those of a scale of four.

    Raises:
        RatingError: the names do not fit the scale.
    """
    if ties and name != "pairs":
        raise RatingError("ties are for pairs; the other scales have none")
    if levels and name != "four":
        raise RatingError(
            f"names of levels are for the scale of four; '{name}' has its own: leave them out, or "
            "choose the scale 'four'"
        )
    if name == "three":
        return THREE
    if name == "four":
        return Scale("levels", _checked(tuple(word.strip() for word in levels) or FOUR))
    if name == "slider":
        return Scale("slider")
    if name == "pairs":
        return Scale("pairs", ties=ties)
    raise RatingError(f"'{name}' is no scale; expected {', '.join(SCALES)}")


def _checked(levels: tuple[str, ...]) -> tuple[str, ...]:
    taken = {NONE.lower(), SKIP.lower()}
    names = {word.lower() for word in levels}
    if len(levels) != 4 or len(names) < 4 or names & taken or "" in names:
        raise RatingError(
            f"the levels are '{', '.join(levels)}'; expected four different names, weakest first, "
            f"none of them {NONE} or {SKIP}"
        )
    for word in levels:
        if len(word) > LONGEST_NAME or not word.isprintable():
            raise RatingError(
                f"the level '{word[:LONGEST_NAME]}…' is no name for a button; expected at most "
                f"{LONGEST_NAME} printable characters"
            )
    return levels
