"""Faces with their heatmaps, and how often each rank was given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.rank_scores import RANKS
from emorank.report.page import Section, section_of
from emorank.report.sections.data import by_emotion
from emorank.report.style import INK, RANK_COLOURS, blank, styled


@dataclass(frozen=True)
class Example:
    """One face with its heatmap.

    Attributes:
        image: its id.
        emotion: the predicted emotion (label), of that `probability`.
        rank: Minimal, Average or Strong.
        strip: JPEG of image, overlay and heatmap, from `heatmaps.strip`.
        figure: PNG or JPEG of the whole explanation, from `figures.explanation`; None for none.
        note: anything else to say, "raters: Strong".
    """

    image: str
    emotion: str
    rank: str
    probability: float
    strip: bytes
    figure: bytes | None = None
    note: str = ""


def section(
    examples: Sequence[Example],
    rank_counts: pd.DataFrame | None = None,
    known_intensity: pd.DataFrame | None = None,
) -> Section:
    """Faces by emotion, a table of ranks, and ranks beside known intensities.

    Args:
        examples: at best one for every emotion and rank, in the order in which they are shown.
        rank_counts: emotions (labels) as index, ranks as columns, images; None to leave it out.
        known_intensity: `intensity` in [0, 1] and `rank` of test images whose intensity is known.
    """
    grid: dict[str, list[Example]] = {}
    for example in examples:
        grid.setdefault(example.emotion, []).append(example)
    return section_of(
        "examples",
        "Faces and heatmaps",
        grid=grid,
        rank_counts=None if rank_counts is None else by_emotion(rank_counts),
        dots=None
        if known_intensity is None or known_intensity.empty
        else intensity(known_intensity),
    )


@styled
def intensity(faces: pd.DataFrame) -> Figure:
    """The known intensity of the expressions (0 to 1) within each predicted rank."""
    values, labels = faces["intensity"].to_numpy(float), faces["rank"].to_numpy(object)
    figure = blank(7.6, 2.6)
    axes = figure.add_subplot()
    for place, rank in enumerate(RANKS):
        here = np.sort(values[labels == rank])
        if not len(here):
            continue
        # Spread by position in the order, not by chance: the same data, the same picture.
        spread = ((np.arange(len(here)) * 0.618) % 1 - 0.5) * 0.5
        axes.plot(here, place + spread, "o", ms=4, mec="white", mew=0.4, c=RANK_COLOURS[rank])
        axes.plot([np.median(here)] * 2, [place - 0.34, place + 0.34], c=INK, lw=2)
    axes.set_yticks(range(3), [f"{r} ({int((labels == r).sum())})" for r in RANKS])
    axes.set(xlim=(-0.03, 1.03), xlabel="known intensity (bar: median)", ylabel="predicted rank")
    axes.grid(axis="x")
    return figure
