"""Figures from arrays and tables; the one place that draws.

Every function returns a `Figure` of its own that no global state knows, so that they can be called
from threads and forgotten; `style.png` makes bytes of it.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure, SubFigure

from emorank import heatmaps
from emorank.heatmaps import Pixels
from emorank.ranking.intervals import GROUPS
from emorank.report.style import INK, PALE, RANK_COLOURS, blank, short, styled
from emorank.vocabulary import NONE, Emotion, Rank

Point = tuple[float, float]


@styled
def explanation(
    image: Pixels,
    relevance: Float[np.ndarray, "3 height width"],
    *,
    emotion: str,
    probability: float,
    rank: str | None,
    counts: Int[np.ndarray, " 10"] | Sequence[int],
    zero: float,
    title: str = "",
) -> Figure:
    """One face and why: heatmaps summed and per channel, and the ten intervals below.

    As figures 9–12 of the paper. The three channels share one scale, the sum has its own.

    Args:
        image: what the network saw, upright RGB.
        relevance: of the predicted emotion, as computed.
        emotion: in words.
        probability: of that emotion, in [0, 1].
        rank: Minimal, Average, Strong, or None.
        counts: values in each tenth of the min–max scaled relevance.
        zero: where relevance zero lands on that scale, in [0, 1].
        title: the image's name; a long one is shortened.
    """
    figure = blank(7.6, 8.6)
    parts: Any = figure.subfigures(3, 1, height_ratios=(1, 1, 0.95))
    sums, channels, below = parts
    single = heatmaps.scale(relevance)
    names = ("red channel", "green channel", "blue channel")
    apart = {
        name: heatmaps.colours(plane, single.full)
        for name, plane in zip(names, relevance, strict=True)
    }
    summed_panels(sums, image, relevance)
    _panels(channels, apart, single, "each channel")
    intervals(below.subplots(), np.asarray(counts), zero, rank)
    verdict = f"{emotion}, {rank or 'no rank'} (probability {probability:.2f})"
    name = short(title)
    figure.suptitle(f"{name}\n{verdict}" if name else verdict, x=0.01, ha="left", fontsize=11.5)
    return figure


def explanation_of_row(
    image: Pixels, relevance: Float[np.ndarray, "3 height width"], row: Mapping[Any, Any]
) -> Figure:
    """The same for a row of ranks and predictions."""
    return explanation(
        image,
        relevance,
        emotion=Emotion(row["predicted"]).label,
        probability=row[f"p_{row['predicted']}"],
        rank=None if row["rank"] == NONE else row["rank"],
        counts=[row[f"n_{j}"] for j in range(1, 11)],
        zero=row["zero"],
        title=row["image"],
    )


@styled
def comparison(
    image: Pixels,
    maps: Mapping[str, Float[np.ndarray, "3 height width"]],
    *,
    verdict: str,
    title: str = "",
    one_scale: bool = False,
) -> Figure:
    """One image and its relevance, channels summed: under several presets, or for several classes.

    A single map is shown over the image too. The scale of each map is written below it.

    Args:
        image: what the network saw, upright RGB.
        maps: relevance by what it is called, as computed.
        verdict: what was explained, in words; lines of their own where there are several.
        title: the image's name; a long one is shortened.
        one_scale: colours mean the same in all maps; if not, each map has its own scale, because
            presets differ in size.
    """
    sums = {name: relevance.sum(axis=0) for name, relevance in maps.items()}
    scales = {name: heatmaps.scale(total) for name, total in sums.items()}
    if one_scale:
        full = max(scale.full for scale in scales.values())
        scales = {k: heatmaps.Scale(full, scale.greatest) for k, scale in scales.items()}
    tiles = [("Image", image, "")]
    for name, total in sums.items():
        full, greatest = scales[name].full, scales[name].greatest
        if len(sums) == 1:
            tiles.append(("Overlay", heatmaps.overlay(image, total, full), ""))
        note = f"darkest from ±{full:.2g}, greatest {greatest:.2g}\n"
        note += f"sum {total.sum():+.3g}".replace("-", "−")
        tiles.append((name, heatmaps.colours(total, full), note))
    across = min(4, len(tiles))
    down = -(-len(tiles) // across)
    figure = blank(2.5 * across + 0.5, 2.85 * down + 0.75)
    grid = figure.subplots(down, across, squeeze=False).flat
    for axes, (name, pixels, note) in zip(grid, tiles, strict=False):
        draw_picture(axes, pixels)
        axes.set_title("\n".join(short(line, 40) for line in name.split("\n")), fontsize=9)
        axes.set_xlabel(note, fontsize=7.5, loc="left")
    for axes in list(figure.axes)[len(tiles) :]:
        axes.set_visible(False)
    ramp(figure, list(figure.axes), [-1, 0, 1], ["against", "0", "for"])
    most = 30 * across  # of characters, as wide as the figure
    words = [short(title, most)] * bool(title)
    for line in verdict.split("\n"):
        words += wrap(short(line, 2 * most), most)
    figure.suptitle("\n".join(words), x=0.01, ha="left", fontsize=11)
    return figure


def draw_picture(axes: Axes, pixels: Pixels) -> None:
    """A picture in a pale frame."""
    axes.imshow(pixels)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=PALE)


def draw_matrix(axes: Axes, counts: np.ndarray[Any, Any], labels: Sequence[str]) -> None:
    """A confusion matrix: counts, and shares of the row as shades."""
    support = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.6 else INK if count else "#a6afb9"
        axes.annotate(f"{count:,}", (column, row), ha="center", va="center", color=colour)
    tilted = len(labels) > 3
    names = [short(label, 12) for label in labels]
    axes.set_xticks(range(len(labels)), names, rotation=40 if tilted else 0,
                    ha="right" if tilted else "center", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(labels)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def summed_panels(
    figure: SubFigure, image: Pixels, relevance: Float[np.ndarray, "3 height width"]
) -> None:
    """The image, its relevance (channels summed) over it, and alone."""
    total = relevance.sum(axis=0)
    scale = heatmaps.scale(total)
    overlay, alone = heatmaps.overlay(image, total, scale.full), heatmaps.colours(total, scale.full)
    pictures = {"image": image, "overlay": overlay, "relevance": alone}
    _panels(figure, pictures, scale, "channels summed")


def _panels(figure: SubFigure, panels: dict[str, Pixels], scale: heatmaps.Scale, what: str) -> None:
    """Three pictures side by side, the bar of their colours, and the scale in words."""
    axes = figure.subplots(1, len(panels))
    for one, (name, pixels) in zip(axes, panels.items(), strict=True):
        draw_picture(one, pixels)
        one.set_title(name.capitalize(), fontsize=9)
    full = scale.full or 1.0
    ramp(figure, list(axes), [-full, 0, full], [f"−{full:.2g}", "0", f"+{full:.2g}"])
    figure.supxlabel(f"{what.capitalize()}: {scale}", x=0.01, ha="left", fontsize=8)


def ramp(
    figure: Figure | SubFigure, axes: list[Axes], ticks: list[float], labels: list[str]
) -> None:
    """The bar of the heatmaps' colours beside some pictures."""
    ramp = heatmaps.colours(np.linspace(-1, 1, 256)[None], 1.0)[0] / 255
    colours = ScalarMappable(Normalize(ticks[0], ticks[-1]), ListedColormap(ramp))
    bar = figure.colorbar(colours, ax=axes, shrink=0.85)
    bar.set_ticks(ticks, labels=labels, fontsize=8)
    bar.outline.set_visible(False)


def intervals(
    axes: Axes,
    counts: Int[np.ndarray, " 10"],
    zero: float,
    rank: str | None,
    *,
    small: bool = False,
) -> None:
    """The ten intervals on a logarithmic axis, the three groups above, zero as a line."""
    size = 5.8 if small else 8
    places = np.arange(10) / 10 + 0.05
    top = max(10.0, float(counts.max(initial=1)))
    axes.bar(places, np.maximum(counts, 0.0), 0.094, color="#9aa5b1", log=True)
    for place, count in zip(places, counts, strict=True):
        _note(axes, f"{count:,}", (place, max(count, 0.7)), (0, 1.5), size, ha="center")
    # On a logarithmic axis equal factors are equal distances: one bracket above the other.
    for step, group in enumerate(Rank):
        first, last = GROUPS[group]
        height = top * 10 ** (1 + 0.95 * step)
        chosen = group.label == rank
        ends = [(first - 1) / 10 + 0.006, last / 10 - 0.006]
        colour = RANK_COLOURS[group.label] if chosen else "#b9c2cc"
        axes.plot(ends, [height] * 2, lw=5 if chosen else 3, c=colour, solid_capstyle="butt")
        text = f"{group.label}, intervals {first}–{last}: {int(counts[first - 1 : last].sum()):,}"
        weight = "bold" if chosen else "normal"
        _note(axes, text, (ends[0], height), (0, 3.5), size, ha="left", weight=weight)
    if np.isfinite(zero):
        axes.axvline(zero, color=INK, lw=1.1, ls=(0, (4, 2)))
        beside, side = (-4, "right") if zero > 0.8 else (4, "left")
        text = f"zero relevance at {zero:.3f}"
        _note(axes, text, (zero, top * 10**3.85), (beside, 0), size, ha=side)
    axes.set(xlim=(0, 1), ylim=(0.5, top * 10**4.4))
    decades = [10**k for k in range(int(np.log10(top)) + 1)]
    axes.set_yticks(decades, [f"{decade:,}" for decade in decades])
    axes.set_yticks([], minor=True)
    axes.set_xticks(np.arange(11) / 10)
    if small:
        axes.tick_params(labelsize=6)
    else:
        axes.set_ylabel("values", loc="bottom")
        axes.set_xlabel("relevance, min–max scaled over the whole map, in ten intervals")


def _note(axes: Axes, text: str, at: Point, offset: Point, size: float, **style: Any) -> None:
    """A small text that stays readable on top of a line."""
    box = {"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.85}
    axes.annotate(text, at, offset, textcoords="offset points", fontsize=size, bbox=box, **style)
