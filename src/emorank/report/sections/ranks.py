"""Two ranks side by side against raters: the one that people get, and the paper's rule."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emorank.evaluation.classification import Baseline
from emorank.evaluation.rank_scores import RankValidation
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.headline import PAPER, TITLES, verdict
from emorank.report.page import Section, section_of
from emorank.report.rating_figures import estimates
from emorank.report.sections.data import by_emotion
from emorank.report.style import COLOURS_OF_LEVELS, INK, blank, styled
from emorank.report.words import NONE, capitalised, cell, estimate
from emorank.results.metrics import RanksCompared
from emorank.vocabulary import LEVELS

_ONE = "One rater"
_ORDER, _KAPPA, _EXACT, _BOTH = (
    "Spearman with the {}, within emotion",
    "Quadratic kappa with the raters’ majority",
    "Exactly the majority’s level",
    "Emotion and level both right",
)


def section(
    compared: RanksCompared | None,
    paper: RankValidation | None,
    levels: pd.DataFrame,
    rank_counts: pd.DataFrame,
    *,
    simulated: bool,
) -> Section:
    """Both ranks against what is known; without votes the section says so.

    Args:
        compared: None where neither votes nor intensities are known.
        paper: how the paper's rule agrees with the raters; None without votes.
        levels: of test images, `truth`, and the level by each rank in a column of its name.
        rank_counts: of the default rank: emotions (labels) as index, levels as columns, images.
        simulated: whether the raters are.
    """
    values: dict[str, Any] = {"ranks": compared, "paper": paper, "simulated": simulated}
    if compared is not None:
        known = levels.dropna(subset=["truth"])
        values |= {
            "usual": TITLES[compared.default],
            "verdicts": verdicts(compared, paper),
            "table": side_by_side(compared, paper),
            "dots": estimates(_points(compared, paper), "agreement, with 95 % intervals"),
            "spread": None if known.empty else intensity(known, compared),
        }
        values["rank_counts"] = by_emotion(rank_counts)
    return section_of("ranks", "Ranks against raters", **values)


def verdicts(compared: RanksCompared, paper: RankValidation | None) -> dict[str, str]:
    """What the kappas' intervals say of each rank, in a sentence each; empty without votes."""
    both = {TITLES[compared.default]: compared.validated, TITLES[PAPER]: paper}
    return {capitalised(name): verdict(one) for name, one in both.items() if one is not None}


def side_by_side(compared: RanksCompared, paper: RankValidation | None) -> pd.DataFrame:
    """A row for each score; columns are both ranks, one rater, and chance."""
    ours, rater, name = compared.validated, compared.rater, compared.default
    rows: list[tuple[str, str, str, str, str]] = []
    if compared.follows:
        first, second = compared.follows[name], compared.follows[PAPER]
        rows.append(
            (
                _ORDER.format(compared.truth),
                estimate(first.spearman_within),
                estimate(second.spearman_within),
                estimate(rater.spearman_within) if rater else NONE,
                f"up to {cell(first.chance.high)}",
            )
        )
    if ours is not None and paper is not None:
        kappa, exact = ours.quadratic_kappa, ours.accuracy_over_persons
        rows += [
            (
                _KAPPA,
                estimate(kappa),
                estimate(paper.quadratic_kappa),
                estimate(rater.quadratic_kappa) if rater else NONE,
                "0",
            ),
            (
                _EXACT,
                estimate(exact),
                estimate(paper.accuracy_over_persons),
                estimate(rater.accuracy) if rater else NONE,
                _constant(ours.baseline),
            ),
            (
                f"{_BOTH}, of {ours.joint.count:,}",
                estimate(ours.joint.accuracy_over_persons),
                estimate(paper.joint.accuracy_over_persons),
                NONE,
                _constant(ours.joint.baseline),
            ),
        ]
    columns = ["Score", *(capitalised(TITLES[one]) for one in (name, PAPER)), _ONE, "Chance"]
    return pd.DataFrame(rows, columns=columns)


def _constant(baseline: Baseline | None) -> str:
    if baseline is None:
        return NONE
    return f"{cell(baseline.accuracy.value)}, always “{capitalised(baseline.label)}”"


def _points(
    compared: RanksCompared, paper: RankValidation | None
) -> Mapping[str, Mapping[str, Estimate]]:
    """The same as estimates: rank → score → estimate."""
    rater, points = compared.rater, {}
    for name, levels in ((compared.default, compared.validated), (PAPER, paper)):
        row = {}
        if name in compared.follows:
            row["Spearman within emotion"] = compared.follows[name].spearman_within
        if levels is not None:
            row["quadratic kappa"] = levels.quadratic_kappa
            row["exact level"] = levels.accuracy_over_persons
        points[capitalised(TITLES[name])] = row
    if rater is not None:
        points[_ONE] = {
            "Spearman within emotion": rater.spearman_within,
            "quadratic kappa": rater.quadratic_kappa,
            "exact level": rater.accuracy,
        }
    return points


@styled
def intensity(faces: pd.DataFrame, compared: RanksCompared) -> Figure:
    """What is known of the expressions' strength within each level, by both ranks side by side."""
    figure = blank(7.6, 2.7)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, name in ((left, compared.default), (right, PAPER)):
        levels = faces[name].astype("string").fillna("").to_numpy(object)
        _spread(axes, faces["truth"].to_numpy(float), levels)
        axes.set_title(capitalised(TITLES[name]))
        axes.set_xlabel(f"{compared.truth} (bar: median)")
    return figure


def _spread(axes: Axes, values: np.ndarray, labels: np.ndarray) -> None:
    for place, level in enumerate(LEVELS):
        here = np.sort(values[labels == level])
        count = f" ({len(here)})"
        axes.annotate(count, (1.0, place), xycoords=("axes fraction", "data"), fontsize=8)
        if not len(here):
            continue
        # Spread by position in the order, not by chance: the same data, the same picture.
        spread = ((np.arange(len(here)) * 0.618) % 1 - 0.5) * 0.5
        look: dict[str, Any] = {"ms": 4.5, "mec": INK, "mew": 0.3, "c": COLOURS_OF_LEVELS[level]}
        axes.plot(here, place + spread, "o", **look)
        axes.plot([np.median(here)] * 2, [place - 0.36, place + 0.36], c=INK, lw=2)
    axes.set_yticks(range(len(LEVELS)), LEVELS)
    axes.grid(axis="x")
