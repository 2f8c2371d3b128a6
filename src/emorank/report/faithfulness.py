"""The section on faithful explanations: what was measured, as a table, figures and a sentence."""

import re
from dataclasses import dataclass

import pandas as pd

from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.localisation import FEATURES
from emorank.report.tables import NONE, estimate
from emorank.results.faithfulness import Faithfulness as MapScores


@dataclass(frozen=True)
class Faithfulness:
    """What the section shows.

    Attributes:
        found: from `emorank faithfulness`.
        preset: the study's own, which its ranks come from.
    """

    found: MapScores
    preset: str


def table(found: MapScores, fill: str = "") -> pd.DataFrame:
    """A row per method: the main scores with their intervals, and the cost, as text.

    Args:
        found: from `emorank faithfulness`.
        fill: of the regions taken away; the first that was asked for if empty.
    """
    fill = fill or found.settings.fills[0]
    columns = {
        "least − most": ("between", fill),
        "deletion": ("deletion", fill),
        "insertion": ("insertion", fill),
        "on features": ("rank accuracy", ""),
        "outside": ("mass", "outside"),
        "new weights": ("spearman cascading", found.stages[-1] if found.stages else ""),
        "other class": ("spearman other class", ""),
        "noise": ("noise", ""),
        "shift": ("shift", ""),
        "gap": ("gap", ""),
    }
    rows = []
    for method in found.passes:
        row: dict[str, str] = {"method": method}
        for title, (measure, of) in columns.items():
            value = found.estimate(method, measure, of)
            row[title] = NONE if value is None else _signed(estimate(value))
        row["passes"] = NONE if method in BLIND else f"{found.passes[method]:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def verdict(contents: Faithfulness) -> str:
    """What the score depends on most, and where the study's own preset stands, in a sentence."""
    found, fill = contents.found, contents.found.settings.fills[0]
    known = {}
    for method in found.passes:
        value = found.estimate(method, "between", fill)
        if value is not None and value.value is not None:
            known[method] = value.value
    methods = {name: value for name, value in known.items() if name not in BLIND}
    if not methods:
        return "No method of explaining was measured."
    best = max(methods, key=methods.__getitem__)
    sentence = (
        f"The network’s score depends most on what {best} calls relevant "
        f"(least − most {_number(known[best])})"
    )
    blind = {name: value for name, value in known.items() if name in BLIND}
    top = max(blind, key=blind.__getitem__)
    own = contents.preset
    if own in methods and own != best:
        sentence += f"; this study’s {own} has {_number(known[own])}"
        if known[own] <= known[top]:
            sentence += f", no more than {top}, which knows nothing of the network"
    sentence += f"; the best map that knows nothing of it, {top}, has {_number(known[top])}"
    few = found.persons < 10
    return f"{sentence}. {found.persons} persons" + (": the intervals are rough." if few else ".")


def _number(value: float) -> str:
    return _signed(f"{value:.2f}")


def _signed(text: str) -> str:
    """A minus as it is printed, and none before a zero."""
    return re.sub(r"-(?=0\.0+\b)", "", text).replace("-", "−")


def mass_table(found: MapScores) -> pd.DataFrame:
    """The share of the positive relevance in each region, a row per method, and the area last."""
    rows = [
        {"method": method} | {region: _share(found, method, region) for region in found.area}
        for method in found.passes
    ]
    table = pd.DataFrame([*rows, {"method": "area (chance)"} | found.area])
    if found.area:
        table.insert(1, "features", table[list(FEATURES)].sum(axis=1, min_count=1))
    return table


def _share(found: MapScores, method: str, region: str) -> float | None:
    value = found.estimate(method, "mass", region)
    return None if value is None else value.value
