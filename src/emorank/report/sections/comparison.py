"""Table 10 measured anew: our ranks beside six estimators and the references, on the same faces."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.baselines import ESTIMATORS
from emorank.evaluation.comparison import EstimatorComparison, EstimatorScores
from emorank.evaluation.statistics.uncertainty import FEW, Estimate
from emorank.report.item import Item
from emorank.report.page import Section, section_of
from emorank.report.style import INK, PALE, PALETTE, blank, styled
from emorank.report.words import NONE, chance, estimate
from emorank.results.comparison import Comparison, Times

REFERENCES = {
    "majority": ESTIMATORS["majority"].label,
    "probability": "Probability in thirds",
    "logit": "Logit in thirds",
    "rater": "A rater at random",
}
OURS = {
    "paper": "Ours: the paper's rule",
    "contrast": "Ours: contrast",
    "evidence": "Ours: evidence",
    "calibrated": "Ours: calibrated",
    "ordinal": "Ours: ordinal network",
}
SHIPPED = {
    "ready": "Shipped network",
    "expression": "Head on expression",
    "expression+identity": "Head on expression+identity",
    "ready-smooth": "Shipped network, smoothed",
    "expression+identity-smooth": "Head on expression+identity, smoothed",
}
SEQUENCES = {"kamarol", "ready-smooth", "expression+identity-smooth"}
"""Those that are told which faces are a sequence, and in which order."""
VOTES = {"calibrated", "ordinal"}
COLUMNS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced",
    "quadratic_kappa": "Kappa",
    "mean_absolute_error": "Mean error",
    "spearman": "Spearman",
}
TIMES = {"fit_ms": "Learn", "features_ms": "Look", "predict_ms": "Predict"}
_KINDS = {
    "rival": (PALETTE[0], "o"),
    "reference": ("#5f6b76", "s"),
    "ours": (PALETTE[5], "D"),
    "shipped": (PALETTE[2], "^"),
}


def section(result: Comparison | None) -> Section | None:
    """The section; None if nothing was compared."""
    if result is None:
        return None
    title, words = "Beside other estimators", list(notes(result))
    return section_of("comparison", title, items=items(result), notes=words)


def items(result: Comparison) -> list[Item]:
    """Tables and figures, as `emorank paper` writes them."""
    expressive, everybody = "faces that express an emotion", "all faces, None as a level"
    if result.about.labels:
        everybody = "a check of two classes: neutral against any expression"
    made: list[Item] = []
    if result.expressive is not None:
        made += _items(result.expressive, result, "", expressive)
    if result.all is not None:
        made += _items(result.all, result, "_all" if made else "", everybody)
    return made


def label(name: str) -> str:
    """An estimator in words."""
    if name in REFERENCES:
        return REFERENCES[name]
    others = {key: entry.label for key, entry in ESTIMATORS.items()} | SHIPPED | OURS
    return others.get(name, f"Ours: {name}")


def ordered(names: Iterable[str]) -> list[str]:
    """Rivals in the order of Table 10, then references, ours, and the shipped networks."""
    known = [name for name in ESTIMATORS if name not in REFERENCES]
    places = {name: i for i, name in enumerate([*known, *REFERENCES, *OURS])}
    places |= {name: 200 + i for i, name in enumerate(SHIPPED)}
    return sorted(names, key=lambda name: places.get(name, 100))


def kind(name: str) -> str:
    """Whose it is: "rival", "reference", "ours" (of the study's own network) or "shipped"."""
    if name in REFERENCES:
        return "reference"
    if name in SHIPPED:
        return "shipped"
    return "rival" if name in ESTIMATORS else "ours"


def needs(name: str) -> str:
    """What has to be known, of faces of other persons or of the tested ones."""
    wants = [] if name in {"rater", *ESTIMATORS} or name.startswith("ready") else ["emotions"]
    wants += ["votes"] * (name in VOTES or name in ESTIMATORS)
    wants += ["sequences"] * (name in SEQUENCES)
    return ", ".join(wants) or NONE


def scores_table(part: EstimatorComparison, columns: Iterable[str] = COLUMNS) -> pd.DataFrame:
    """A row per estimator, in words: scores with their intervals."""
    return pd.DataFrame(
        {"Estimator": label(name), "Needs": needs(name)}
        | {COLUMNS[key]: estimate(getattr(part.scores[name], key)) for key in columns}
        for name in ordered(part.scores)
    )


def tests_table(part: EstimatorComparison, timing: dict[str, Times]) -> pd.DataFrame:
    """A row per estimator, in words: the test against ours, times, and the printed accuracy."""
    rows = []
    for name in ordered(part.scores):
        times = timing.get(name, Times())
        difference = part.differences.get(name)
        entry = ESTIMATORS.get(name)
        rows.append(
            {
                "Estimator": label(name),
                "Ours less it": NONE if difference is None else f"{difference.value:+.2f}",
                "p": NONE if difference is None else chance(difference.p),
                "p, Holm": NONE if difference is None else chance(difference.p_holm),
                **{f"{title}, ms": _ms(getattr(times, key)) for key, title in TIMES.items()},
                "Printed, %": entry.printed if entry and entry.printed else NONE,
            }
        )
    return pd.DataFrame(rows)


def numbers(part: EstimatorComparison, timing: dict[str, Times]) -> pd.DataFrame:
    """The same for programs: a column per number, empty where it is not defined."""
    rows = []
    for name in ordered(part.scores):
        scores, difference = part.scores[name], part.differences.get(name)
        rows.append(
            {
                "estimator": name,
                "kind": kind(name),
                "faces": scores.count,
                "abstained": scores.abstained,
                **_columns(scores),
                "reference": part.reference,
                "difference": None if difference is None else difference.value,
                "p": None if difference is None else difference.p,
                "p_holm": None if difference is None else difference.p_holm,
                **{key: getattr(timing.get(name, Times()), key) for key in TIMES},
            }
        )
    return pd.DataFrame(rows)


@styled
def figure(part: EstimatorComparison) -> Figure:
    """Accuracy and kappa of each estimator with their intervals; the majority as a line.

    Hollow marks are of those that see sequences.
    """
    names = ordered(part.scores)[::-1]
    drawn = blank(8.6, 0.3 * len(names) + 1.2)
    left, right = drawn.subplots(1, 2, sharey=True)
    for axes, key, title in (
        (left, "accuracy", "accuracy of the rank"),
        (right, "quadratic_kappa", "quadratic-weighted kappa"),
    ):
        for place, name in enumerate(names):
            _draw(axes, getattr(part.scores[name], key), place, name)
        axes.set(xlabel=title, xlim=(min(axes.get_xlim()[0], -0.05), 1.02))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.margins(y=0.6 / len(names))
    right.axvline(0, color=INK, lw=0.8, zorder=1)
    if "majority" in part.scores:
        chance = part.scores["majority"].accuracy.value
        left.axvline(float(chance or 0), color=INK, lw=0.8, ls=(0, (4, 3)), zorder=1)
    left.set_yticks(range(len(names)), [label(name) for name in names])
    # A line between the groups, so that colour is not all that tells them apart.
    for place in range(1, len(names)):
        if kind(names[place]) != kind(names[place - 1]):
            left.axhline(place - 0.5, color=PALE, lw=1)
            right.axhline(place - 0.5, color=PALE, lw=1)
    if not SEQUENCES.isdisjoint(names):
        drawn.supxlabel("hollow: sees which faces are a sequence", x=0.99, ha="right", fontsize=8.5)
    return drawn


def _draw(axes: Any, value: Estimate, place: int, name: str) -> None:
    colour, marker = _KINDS[kind(name)]
    if value.value is None:
        axes.text(0.02, place, "not defined", va="center", color=INK, fontsize=8)
        return
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [place, place], c=colour, lw=3, alpha=0.45)
    hollow = name in SEQUENCES
    fill, edge = ("white", colour) if hollow else (colour, "white")
    axes.plot([value.value], [place], marker, mfc=fill, mec=edge, mew=1.5 if hollow else 1, ms=7)


def _items(part: EstimatorComparison, result: Comparison, suffix: str, words: str) -> list[Item]:
    count = part.scores[part.reference].count
    title = f"Estimators of intensity side by side: {words} ({count}, {part.persons} persons)"
    rough = ", rough" * (part.persons < FEW)
    intervals = (
        f"Intervals: bootstrap over {part.persons} persons, 95 %{rough}. Needs: emotions and votes "
        f"of other persons' faces (emotions: neutral among them); sequences: which of the tested "
        f"faces belong together, and in which order."
    )
    test = (
        f"Ours less it: accuracy of “{label(part.reference)}” less each, mean over persons; p by "
        f"{'the exact' if part.exact else 'a sampled'} sign-flip test over persons, then with "
        f"Holm's correction. Milliseconds per image to learn, to compute descriptors, to predict "
        f"(our ranks: all in one). Printed: the accuracy in the paper's Table 10, measured by "
        f"others on other faces."
    )
    timing = result.timing
    scores, tests = scores_table(part), tests_table(part, timing)
    scores = scores.map(lambda cell: cell.removesuffix(" rough"))  # the note says it
    costs = title.replace("side by side", "tested and timed")
    return [
        Item(f"table_10{suffix}", "Table 10", title, numbers(part, timing), intervals, scores),
        Item(f"figure_10{suffix}", "Table 10 as a figure", title, figure(part)),
        Item(f"table_10{suffix}_tests", "Table 10", costs, tests, test),
    ]


def _columns(scores: EstimatorScores) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for key in COLUMNS:
        one: Estimate = getattr(scores, key)
        columns |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
    return columns


def notes(result: Comparison) -> Iterable[str]:
    """What has to be said of the tables, in sentences."""
    about, part = result.about, result.expressive or result.all
    if part is None:
        return
    if about.labels:
        yield (
            "Nobody rated these faces: neutral is None and any expression Strong, so this is a "
            "check of two classes and says nothing of ranks. Any rank counts as expressive."
        )
    if about.folds:
        yield (
            f"Persons in {about.folds} folds: each was tested once, by estimators and networks "
            f"that never saw a face of that person."
        )
    else:
        yield f"Tested on the {part.persons} persons of the test part of the study's split."
    yield (
        f"All are tested against “{label(part.reference)}”; it was chosen by its name, not for "
        f"its score."
    )
    if part.least_p > 0.05:
        yield (
            f"{part.persons} persons cannot give a p below {part.least_p:.2g}, however large the "
            f"difference: nothing here can be significant. Intervals over so few persons are "
            f"rough. With --folds every person is tested."
        )
    if not about.labels:
        yield (
            "A prediction of None is wrong for a face that expresses an emotion, and counted from "
            "None in the mean error; Spearman is between the continuous output and the mean rating."
        )
        yield "The rater is drawn anew for each face and compared with the majority of the others."
    if not part.scores.keys().isdisjoint(SHIPPED):
        yield (
            "The shipped network has learnt from none of these faces; a head on its features has "
            "learnt the emotions of the training part, and no votes. Both rank by the contrast."
        )
    if smoothed := [name for name in part.scores if name in SEQUENCES and name in SHIPPED]:
        words = " and ".join(f"“{label(name)}”" for name in smoothed)
        yield (
            f"{words}: the contrast along each sequence, less what the person shows at rest "
            f"(the lowest fifth of the person's tested faces; nobody says which are neutral)."
        )
    for name, reason in result.left_out.items():
        yield f"Left out: {label(name)}: {reason}"


def _ms(value: float | None) -> str:
    if value is None or not np.isfinite(value):
        return NONE
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
