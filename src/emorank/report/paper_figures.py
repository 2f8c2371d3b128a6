"""The figures of the paper that the report does not have: samples, and heatmaps side by side.

Figure 8 is `figures.distribution`, 13 and 14 are `figures.metric_bars`, 15 to 17 are
`figures.rank_confusions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from emorank import heatmaps
from emorank.heatmaps import Pixels
from emorank.report.figures import draw_picture, intervals, ramp
from emorank.report.style import blank, short, styled


@dataclass(frozen=True)
class GalleryFace:
    """One test image as the network saw it, with its relevance and its rank.

    Attributes:
        title: the image's name.
        relevance: of the predicted emotion (a label), as computed.
        rank: Minimal, Average, Strong, or None.
        counts: values in each tenth of the min–max scaled relevance.
        zero: where relevance zero lands on that scale.
        raters: their majority, or empty.
    """

    title: str
    pixels: Pixels
    relevance: Float[np.ndarray, "3 height width"]
    emotion: str
    rank: str | None
    counts: Sequence[int]
    zero: float
    raters: str = ""


@styled
def samples(faces: Mapping[str, Sequence[Pixels]]) -> Figure:
    """Figures 6 and 7: faces as the network sees them, in a column for each emotion (a label)."""
    down = max(map(len, faces.values()), default=1)
    figure = blank(1.15 * len(faces) + 0.1, 1.15 * down + 0.3)
    grid = figure.subplots(down, len(faces), squeeze=False)
    for column, (emotion, pictures) in enumerate(faces.items()):
        for row in range(down):
            axes = grid[row, column]
            if row < len(pictures):
                draw_picture(axes, pictures[row])
            else:
                axes.set_axis_off()
        grid[0, column].set_title(emotion, fontsize=9, loc="center")
    _close(figure)
    return figure


@styled
def gallery(faces: Sequence[GalleryFace]) -> Figure:
    """Figure 9: one face per column, its relevance (channels summed) over it, and alone.

    Every face has a scale of its own: logits differ, and with them all relevance.
    """
    figure = blank(1.35 * len(faces) + 1.0, 4.5)
    grid = figure.subplots(3, len(faces), squeeze=False)
    for column, face in enumerate(faces):
        total = face.relevance.sum(axis=0)
        full = heatmaps.scale(total).full
        draw_picture(grid[0, column], face.pixels)
        draw_picture(grid[1, column], heatmaps.overlay(face.pixels, total, full))
        draw_picture(grid[2, column], heatmaps.colours(total, full))
        grid[0, column].set_title(face.emotion, fontsize=9, loc="center")
    for row, name in enumerate(("image", "overlay", "relevance")):
        grid[row, 0].set_ylabel(name)
    _close(figure)
    ramp(figure, list(grid.flat), [-1, 0, 1], ["against", "0", "for"])
    return figure


@styled
def channels(faces: Sequence[GalleryFace]) -> Figure:
    """Figures 10 to 12: a row per face: image, relevance of each channel, the ten intervals.

    The three channels of a face share one scale, written below its image.
    """
    figure = blank(9.6, 2.05 * len(faces) + 0.3)
    rows: Any = figure.subfigures(len(faces), 1, squeeze=False)
    for number, face in enumerate(faces):
        pictures, right = rows[number, 0].subfigures(1, 2, width_ratios=(1.42, 1))
        scale = heatmaps.scale(face.relevance)
        grid = pictures.subplots(1, 4)
        draw_picture(grid[0], face.pixels)
        names = ("red", "green", "blue")
        for axes, plane, name in zip(grid[1:], face.relevance, names, strict=True):
            draw_picture(axes, heatmaps.colours(plane, scale.full))
            if number == 0:
                axes.set_title(name, fontsize=9, loc="center")
        said = f", raters: {face.raters}" if face.raters else ""
        verdict = f"{face.emotion}, {face.rank or 'no rank'}{said}"
        pictures.suptitle(f"{chr(97 + number)}. {verdict}", x=0.01, ha="left", fontsize=9.5)
        note = f"{short(face.title, 44)}; colours from −{scale.full:.2g} to +{scale.full:.2g}"
        pictures.supxlabel(note, x=0.01, ha="left", fontsize=7)
        intervals(right.subplots(), np.asarray(face.counts), face.zero, face.rank, small=True)
    return figure


def _close(figure: Figure) -> None:
    """Little room between the pictures of a grid."""
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
