"""Tables and numbers as HTML; whatever comes from data is escaped."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from emorank.evaluation.classification import Baseline
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.words import NONE, capitalised, cell, plain, text


def html(
    table: pd.DataFrame,
    caption: str = "",
    *,
    places: int = 2,
    strong_last: bool = False,
    new_group: Callable[[Any, Any], bool] | None = None,
) -> Markup:
    """A table without its index, numbers to the right, in a box that scrolls on a narrow screen.

    Args:
        table: column names are its header.
        caption: above it.
        places: decimals of floats.
        strong_last: the last row holds totals or averages.
        new_group: whether a line separates two neighbouring rows, from their first cells.
    """
    kinds = [_kind(table[name]) for name in table.columns]
    head = Markup("").join(
        Markup("<th{} scope=col>{}</th>").format(kind, text(str(name)))
        for kind, name in zip(kinds, table.columns, strict=True)
    )
    rows = []
    before: Any = None
    for number, values in enumerate(table.astype(object).itertuples(index=False, name=None)):
        marks = []
        if strong_last and number == len(table) - 1:
            marks.append("last")
        elif new_group and number and new_group(before, values[0]):
            marks.append("group")
        before = values[0] if values else None
        cells = Markup("").join(
            Markup("<td{}>{}</td>").format(kind, cell(plain(value), places))
            for kind, value in zip(kinds, values, strict=True)
        )
        kind = Markup(' class="{}"').format(" ".join(marks)) if marks else Markup("")
        rows.append(Markup("<tr{}>{}</tr>").format(kind, cells))
    # The caption stays in sight while the table below it scrolls.
    title = Markup('<p class="caption">{}</p>').format(text(caption)) if caption else Markup("")
    return Markup(
        '<div class="table">{}<div class="scroll" tabindex="0" role="region" aria-label="{}">'
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></div>"
    ).format(title, text(caption) or "table", head, Markup("\n").join(rows))


def _kind(column: pd.Series) -> Markup:
    """Numbers stand to the right; long texts need a width below which they are no longer read."""
    if pd.api.types.is_numeric_dtype(column):
        return Markup(' class="n"')
    long = column.dropna().map(lambda value: len(str(value))).max() > 20 if len(column) else False
    return Markup(' class="long"') if long else Markup("")


def pairs(values: Mapping[str, object]) -> Markup:
    """Settings and their values as a definition list."""
    rows = Markup("\n").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(text(str(name)), _setting(value))
        for name, value in values.items()
    )
    return Markup("<dl>{}</dl>").format(rows)


def estimates(rows: Sequence[tuple[str, Estimate, int]]) -> pd.DataFrame:
    """Scores with their intervals: a row for each name, estimate and number of images."""
    return pd.DataFrame(
        {
            "Score": [name for name, _, _ in rows],
            "Value": floats(e.value for _, e, _ in rows),
            "Interval": [_interval(e) for _, e, _ in rows],
            "Images": [count for _, _, count in rows],
            "How": ["; ".join(filter(None, (e.method, e.reason))) for _, e, _ in rows],
        }
    )


def baseline_row(name: str, baseline: Baseline | None) -> list[tuple[str, Estimate, int]]:
    """The row of a constant answer; `name` has `{}` in the place of the answer."""
    if baseline is None:
        return []
    where = "of the train part" if baseline.source == "train" else "of these images"
    words = f"{name.format(capitalised(baseline.label))} (majority {where})"
    return [(words, baseline.accuracy, 0)]


def _interval(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return NONE
    # Kept on one line in a narrow column.
    interval = f"{value.low:.2f} to {value.high:.2f}".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{interval} rough" if value.rough else interval


def floats(values: Any) -> pd.Series:
    """Numbers as a column, NaN for None."""
    return pd.Series([math.nan if v is None else v for v in values], dtype="float64")


def _setting(value: object) -> Markup:
    if isinstance(value, Mapping):
        return pairs(value)
    values = list(value) if isinstance(value, list | tuple) else [value]
    return escape(", ".join(_compact(plain(v)) for v in values) or NONE)


def _compact(value: object) -> str:
    """As `cell`, but a learning rate keeps all of its digits."""
    return f"{value:g}" if isinstance(value, float) else cell(value)
