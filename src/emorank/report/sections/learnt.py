"""Ranks learnt from ratings on the page: what counts, how many ratings are enough, how well."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.statistics.uncertainty import FEW
from emorank.report.page import Section, section_of
from emorank.report.style import INK, PALETTE, blank, styled
from emorank.report.words import cell, estimate, interval, minus
from emorank.results.calibration import CalibratedRank
from emorank.results.ordinal import OrdinalTraining
from emorank.vocabulary import LEVELS

_INPUTS = {
    "balance": "balance: do the parts of the evidence agree?",
    "contrast": "contrast: how far from neutral?",
    "net": "net: how far from none?",
    "mass": "mass: how much speaks for it?",
}
_PARTS = ("validation", "test")


def section(
    calibrated: CalibratedRank | None, ordinal: OrdinalTraining | None, *, simulated: bool
) -> Section | None:
    """The section; None if no rank was learnt. The raters may be simulated."""
    if calibrated is None and ordinal is None:
        return None
    return section_of(
        "learnt",
        "Ranks learnt from ratings",
        simulated=simulated,
        calibrated=calibrated,
        coefficients=coefficients(calibrated) if calibrated else None,
        fitted=fitted_sentence(calibrated) if calibrated else "",
        agreement=calibrated_sentence(calibrated) if calibrated else "",
        rough=bool(calibrated and calibrated.tested.persons < FEW),
        curve=learning_curve(calibrated) if calibrated and calibrated.curve else None,
        ordinal=ordinal,
        faces=faces(ordinal) if ordinal else None,
        scores=scores(ordinal) if ordinal else None,
    )


def coefficients(fitted: CalibratedRank) -> pd.DataFrame:
    """What each feature counts for, the weightiest first."""
    rows = sorted(fitted.coefficients, key=lambda row: -abs(row.value))
    return pd.DataFrame(
        {
            "Feature": [_INPUTS.get(row.input, row.input) for row in rows],
            "Coefficient": [minus(f"{row.value:+.2f}") for row in rows],
            "95 %": [interval(fitted.coefficient(row), "+") for row in rows],
        }
    )


def calibrated_sentence(fitted: CalibratedRank) -> str:
    """How well the calibrated levels agree with the raters, beside levels without votes.

    Empty if no rated face was tested.
    """
    if fitted.agreement is None:
        return ""
    faces = f"{fitted.tested.images:,} rated faces of {fitted.tested.persons:,} persons"
    whose = "that it was not fitted on"
    if fitted.folds:
        whose = f"in {fitted.folds} folds of persons, each by a model fitted on the others"
    kappa = estimate(fitted.agreement.quadratic_kappa)
    words = f"quadratic kappa with the raters' majority, on {faces} {whose}: {kappa}"
    if fitted.uncalibrated is not None:
        before = estimate(fitted.uncalibrated.quadratic_kappa)
        words += f"; the contrast to neutral, without any vote: {before}"
    return words


def fitted_sentence(fitted: CalibratedRank) -> str:
    """What the calibrated rank was fitted on, and what was left out."""
    words = f"{fitted.rated.images:,} rated faces of {fitted.rated.persons:,} persons"
    if fitted.source:
        words += f", those of the study “{fitted.source}”"
    elif fitted.crossfit:
        words += (
            f", each measured by one of {fitted.crossfit} classifiers that had not learnt from them"
        )
    elif fitted.folds:
        words += ", none of whom the network is known to have learnt from"
    else:
        words += " of the validation part"
    if fitted.left_out:
        words += (
            f"; {fitted.left_out:,} more were left out, because the network or its study knows "
            "their person, sequence or a near-identical picture"
        )
    return words


@styled
def learning_curve(fitted: CalibratedRank) -> Figure:
    """Kappa on the test persons against the number of rated faces; the band holds 95 % of draws."""
    points = [point for point in fitted.curve if point.kappa is not None]
    images = [point.images for point in points]
    kappa, low, high = (
        np.array([getattr(point, name) for point in points], np.float64)
        for name in ("kappa", "low", "high")
    )
    figure = blank(6.0, 3.2)
    axes = figure.add_subplot()
    axes.fill_between(images, low, high, color=PALETTE[0], alpha=0.2, linewidth=0)
    axes.plot(images, kappa, "o-", color=PALETTE[0])
    axes.axhline(0, color=INK, linewidth=1)
    axes.annotate("chance", (0.99, 0), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    axes.set_xscale("log")
    axes.set_xticks(images, [f"{count:,}" for count in images])
    axes.minorticks_off()
    axes.set(xlabel="rated faces fitted on", ylabel="quadratic-weighted kappa", ylim=(-0.1, 1))
    axes.grid(axis="y")
    return figure


def scores(training: OrdinalTraining) -> pd.DataFrame:
    """How well the ordinal network's levels agree with the raters, by part."""
    rows = []
    for part in _PARTS:
        if part not in training.scores:
            continue
        score = training.scores[part]
        kappa, error = estimate(score.quadratic_kappa), estimate(score.mean_absolute_error)
        row = {"Part": part, "Faces": cell(score.count), "Kappa": kappa, "Mean error": error}
        chance = f"Always the most frequent level ({score.majority_level})"
        rows.append(row | {chance: estimate(score.majority_error)})
    return pd.DataFrame(rows)


def faces(training: OrdinalTraining) -> pd.DataFrame:
    """How many faces of each level there were, by part."""
    return pd.DataFrame(
        {"Part": part, "Persons": cell(counts["persons"])}
        | {level: cell(counts[level]) for level in LEVELS}
        for part, counts in training.faces.items()
    )
