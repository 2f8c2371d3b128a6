"""Table 10 measured anew: our ranks beside six estimators and the references, on the same faces."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.baselines import ESTIMATORS
from emorank.evaluation.comparison import EstimatorComparison, EstimatorScores
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.paper import Item
from emorank.report.style import INK, PALE, PALETTE, blank, styled
from emorank.report.tables import NONE, estimate
from emorank.results.comparison import Comparison as Result
from emorank.results.comparison import Times

REFERENCES = {
    "majority": ESTIMATORS["majority"].label,
    "probability": "Probability in thirds",
    "logit": "Logit in thirds",
    "rater": "A rater at random",
}
OURS = {
    "paper": "Ours: the paper's rule",
    "evidence": "Ours: evidence",
    "calibrated": "Ours: calibrated",
    "ordinal": "Ours: ordinal network",
}
COLUMNS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced",
    "quadratic_kappa": "Kappa",
    "mean_absolute_error": "Mean error",
    "spearman": "Spearman",
}
TIMES = {"fit_ms": "Learn", "features_ms": "Look", "predict_ms": "Predict"}
_KINDS = {"rival": (PALETTE[0], "o"), "reference": ("#5f6b76", "s"), "ours": (PALETTE[5], "D")}


@dataclass(frozen=True)
class Comparison:
    """The section of the report.

    Attributes:
        items: tables and figures, as `emorank paper` has them.
        notes: what has to be said of them.
    """

    items: tuple[Item, ...]
    notes: tuple[str, ...]


def comparison(values: Result) -> Comparison:
    """The section."""
    kinds = {"expressive": "faces that express an emotion", "all": "all faces, None as a level"}
    if values.about.labels:
        kinds["all"] = "a check of two classes: neutral against any expression"
    items: list[Item] = []
    for which, words in kinds.items():
        found = values.expressive if which == "expressive" else values.all
        if found is not None:
            items += _items(found, values, "" if not items else f"_{which}", words)
    return Comparison(tuple(items), tuple(_notes(values)))


def label(name: str) -> str:
    """An estimator in words."""
    if name in REFERENCES:
        return REFERENCES[name]
    return ESTIMATORS[name].label if name in ESTIMATORS else OURS.get(name, f"Ours: {name}")


def ordered(names: Iterable[str]) -> list[str]:
    """Rivals in the order of Table 10, then the references, then ours."""
    places = {name: i for i, name in enumerate([*ESTIMATORS, *REFERENCES, *OURS])}
    places |= {name: i + 100 for i, name in enumerate(REFERENCES)}
    places |= {name: i + 200 for i, name in enumerate(OURS)}
    return sorted(names, key=lambda name: places.get(name, 300))


def kind(name: str) -> str:
    """Whose it is: "rival", "reference" or "ours"."""
    if name in REFERENCES:
        return "reference"
    return "rival" if name in ESTIMATORS else "ours"


def scores_table(found: EstimatorComparison, columns: Iterable[str] = COLUMNS) -> pd.DataFrame:
    """A row per estimator, in words: scores with their intervals."""
    return pd.DataFrame(
        {"Estimator": label(name)}
        | {COLUMNS[key]: estimate(getattr(found.scores[name], key)) for key in columns}
        for name in ordered(found.scores)
    )


def tests_table(found: EstimatorComparison, timing: dict[str, Times]) -> pd.DataFrame:
    """A row per estimator, in words: the test against ours, times, and the printed accuracy."""
    rows = []
    for name in ordered(found.scores):
        times = timing.get(name, Times())
        difference = found.differences.get(name)
        entry = ESTIMATORS.get(name)
        rows.append(
            {
                "Estimator": label(name),
                "Ours less it": NONE if difference is None else f"{difference.value:+.2f}",
                "p": NONE if difference is None else f"{difference.p:.3f}",
                "p, Holm": NONE if difference is None else f"{difference.p_holm:.3f}",
                **{f"{title}, ms": _ms(getattr(times, key)) for key, title in TIMES.items()},
                "Printed, %": entry.printed if entry and entry.printed else NONE,
            }
        )
    return pd.DataFrame(rows)


def numbers(found: EstimatorComparison, timing: dict[str, Times]) -> pd.DataFrame:
    """The same for programs: a column per number, empty where it is not defined."""
    rows = []
    for name in ordered(found.scores):
        scores, difference = found.scores[name], found.differences.get(name)
        rows.append(
            {
                "estimator": name,
                "kind": kind(name),
                "faces": scores.count,
                "abstained": scores.abstained,
                **_columns(scores),
                "reference": found.reference,
                "difference": None if difference is None else difference.value,
                "p": None if difference is None else difference.p,
                "p_holm": None if difference is None else difference.p_holm,
                **{key: getattr(timing.get(name, Times()), key) for key in TIMES},
            }
        )
    return pd.DataFrame(rows)


@styled
def figure(found: EstimatorComparison) -> Figure:
    """Accuracy and kappa of each estimator with their intervals; the majority as a line."""
    names = ordered(found.scores)[::-1]
    drawn = blank(8.6, 0.34 * len(names) + 1.1)
    left, right = drawn.subplots(1, 2, sharey=True)
    for axes, key, title in (
        (left, "accuracy", "accuracy of the rank"),
        (right, "quadratic_kappa", "quadratic-weighted kappa"),
    ):
        for place, name in enumerate(names):
            _draw(axes, getattr(found.scores[name], key), place, kind(name))
        axes.set(xlabel=title, xlim=(min(axes.get_xlim()[0], -0.05), 1.02))
        axes.grid(axis="x")
    right.axvline(0, color=INK, lw=0.8)
    if "majority" in found.scores:
        chance = found.scores["majority"].accuracy.value
        left.axvline(float(chance or 0), color=INK, lw=0.8, ls=(0, (4, 3)))
    left.set_yticks(range(len(names)), [label(name) for name in names])
    left.tick_params(axis="y", length=0)
    # A line between the groups, so that colour is not all that tells them apart.
    for place in range(1, len(names)):
        if kind(names[place]) != kind(names[place - 1]):
            left.axhline(place - 0.5, color=PALE, lw=1)
            right.axhline(place - 0.5, color=PALE, lw=1)
    return drawn


def _draw(axes: Any, value: Estimate, place: int, group: str) -> None:
    colour, marker = _KINDS[group]
    if value.value is None:
        axes.text(0.02, place, "not defined", va="center", color=INK, fontsize=8)
        return
    if value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [place, place], c=colour, lw=3, alpha=0.45)
    axes.plot([value.value], [place], marker, c=colour, ms=6.5, mec="white")


def _items(found: EstimatorComparison, values: Result, suffix: str, words: str) -> list[Item]:
    count = found.scores[found.reference].count
    title = f"Estimators of intensity side by side: {words} ({count}, {found.persons} persons)"
    intervals = f"Intervals: bootstrap over {found.persons} persons, 95 %."
    test = (
        f"Ours less it: accuracy of “{label(found.reference)}” less each, mean over persons; p by "
        f"{'the exact' if found.exact else 'a sampled'} sign-flip test over persons, then with "
        f"Holm's correction. Milliseconds per image to learn, to compute descriptors, to predict "
        f"(our ranks: all in one). Printed: the accuracy in the paper's Table 10, measured by "
        f"others on other faces."
    )
    timing = values.timing
    scores, tests = scores_table(found), tests_table(found, timing)
    costs = title.replace("side by side", "tested and timed")
    return [
        Item(f"table_10{suffix}", "Table 10", title, numbers(found, timing), intervals, scores),
        Item(f"figure_10{suffix}", "Table 10 as a figure", title, figure(found)),
        Item(f"table_10{suffix}_tests", "Table 10", costs, tests, test),
    ]


def _columns(scores: EstimatorScores) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for key in COLUMNS:
        one: Estimate = getattr(scores, key)
        found |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
    return found


def _notes(values: Result) -> Iterable[str]:
    about, found = values.about, values.expressive or values.all
    if found is None:
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
        yield f"Tested on the {found.persons} persons of the test part of the study's split."
    yield (
        f"All are tested against “{label(found.reference)}”; it was chosen as the best founded "
        f"of the ranks there are, not for its score."
    )
    if found.least_p > 0.05:
        yield (
            f"{found.persons} persons cannot give a p below {found.least_p:.2g}, however large the "
            f"difference: nothing here can be significant. Intervals over so few persons are "
            f"rough. With --folds every person is tested."
        )
    if not about.labels:
        yield (
            "A prediction of None is wrong for a face that expresses an emotion, and counted from "
            "None in the mean error; Spearman is between the continuous output and the mean rating."
        )
        yield (
            "The rater is drawn anew for each face and compared with the majority of the others."
        )
    for name, reason in values.left_out.items():
        yield f"Left out: {label(name)}: {reason}"


def _ms(value: float | None) -> str:
    if value is None or not np.isfinite(value):
        return NONE
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
