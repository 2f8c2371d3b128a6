"""Figures of how faithful explanations are."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.localisation import FEATURES
from emorank.report.style import INK, PALETTE, blank, styled
from emorank.results.faithfulness import Faithfulness

_MOST, _LEAST, _BLIND = PALETTE[5], PALETTE[0], "#8a94a0"
# Brows, eyes, nose, mouth in colours of their own, the rest in greys.
_REGIONS = (*PALETTE[:4], "#c3ccd5", "#e9ecf0")
_DARK = (PALETTE[0], PALETTE[2])


@styled
def curves(result: Faithfulness, fill: str) -> Figure:
    """A panel per method: the logit while regions go, most and least relevant first.

    Dashed: the same for a random map.
    """
    ordered = [*(m for m in result.passes if m not in BLIND), *(m for m in BLIND if m != "random")]
    methods = [method for method in ordered if method in result.passes]
    across = 4
    down = -(-len(methods) // across)
    figure = blank(7.6, 1.75 * down + 0.5)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).flat
    random = _curve(result, "random", fill, "logit most")
    for axes, method in zip(grid, methods, strict=False):
        axes.plot(random.index, random, c=_BLIND, lw=1, ls=(0, (4, 2)), label="random")
        most, least = (_curve(result, method, fill, f"logit {how}") for how in ("most", "least"))
        axes.fill_between(most.index, most, least, color=PALETTE[1], alpha=0.25, lw=0)
        axes.plot(most.index, most, c=_MOST, lw=1.5, label="most relevant first")
        axes.plot(least.index, least, c=_LEAST, lw=1.5, label="least relevant first")
        axes.set_title(method, fontsize=8.5, color=_BLIND if method in BLIND else INK)
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.grid(axis="y")
    for axes in list(figure.axes)[len(methods) :]:
        axes.set_visible(False)
    figure.supxlabel("share of the regions taken away", fontsize=9)
    figure.supylabel("logit", fontsize=9)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    return figure


@styled
def gains(result: Faithfulness) -> Figure:
    """The area between the two curves of each method, with its interval, for each fill."""
    methods = list(result.passes)
    figure = blank(7.2, 0.3 * len(methods) + 1.1)
    axes = figure.add_subplot()
    fills = result.settings.fills
    for k, fill in enumerate(fills):
        offset = (k - (len(fills) - 1) / 2) * 0.5 / len(fills)
        for place, method in enumerate(methods):
            value = result.estimate(method, "between", fill)
            if value is None or value.value is None:
                continue
            if value.low is not None and value.high is not None:
                ends = [value.low, value.high]
                axes.plot(ends, [place + offset] * 2, c=PALETTE[k], lw=3, alpha=0.45)
            label = f"filled with {fill}" if place == 0 else None
            axes.plot(value.value, place + offset, "osD^"[k % 4], c=PALETTE[k], ms=6, label=label)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(methods)), methods)
    for tick, method in zip(axes.get_yticklabels(), methods, strict=True):
        tick.set_color(_BLIND if method in BLIND else INK)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_xlabel("logit with the least relevant gone first less with the most; 0 says nothing")
    axes.grid(axis="x")
    figure.legend(loc="outside upper left", ncols=4)
    return figure


@styled
def likeness(result: Faithfulness) -> Figure:
    """Spearman's correlation with the map of the trained network, by method and new weights."""
    methods = list(result.passes)
    columns = [("cascading", stage) for stage in result.stages]
    columns += [("independent", stage) for stage in result.stages[1:]]
    values = np.full((len(methods), len(columns) + 1), np.nan)
    for row, method in enumerate(methods):
        for column, (how, stage) in enumerate(columns):
            values[row, column] = _value(result, method, f"spearman {how}", stage)
        values[row, -1] = _value(result, method, "spearman other class", "")
    figure = blank(7.6, 0.27 * len(methods) + 1.7)
    axes = figure.add_subplot()
    axes.imshow(np.abs(values), cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 else INK
        text = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
        axes.annotate(text, (column, row), ha="center", va="center", color=colour, fontsize=8)
    names = [
        *("down to\n" + stage.rpartition(" – ")[2] for stage in result.stages),
        *("only\n" + stage.replace(" – ", " –\n") for stage in result.stages[1:]),
        "another\nclass",
    ]
    axes.set_xticks(range(len(names)), names, fontsize=7.5)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(methods)), methods)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


@styled
def masses(table: pd.DataFrame) -> Figure:
    """The share of the positive relevance in each region of the face, from `mass_table`."""
    regions = [name for name in table.columns if name not in ("method", "features")]
    figure = blank(7.6, 0.29 * len(table) + 1.0)
    axes = figure.add_subplot()
    start = np.zeros(len(table))
    for region, colour in zip(regions, _REGIONS, strict=True):
        shares = table[region].to_numpy(dtype=float)
        axes.barh(range(len(table)), shares, left=start, color=colour, label=region)
        for place, share in enumerate(shares):
            if share >= 0.06:
                middle = (start[place] + share / 2, place)
                text = axes.annotate(f"{share:.0%}", middle, ha="center", va="center")
                text.set(fontsize=7.5, color="white" if colour in _DARK else INK)
        start += np.nan_to_num(shares)
    axes.set_yticks(range(len(table)), table["method"])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share of the positive relevance")
    axes.set_xticks(np.arange(6) / 5, [f"{share:.0%}" for share in np.arange(6) / 5])
    figure.legend(loc="outside upper left", ncols=len(FEATURES) + 2, fontsize=8)
    return figure


def _curve(result: Faithfulness, method: str, fill: str, measure: str) -> pd.Series:
    points: Mapping[float, float] = {
        score.at: float("nan") if score.estimate.value is None else score.estimate.value
        for score in result.scores
        if (score.method, score.measure, score.of) == (method, measure, fill)
    }
    return pd.Series(points, dtype=np.float64)


def _value(result: Faithfulness, method: str, measure: str, of: str) -> float:
    value = result.estimate(method, measure, of)
    return float("nan") if value is None or value.value is None else value.value
