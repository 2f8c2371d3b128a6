"""The figures of an audit: scores against intensity, along sequences, per rank, under changes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emorank.evaluation.laboratory.verdict import Examination
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.style import INK, PALETTE, blank, short, styled
from emorank.vocabulary import LEVELS, Emotion

# None, Minimal, Average, Strong: dark for strong, told apart in grey too.
LEVEL_COLOURS = ("#d9dee4", "#9ecbe8", "#3d8fc4", "#0b3c66")
_MARKS = ("o", "s", "^", "D", "v", "P")


@styled
def scores(table: pd.DataFrame, ranks: Sequence[str], truth: str, label: str) -> Figure:
    """Small multiples: a row per rank, a column per emotion; a dot is a face.

    Args:
        table: `rank`, `emotion`, `score` and the column `truth`; faces without either are left out.
        ranks: the rows.
        truth: name of the column that knows.
        label: what it is, in words.
    """
    known = table.dropna(subset=[truth, "score", "emotion"])
    known = known[known["emotion"] != Emotion.NEUTRAL]
    emotions = [e for e in Emotion if e in set(known["emotion"])] or [Emotion.HAPPY]
    figure = blank(1.35 * len(emotions) + 1.1, 1.35 * max(1, len(ranks)) + 0.6)
    grid = figure.subplots(
        max(1, len(ranks)), len(emotions), squeeze=False, sharex=True, sharey="row"
    )
    for row, rank in enumerate(ranks):
        for column, emotion in enumerate(emotions):
            axes: Axes = grid[row, column]
            here = known[(known["rank"] == rank) & (known["emotion"] == emotion)]
            x, y = (here[name].to_numpy(np.float64) for name in (truth, "score"))
            axes.plot(x, y, "o", ms=3.5, mec="white", mew=0.3, color=PALETTE[0])
            axes.tick_params(labelsize=7)
            axes.locator_params(nbins=3)
            if row == 0:
                axes.set_title(emotion.label, fontsize=9)
        grid[row, 0].set_ylabel(short(rank, 14), fontsize=9)
    figure.supxlabel(label, fontsize=9)
    figure.supylabel("score", fontsize=9)
    return figure


@styled
def transitions(table: pd.DataFrame, rank: str) -> Figure:
    """The level of each frame along every sequence, a sequence a line, emotions side by side.

    The table has `rank`, `emotion`, `sequence`, `frame`, `level` (missing where abstained).
    """
    known = table[(table["rank"] == rank) & table["sequence"].notna()].copy()
    known["place"] = known.groupby("sequence")["frame"].rank(method="first").astype(int)
    emotions = [e for e in Emotion if e in set(known["emotion"])] or [Emotion.HAPPY]
    tallest = max((known[known["emotion"] == e]["sequence"].nunique() for e in emotions), default=1)
    figure = blank(max(1.25 * len(emotions) + 0.6, 5.6), 0.2 * max(tallest, 3) + 1.2)
    grid = figure.subplots(1, len(emotions), squeeze=False)[0]
    for axes, emotion in zip(grid, emotions, strict=True):
        here = known[known["emotion"] == emotion]
        lines = sorted(here["sequence"].unique())
        for height, sequence in enumerate(lines):
            for _, face in here[here["sequence"] == sequence].iterrows():
                _frame(axes, int(face["place"]), height, face["level"])
        axes.set(xlim=(0.5, here["place"].max() + 0.5), ylim=(len(lines) - 0.5, -0.5))
        axes.set_title(emotion.label, fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    grid[0].set_ylabel("a row per sequence")
    figure.supxlabel("frames, from the first to the peak", fontsize=9)
    for level, colour in zip(LEVELS, LEVEL_COLOURS, strict=True):
        grid[0].plot([], [], "s", color=colour, mec="#8a94a0", label=level)
    grid[0].plot([], [], "x", color=INK, label="no rank")
    figure.legend(loc="outside upper left", ncols=5, fontsize=8)
    return figure


@styled
def calibration(ranks: Sequence[Examination], label: str) -> Figure:
    """Mean truth (`label` in words) per level, with intervals; a line per rank that has levels."""
    shown = [one for one in ranks if one.of_levels is not None]
    figure = blank(6.4, 3.1)
    axes = figure.add_subplot()
    for number, one in enumerate(shown):
        steps = one.of_levels.steps if one.of_levels else ()
        away = (number - (len(shown) - 1) / 2) * 0.09
        places = np.array([LEVELS.index(step.label) for step in steps]) + away
        truths, look = [step.truth for step in steps], _look(number, one)
        look |= {"fmt": f"{look['fmt']}-", "ms": 5, "lw": 1.2}
        axes.errorbar(places, _values(truths), yerr=_ends(truths), **look)
    axes.set_xticks(range(len(LEVELS)), LEVELS)
    axes.set(xlim=(-0.5, len(LEVELS) - 0.5), xlabel="rank given", ylabel=f"mean {label}")
    axes.grid(axis="y")
    if shown:
        figure.legend(loc="outside right upper", fontsize=8)
    return figure


@styled
def stability(ranks: Sequence[Examination]) -> Figure:
    """How far each change that should not matter moves the score, in its spreads."""
    shown = [one for one in ranks if one.changes]
    names = list(shown[0].changes) if shown else []
    figure = blank(6.4, 0.3 * len(names) + 1.2)
    axes = figure.add_subplot()
    for number, one in enumerate(shown):
        moved = [one.changes[name].shift for name in names]
        heights = np.arange(len(names)) + (number - (len(shown) - 1) / 2) * 0.11
        look = _look(number, one) | {"ms": 4.5, "lw": 1}
        axes.errorbar(_values(moved), heights, xerr=_ends(moved), **look)
    axes.axvline(0.5, color=INK, lw=0.8, ls=":")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlim=(0, None), xlabel="mean shift of the score, in its standard deviations")
    axes.grid(axis="x")
    if shown:
        figure.legend(loc="outside right upper", fontsize=8)
    return figure


def _frame(axes: Axes, place: int, height: int, level: object) -> None:
    if pd.isna(level):  # type: ignore[call-overload]
        axes.plot(place, height, "x", color=INK, ms=4)
        return
    colour = LEVEL_COLOURS[int(level)]  # type: ignore[call-overload]
    axes.plot(place, height, "s", color=colour, mec="#8a94a0", mew=0.5, ms=9)


def _look(number: int, one: Examination) -> dict[str, Any]:
    """Mark, colour and name of a rank; controls are grey, so that the eye leaves them."""
    colour = "#9aa5b1" if one.kind == "control" else PALETTE[number % len(PALETTE)]
    return {"fmt": _MARKS[number % len(_MARKS)], "color": colour, "label": short(one.rank, 14)}


def _values(estimates: Sequence[Estimate]) -> list[float]:
    return [np.nan if e.value is None else e.value for e in estimates]


def _ends(estimates: Sequence[Estimate]) -> np.ndarray:
    """Distances of the interval's ends from the value, 0 where there is none."""
    ends = [
        (0.0, 0.0)
        if e.value is None or e.low is None or e.high is None
        else (max(0.0, e.value - e.low), max(0.0, e.high - e.value))
        for e in estimates
    ]
    return np.array(ends, np.float64).reshape(-1, 2).T
