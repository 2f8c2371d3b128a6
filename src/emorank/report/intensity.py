"""The picture of an intensity: why this level and not the next, and where the score lies."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emorank.reading.intensity import Intensity
from emorank.report.figures import summed_panels
from emorank.report.style import INK, RANK_COLOURS, blank, png, short, styled
from emorank.vocabulary import LEVEL_COLUMNS, LEVELS, NONE, Emotion

_COLOURS = {NONE: "#c3cad2", **RANK_COLOURS}
_MARGIN = 2.0  # of the axis beyond the outer thresholds, in log-odds


def draw_intensity(answer: Intensity) -> bytes:
    """A PNG: the face, the pixels for and against its level, its score between the thresholds."""
    return png(intensity(answer))


@styled
def intensity(answer: Intensity) -> Figure:
    """One face, the pixels that speak for and against its level, and its score between thresholds.

    Above it are its name (a long one is shortened), its level, and the question and its account.
    """
    row = answer.row
    figure = blank(7.6, 5.0)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 0.52))
    above, below = parts
    summed_panels(above, answer.pixels, answer.relevance)
    probabilities = [row[name] for name in LEVEL_COLUMNS]
    _line(below.subplots(), row["rank"], probabilities, row["score"], answer.thresholds)
    verdict = f"{Emotion(row['expressed']).label}, {row['rank']}: {answer.question}"
    words = [short(line, 100) for line in (row["image"], verdict, answer.account) if line]
    figure.suptitle("\n".join(words), x=0.01, ha="left", fontsize=10.5)
    return figure


def _line(
    axes: Axes,
    level: str,
    probabilities: Sequence[float],
    score: float,
    thresholds: Sequence[float],
) -> None:
    """The axis of the score in the colours of the levels, with their probabilities."""
    left = min(thresholds[0] - _MARGIN, score - 0.5)
    right = max(thresholds[-1] + _MARGIN, score + 0.5)
    edges = [left, *thresholds, right]
    for k, name in enumerate(LEVELS):
        start, end = edges[k], edges[k + 1]
        axes.barh(0, end - start, 0.42, start, color=_COLOURS[name], alpha=0.9)
        text = f"{name}\n{probabilities[k]:.2f}"
        weight = "bold" if name == level else "normal"
        axes.annotate(text, ((start + end) / 2, -0.3), ha="center", va="top", weight=weight)
    for place in thresholds:
        axes.plot([place, place], [-0.21, 0.21], c="white", lw=2)
    axes.plot(score, 0.36, marker="v", ms=10, c=INK, clip_on=False)
    axes.annotate(f"score {score:.2f}".replace("-", "−"), (score, 0.5), ha="center", va="bottom")
    axes.set_xticks(thresholds, [f"{place:.2f}".replace("-", "−") for place in thresholds])
    axes.set(xlim=(left, right), ylim=(-0.95, 0.85), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("thresholds of the score; below each level its probability")
