"""Figures of what raters said and how well they agreed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emorank.answers.answers_table import RANKS
from emorank.evaluation.raters.agreement import RaterKappa
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.style import INK, PALETTE, RANK_COLOURS, blank, short, styled
from emorank.vocabulary import NONE

_COLOURS = {NONE: "#c3ccd5", **RANK_COLOURS}
# Without the palette's palest, which is lost as a thin line.
_STATISTICS = (*PALETTE[:4], PALETTE[5])
_RATERS_SHOWN = 60


@styled
def answers(rows: Mapping[str, Mapping[str, int]]) -> Figure:
    """The share of each answer, one bar per emotion; None at the left, Strong at the right.

    `rows` holds emotion (label) → answer → votes.
    """
    figure = blank(7.2, 0.42 * len(rows) + 1.1)
    axes = figure.add_subplot()
    words = (NONE, *RANKS)
    counts = np.array([[row[word] for word in words] for row in rows.values()], float)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    start = np.zeros(len(shares))
    for i, word in enumerate(words):
        name = "no such emotion" if word == NONE else word
        axes.barh(range(len(shares)), shares[:, i], left=start, color=_COLOURS[word], label=name)
        for place, share in enumerate(shares[:, i]):
            if share >= 0.06:
                middle = (start[place] + share / 2, place)
                axes.annotate(f"{share:.0%}", middle, ha="center", va="center")
        start += shares[:, i]
    _names(axes, list(rows))
    axes.set(xlim=(0, 1), xlabel="share of votes")
    axes.set_xticks(np.arange(6) / 5, [f"{share:.0%}" for share in np.arange(6) / 5])
    figure.legend(loc="outside upper left", ncols=4)
    return figure


@styled
def estimates(groups: Mapping[str, Mapping[str, Estimate]], label: str) -> Figure:
    """Values with their intervals on one axis: a row per group, a colour and shape per statistic.

    `groups` holds row → statistic → estimate; what is undefined is left out.
    """
    statistics = list(dict.fromkeys(name for row in groups.values() for name in row))
    figure = blank(7.2, (0.1 * len(statistics) + 0.15) * len(groups) + 1.1)
    axes = figure.add_subplot()
    for k, name in enumerate(statistics):
        offset = (k - (len(statistics) - 1) / 2) * 0.7 / len(statistics)
        known = [
            (place + offset, row[name])
            for place, row in enumerate(groups.values())
            if name in row and row[name].value is not None
        ]
        colour = _STATISTICS[k % len(_STATISTICS)]
        for place, one in known:
            if one.low is not None and one.high is not None:
                axes.plot([one.low, one.high], [place] * 2, c=colour, lw=3, alpha=0.5)
        values, places = [float(one.value or 0) for _, one in known], [place for place, _ in known]
        axes.plot(values, places, "osD^v"[k % 5], c=colour, ms=6.5, mec="white", label=name)
    axes.axvline(0, color=INK, lw=0.8)
    _names(axes, list(groups))
    low = min([0.0, *(one.low for row in groups.values() for one in row.values() if one.low)])
    axes.set(xlim=(min(-0.03, low - 0.03), 1.02), xlabel=label)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.grid(axis="x")
    figure.legend(loc="outside upper left", ncols=min(3, len(statistics)))
    return figure


@styled
def raters(each: Sequence[RaterKappa], named: bool) -> Figure:
    """Each rater against the majority of the others, and against each other rater, sorted.

    Those with the lowest kappa are shown if there are too many; `named` raters are persons.
    """
    known = [one for one in each if one.leave_one_out is not None]
    known = sorted(known, key=lambda one: one.leave_one_out or 0.0)[:_RATERS_SHOWN][::-1]
    figure = blank(7.2, 0.26 * len(known) + 1.2)
    axes = figure.add_subplot()
    places = range(len(known))
    ceiling = [float(one.leave_one_out or 0) for one in known]
    axes.hlines(places, 0, ceiling, color="#c3ccd5", lw=1.5)
    axes.plot(ceiling, places, "o", c=PALETTE[0], ms=6, label="with the others’ majority")
    pairs = [(float(one.pairwise), i) for i, one in enumerate(known) if one.pairwise is not None]
    axes.plot(*zip(*pairs, strict=True), "D", c=PALETTE[1], ms=4.5, label="with one other, mean")
    _names(axes, [one.rater for one in known])
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlim(min(-0.03, *ceiling, *(value for value, _ in pairs)) - 0.02, 1.02)
    who = "raters" if named else "positions; who stands where is not known"
    axes.set_xlabel(f"quadratic-weighted kappa ({who})")
    axes.grid(axis="x")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@styled
def categories(votes: Mapping[str, int], finals: Mapping[str, int], images: int) -> Figure:
    """Categories of votes on emotions: their share of the votes, and of the images they won.

    `finals` holds category → images whose single most frequent category it is; `images` is all.
    """
    figure = blank(7.2, 0.42 * len(votes) + 1.1)
    axes = figure.add_subplot()
    total = max(1, sum(votes.values()))
    places = np.arange(len(votes))
    for offset, colour, name, shares in (
        (-0.2, PALETTE[0], "share of votes", [count / total for count in votes.values()]),
        (0.2, PALETTE[1], "share of images won", [finals[w] / max(1, images) for w in votes]),
    ):
        axes.barh(places + offset, shares, 0.38, color=colour, label=name)
        for place, share in zip(places + offset, shares, strict=True):
            axes.annotate(f" {share:.1%}", (share, place), va="center", fontsize=8)
    _names(axes, [word.capitalize() for word in votes])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.1)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [short(name, 24) for name in names])
    axes.tick_params(axis="y", length=0)
    if axes.get_ylim()[0] < axes.get_ylim()[1]:
        axes.invert_yaxis()
