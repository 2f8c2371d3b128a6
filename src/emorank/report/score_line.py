"""The axis of a score in the colours of the levels that its thresholds part."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from emorank.report.style import COLOURS_OF_LEVELS, INK
from emorank.vocabulary import LEVELS

_FAR = 1.2  # margins beyond the outer thresholds: a score beyond that would leave no room for words


def score_line(
    axes: Axes,
    level: str | None,
    score: float,
    thresholds: Sequence[float],
    *,
    name: str,
    margin: float,
    beneath: Sequence[str] = ("",) * len(LEVELS),
) -> None:
    """A bar for each level with its word, the score as a mark above.

    The face's `level`, a word of `LEVELS`, is printed bold; the `thresholds` are where Minimal,
    Average and Strong begin, ascending; `name` is that of the score, below the axis, which reaches
    `margin` beyond the outer thresholds, or as far as the score, but no further than that the words
    have room: then the mark is at the end, with an arrow. `beneath` is one more line under the word
    of each level.
    """
    lowest, highest = thresholds[0] - _FAR * margin, thresholds[-1] + _FAR * margin
    place = min(max(score, lowest), highest)
    left = min(thresholds[0] - margin, place - 0.25 * margin)
    right = max(thresholds[-1] + margin, place + 0.25 * margin)
    edges = [left, *thresholds, right]
    for k, word in enumerate(LEVELS):
        start, end = edges[k], edges[k + 1]
        axes.barh(0, end - start, 0.42, start, color=COLOURS_OF_LEVELS[word], alpha=0.9)
        text = f"{word}\n{beneath[k]}".rstrip()
        weight = "bold" if word == level else "normal"
        axes.annotate(text, ((start + end) / 2, -0.3), ha="center", va="top", weight=weight)
    for edge in thresholds:
        axes.plot([edge, edge], [-0.21, 0.21], c="white", lw=2)
    axes.plot(place, 0.36, marker="v", ms=10, c=INK, clip_on=False)
    arrows = ("← " if score < lowest else "", " →" if score > highest else "")
    axes.annotate(number(score).join(arrows), (place, 0.5), ha="center", va="bottom")
    axes.set_xticks(thresholds, [number(place) for place in thresholds])
    axes.set(xlim=(left, right), ylim=(-0.95, 0.85), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(name)


def number(value: float) -> str:
    """Two decimals, and a minus that is one."""
    return f"{value:.2f}".replace("-", "−")
