"""The picture of a face that was read: the emotion, where it shows, how strong it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emorank.ranking.contrast import THRESHOLDS
from emorank.reading.reader import RankedFace
from emorank.report.figures import summed_panels
from emorank.report.score_line import number, score_line
from emorank.report.style import blank, png, short, styled
from emorank.vocabulary import Emotion


def draw_reading(face: RankedFace) -> bytes:
    """A PNG: the face, the pixels for and against its expression, how strong it is.

    The face is ranked by the contrast, with its heatmap, as `emorank.read` gives it.
    """
    return png(reading(face))


@styled
def reading(face: RankedFace) -> Figure:
    """As `draw_reading`; where there are no levels the line of the contrast is left out."""
    row = face.row
    levels = has_line(row)
    figure = blank(7.6, 5.0 if levels else 3.6)
    parts: Any = (
        figure.subfigures(2, 1, height_ratios=(1, 0.5)) if levels else [figure.subfigures()]
    )
    relevance = np.zeros((3, *face.pixels.shape[:2])) if face.heatmap is None else face.heatmap
    summed_panels(parts[0], face.pixels, relevance)
    if levels:
        _line(parts[1].subplots(), row, margin=3.0)
    figure.suptitle("\n".join(_words(face)), x=0.01, ha="left", fontsize=10.5)
    return figure


@styled
def contrast_line(face: RankedFace) -> Figure:
    """The line of the contrast alone, for a column of text; the face must have one (`has_line`)."""
    figure = blank(3.2, 1.15)
    _line(figure.subplots(), face.row, margin=1.8)
    return figure


def has_line(row: Mapping[str, Any]) -> bool:
    """Whether a row of a rank says where the contrast lies among the thresholds of levels."""
    return not row["abstained"] and "log_odds" in row


def _line(axes: Axes, row: Mapping[str, Any], margin: float) -> None:
    name = f"log-odds of {row['expressed']} against neutral"
    score_line(axes, row["rank"], row["log_odds"], THRESHOLDS, name=name, margin=margin)


def question(row: Mapping[str, Any]) -> str:
    """What the heatmap answers: "why happy, and not neutral?"."""
    against = ", and not neutral" if f"p_{Emotion.NEUTRAL}" in row else ""
    return f"why {row['expressed']}{against}?"


def places(face: RankedFace) -> str:
    """Where what speaks for the expression lies: "mouth 61%, eyes 20%"; empty if not known."""
    top = sorted(face.regions.items(), key=lambda region: -region[1])[:3]
    return ", ".join(f"{region} {share:.0%}" for region, share in top)


def _words(face: RankedFace) -> list[str]:
    row = face.row
    verdict = f"{Emotion(row['expressed']).label}, {row['rank'] or 'no level'}: {question(row)}"
    named = f"named {row['predicted']} ({row['p_' + row['predicted']]:.2f})"
    where = places(face)
    where = f"; what speaks for it lies at: {where}" if where else ""
    return [short(row["image"], 100), verdict, f"{named}, contrast {number(row['score'])}{where}"]
