"""The picture of a face that was read: the emotion, where it shows, how strong it is."""

from typing import Any

import numpy as np
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
    levels = not row["abstained"]
    figure = blank(7.6, 5.0 if levels else 3.6)
    parts: Any = (
        figure.subfigures(2, 1, height_ratios=(1, 0.5)) if levels else [figure.subfigures()]
    )
    relevance = np.zeros((3, *face.pixels.shape[:2])) if face.heatmap is None else face.heatmap
    summed_panels(parts[0], face.pixels, relevance)
    if levels:
        axes = parts[1].subplots()
        name = f"log-odds of {row['expressed']} against neutral"
        score_line(axes, row["rank"], row["log_odds"], THRESHOLDS, name=name, margin=3.0)
    figure.suptitle("\n".join(_words(face)), x=0.01, ha="left", fontsize=10.5)
    return figure


def _words(face: RankedFace) -> list[str]:
    row = face.row
    expressed = Emotion(row["expressed"]).label
    verdict = f"{expressed}, {row['rank'] or 'no level'}: why {row['expressed']}, and not neutral?"
    named = f"named {row['predicted']} ({row['p_' + row['predicted']]:.2f})"
    top = sorted(face.regions.items(), key=lambda region: -region[1])[:3]
    regions = ", ".join(f"{region} {share:.0%}" for region, share in top)
    where = f"; what speaks for it lies at: {regions}" if top else ""
    return [short(row["image"], 100), verdict, f"{named}, contrast {number(row['score'])}{where}"]
