"""The section on faithful explanations: what was measured, as a table, figures and a sentence."""

import pandas as pd

from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.localisation import FEATURES
from emorank.evaluation.statistics.uncertainty import FEW
from emorank.report.page import Section, section_of
from emorank.report.sections import faithfulness_figures as figures
from emorank.report.words import NONE, estimate, minus
from emorank.results.faithfulness import Faithfulness


def section(result: Faithfulness | None, preset: str) -> Section | None:
    """The section; None if nothing was measured. The study's ranks come from its `preset`."""
    if result is None:
        return None
    fill, checks = result.settings.fills[0], result.settings.checks
    return section_of(
        "faithfulness",
        "Are the explanations faithful?",
        result=result,
        fill=fill,
        checked=min(checks, len(result.images)),
        verdict=verdict(result, preset),
        scores=table(result),
        gains=figures.gains(result),
        curves=figures.curves(result, fill),
        likeness=figures.likeness(result) if checks else None,
        masses=figures.masses(mass_table(result)) if result.area else None,
    )


def table(result: Faithfulness, fill: str = "") -> pd.DataFrame:
    """A row per method: the main scores with their intervals, and the cost, as text.

    Regions are taken away by `fill`; by default the first that was asked for.
    """
    fill = fill or result.settings.fills[0]
    columns = {
        "least − most": ("between", fill),
        "deletion": ("deletion", fill),
        "insertion": ("insertion", fill),
        "on features": ("rank accuracy", ""),
        "outside": ("mass", "outside"),
        "new weights": ("spearman cascading", result.stages[-1] if result.stages else ""),
        "other class": ("spearman other class", ""),
        "noise": ("noise", ""),
        "shift": ("shift", ""),
        "gap": ("gap", ""),
    }
    rows = []
    for method in result.passes:
        row: dict[str, str] = {"method": method}
        for title, (measure, of) in columns.items():
            row[title] = estimate(result.estimate(method, measure, of))
        row["passes"] = NONE if method in BLIND else f"{result.passes[method]:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)


def verdict(result: Faithfulness, preset: str) -> str:
    """What the score depends on most, and where the study's own preset stands, in a sentence."""
    fill = result.settings.fills[0]
    known = {}
    for method in result.passes:
        value = result.estimate(method, "between", fill)
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
    if preset in methods and preset != best:
        sentence += f"; this study’s {preset} has {_number(known[preset])}"
        if known[preset] <= known[top]:
            sentence += f", no more than {top}, which knows nothing of the network"
    sentence += f"; the best map that knows nothing of it, {top}, has {_number(known[top])}"
    few = result.persons < FEW
    return f"{sentence}. {result.persons} persons" + (": the intervals are rough." if few else ".")


def _number(value: float) -> str:
    return minus(f"{value:.2f}")


def mass_table(result: Faithfulness) -> pd.DataFrame:
    """The share of the positive relevance in each region, a row per method, and the area last."""
    rows = [
        {"method": method} | {region: _share(result, method, region) for region in result.area}
        for method in result.passes
    ]
    table = pd.DataFrame([*rows, {"method": "area (chance)"} | result.area])
    if result.area:
        table.insert(1, "features", table[list(FEATURES)].sum(axis=1, min_count=1))
    return table


def _share(result: Faithfulness, method: str, region: str) -> float | None:
    value = result.estimate(method, "mass", region)
    return None if value is None else value.value
