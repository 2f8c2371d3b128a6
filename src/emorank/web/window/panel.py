"""What the page says of one face: emotion, scales, intervals, and why; values for its template."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emorank.ranking.contrast import THRESHOLDS
from emorank.ranking.intervals import GROUPS, INTERVALS
from emorank.report.reading import places
from emorank.report.score_line import number
from emorank.vocabulary import LEVEL_COLUMNS, LEVELS, Emotion
from emorank.web.window.shelf import Answer

TITLES = {
    "contrast": ("Contrast to neutral", "the logit of the expression less that of neutral"),
    "paper": ("The paper's rule", "where most relevance lies among ten intervals"),
    "evidence": ("Evidence", "against thirds of faces that the network did not learn from"),
    "calibrated": ("Calibrated", "fitted on rated faces"),
    "ordinal": ("Ordinal network", "learnt from rated faces"),
}


@dataclass(frozen=True)
class Scale:
    """Where a face is between None and Strong, by one rank.

    Attributes:
        title, about: what the rank is called, and what it goes by.
        level: a word of `LEVELS`; None where the rank abstains.
        score: of the rank, in its own unit.
        place: on the scale, 0 to 1, each level a quarter; None where only the level is known.
        chances: the probability of each level; none where the rank has none.
    """

    title: str
    about: str
    level: str | None
    score: str
    place: float | None
    chances: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same in words."""
        return f"{self.title}: {self.level or 'unsure'}, score {self.score}"


@dataclass(frozen=True)
class Interval:
    """One of the ten intervals of the paper's rule.

    Attributes:
        count: values of relevance in it.
        length: of its bar, 0 to 1, logarithmic.
        groups: whether it belongs to that of Minimal, Average, Strong.
        zero: whether no relevance, 0, lies in it.
    """

    number: int
    count: int
    length: float
    groups: tuple[bool, ...]
    zero: bool


@dataclass(frozen=True)
class Panel:
    """All that is said of a face.

    Attributes:
        title: the emotion and its level.
        named: what the network calls the face.
        totals: the counts of the three groups of intervals, by their words.
    """

    expressed: str
    title: str
    named: str
    probabilities: tuple[tuple[str, float], ...]
    scales: tuple[Scale, ...]
    question: str
    because: str
    warning: str
    intervals: tuple[Interval, ...]
    totals: tuple[tuple[str, str, int], ...]
    paper_level: str


def panel(
    answer: Answer, ranks: Sequence[str], classes: Iterable[Emotion], *, asked: bool = False
) -> Panel:
    """What is said of a face; the first of `ranks` has no prefix in its row.

    `asked`: somebody chose the expression, so it is in the title though the face is called neutral.
    """
    row, prefixes = answer.face.row, {name: f"{name}_" for name in ranks}
    prefixes[ranks[0]] = ""
    scales = tuple(_scale(name, row, prefix) for name, prefix in prefixes.items())
    order = list(Emotion)
    known = sorted(classes, key=order.index)
    paper = {key: row[prefixes["paper"] + key] for key in (*_COUNTS, "zero", "rank")}
    expressed, level = Emotion(row["expressed"]), row["rank"] or "unsure"
    named = f"named {row['predicted']} with probability {row['p_' + row['predicted']]:.2f}"
    calm = row["predicted"] == Emotion.NEUTRAL
    if calm:
        named += f"; of the expressions, {expressed} has {row['expressed_p']:.2f}"
    return Panel(
        expressed=expressed.label,
        title=Emotion.NEUTRAL.label if calm and not asked else f"{expressed.label} · {level}",
        named=named,
        probabilities=tuple((str(one), float(row[f"p_{one}"])) for one in known),
        scales=scales,
        question=_question(answer),
        because=_because(answer),
        warning=answer.explanation.warning,
        intervals=tuple(_intervals(paper)),
        totals=tuple(
            (one.label, f"{first}–{last}", sum(paper[f"n_{j}"] for j in range(first, last + 1)))
            for one, (first, last) in GROUPS.items()
        ),
        paper_level=paper["rank"],
    )


_COUNTS = tuple(f"n_{number}" for number in range(1, INTERVALS + 1))


def _scale(name: str, row: Mapping[str, Any], prefix: str) -> Scale:
    level = row[f"{prefix}rank"]
    score = f"{row[f'{prefix}score']:.3f}" if name == "paper" else number(row[f"{prefix}score"])
    chances = [row[f"{prefix}{column}"] for column in LEVEL_COLUMNS if f"{prefix}{column}" in row]
    place = None
    if chances:
        place = sum(chance * (k + 0.5) for k, chance in enumerate(chances)) / len(LEVELS)
    elif f"{prefix}log_odds" in row:
        place = _between(row[f"{prefix}log_odds"], THRESHOLDS)
    return Scale(*TITLES[name], level, score, place, tuple(f"{one:.2f}" for one in chances))


def _between(value: float, thresholds: Sequence[float]) -> float:
    """Where a value is on a scale whose levels are equally long; it never quite ends outside."""
    span = thresholds[-1] - thresholds[0]
    if value < thresholds[0]:
        share = math.exp((value - thresholds[0]) / span)
        return share / len(LEVELS)
    for k, (low, high) in enumerate(pairwise(thresholds), start=1):
        if value < high:
            return (k + (value - low) / (high - low)) / len(LEVELS)
    return 1 - math.exp((thresholds[-1] - value) / span) / len(LEVELS)


def _question(answer: Answer) -> str:
    against = f", and not {answer.against}" if answer.against else ""
    return f"Why {answer.face.row['expressed']}{against}?"


def _because(answer: Answer) -> str:
    why = answer.explanation
    what = "Logit" if why.difference is None else "Difference of the logits"
    value = why.logit if why.difference is None else why.difference
    (plane,) = (relevance.sum(axis=0) for relevance in why.maps.values())
    where = places(answer.face)
    return (
        f"{what} {number(value)}; pixels {number(float(plane.sum()))}, biases and rules the rest"
        + (f". What speaks for it lies at: {where}" if where else "")
    )


def _intervals(paper: Mapping[str, Any]) -> Iterable[Interval]:
    counts = [int(paper[name]) for name in _COUNTS]
    most = math.log1p(max(counts)) or 1.0
    zero = paper["zero"]
    at = min(max(int(zero * INTERVALS), 0), INTERVALS - 1) + 1 if math.isfinite(zero) else 0
    for j, count in enumerate(counts, start=1):
        groups = tuple(first <= j <= last for first, last in GROUPS.values())
        yield Interval(j, count, math.log1p(count) / most, groups, j == at)
