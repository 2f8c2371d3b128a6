"""The picture of an intensity: why this level and not the next, and where the score lies."""

from typing import Any

from matplotlib.figure import Figure

from emorank.reading.intensity import Intensity
from emorank.report.figures import summed_panels
from emorank.report.score_line import score_line
from emorank.report.style import blank, png, short, styled
from emorank.vocabulary import LEVEL_COLUMNS, Emotion

_MARGIN = 2.0  # of the axis beyond the outer thresholds, in log-odds


def draw_intensity(intensity: Intensity) -> bytes:
    """A PNG: the face, the pixels for and against its level, its score between the thresholds."""
    return png(figure(intensity))


@styled
def figure(intensity: Intensity) -> Figure:
    """One face, the pixels that speak for and against its level, and its score between thresholds.

    Above it are its name (a long one is shortened), its level, and the question and its account.
    """
    row = intensity.row
    page = blank(7.6, 5.0)
    parts: Any = page.subfigures(2, 1, height_ratios=(1, 0.52))
    above, below = parts
    summed_panels(above, intensity.pixels, intensity.relevance)
    score_line(
        below.subplots(),
        row["rank"],
        row["score"],
        intensity.thresholds,
        name="score and its thresholds; below each level its probability",
        margin=_MARGIN,
        beneath=[f"{row[name]:.2f}" for name in LEVEL_COLUMNS],
    )
    verdict = f"{Emotion(row['expressed']).label}, {row['rank']}: {intensity.question}"
    words = [short(line, 100) for line in (row["image"], verdict, intensity.account) if line]
    page.suptitle("\n".join(words), x=0.01, ha="left", fontsize=10.5)
    return page
