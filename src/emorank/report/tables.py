"""Tables and numbers as HTML; whatever comes from data is escaped."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from emorank.evaluation.classification import Baseline, Classification
from emorank.evaluation.rank_scores import RankValidation, scores_table
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.vocabulary import Emotion

# What is not defined is a dash, never a zero.
NONE = "–"


def cell(value: object, places: int = 2) -> str:
    """A value as text: floats rounded, whole numbers grouped, missing ones a dash."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{places}f}"
    if isinstance(value, int):
        return f"{value:,}"
    return text(str(value))


def text(value: str) -> str:
    """A string that any file can hold: a file name of undecodable bytes keeps them as escapes."""
    return value.encode("utf-8", "backslashreplace").decode()


def estimate(value: Estimate, places: int = 2) -> str:
    """A value with its interval: "0.83 [0.78, 0.88]"; a dash where it is not defined."""
    if value.value is None:
        return NONE
    point = f"{value.value:.{places}f}"
    if value.low is None or value.high is None:
        return point
    return f"{point} [{value.low:.{places}f}, {value.high:.{places}f}]"


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
        table: what to show; column names are its header.
        caption: above the table.
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


def class_table(result: Classification) -> pd.DataFrame:
    """Precision, recall, F1 and support of each class of the emotion test."""
    return pd.DataFrame(
        {
            "Emotion": [_label(score.label) for score in result.per_class],
            "Precision": _floats(score.precision for score in result.per_class),
            "Recall": _floats(score.recall for score in result.per_class),
            "F1": _floats(score.f1 for score in result.per_class),
            "Images": [score.support for score in result.per_class],
            "Predicted": [score.predicted for score in result.per_class],
        }
    )


def rank_table(result: RankValidation) -> pd.DataFrame:
    """Tables 6–9 in the paper's layout, with the number of images."""
    names = {"f1": "F1", "support": "Images"}
    return scores_table(result).rename(columns=lambda name: names.get(name, name.capitalize()))


def overall_table(result: RankValidation, *, apart: bool = False) -> pd.DataFrame:
    """Conditional, joint and baseline scores with intervals, one row each.

    Args:
        result: of the validation.
        apart: the ends of the intervals are numbers in columns of their own, for a program.
    """
    joint = result.joint
    rows: list[tuple[str, Estimate, int]] = [
        ("Rank accuracy, emotion recognised (conditional)", result.accuracy, 0),
        ("… with persons drawn again", result.accuracy_over_persons, 0),
        *_baseline("… always “{}”", result.baseline),
        ("Balanced accuracy", result.balanced_accuracy, 0),
        ("Quadratic-weighted kappa", result.quadratic_kappa, 0),
        ("Mean absolute rank error", result.mean_absolute_error, 0),
        ("Spearman correlation with the mean rating", result.spearman, 0),
        ("Emotion and rank both right (joint)", joint.accuracy, 1),
        ("… with persons drawn again", joint.accuracy_over_persons, 1),
        *((name, e, 1) for name, e, _ in _baseline("… always “{}”", joint.baseline)),
        ("Emotion right, of the same images", joint.emotion_accuracy, 1),
    ]
    counts = (result.population.conditional, joint.count)
    chosen = [(name, e, counts[which]) for name, e, which in rows]
    table = _estimates(chosen)
    if not apart:
        return table
    table.insert(2, "Low", _floats(e.low for _, e, _ in chosen))
    table.insert(3, "High", _floats(e.high for _, e, _ in chosen))
    return table.drop(columns="Interval")


def accuracy_table(result: Classification) -> pd.DataFrame:
    """Accuracy with both intervals, balanced accuracy, macro F1 and the baseline."""
    rows = [
        ("Accuracy", result.accuracy, 0),
        ("… with persons drawn again", result.accuracy_over_persons, 0),
        *_baseline("… always “{}”", result.baseline),
        ("Balanced accuracy", result.balanced_accuracy, 0),
        ("Mean F1 over the classes", result.macro_f1, 0),
    ]
    return _estimates([(name, e, result.count) for name, e, _ in rows])


def reasons(result: Classification | RankValidation) -> list[str]:
    """Why the dashes of a table are dashes, one sentence each."""
    if isinstance(result, Classification):
        return [f"{_label(s.label)}: {s.reason}" for s in result.per_class if s.reason]
    return [
        f"{_label(e.emotion)}, {s.rank}: {s.reason}"
        for e in result.emotions
        for s in e.scores
        if s.reason
    ]


def _estimates(rows: Sequence[tuple[str, Estimate, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Score": [name for name, _, _ in rows],
            "Value": _floats(e.value for _, e, _ in rows),
            "Interval": [_interval(e) for _, e, _ in rows],
            "Images": [count for _, _, count in rows],
            "How": ["; ".join(filter(None, (e.method, e.reason))) for _, e, _ in rows],
        }
    )


def _baseline(name: str, baseline: Baseline | None) -> list[tuple[str, Estimate, int]]:
    if baseline is None:
        return []
    where = "of the train part" if baseline.source == "train" else "of these images"
    return [(f"{name.format(_label(baseline.label))} (majority {where})", baseline.accuracy, 0)]


def _interval(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return NONE
    # Kept on one line in a narrow column.
    return f"{value.low:.2f} to {value.high:.2f}".replace(" ", "\N{NO-BREAK SPACE}")


def _label(word: str) -> str:
    return word[:1].upper() + word[1:]


def emotion_label(word: str) -> str:
    """An emotion as tables write it; a word outside the vocabulary stays as it is."""
    return Emotion(word).label if word in set(Emotion) else word


def _floats(values: Any) -> pd.Series:
    return pd.Series([math.nan if v is None else v for v in values], dtype="float64")


def plain(value: object) -> object:
    """Numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


def _setting(value: object) -> Markup:
    if isinstance(value, Mapping):
        return pairs(value)
    values = list(value) if isinstance(value, list | tuple) else [value]
    return escape(", ".join(_compact(plain(v)) for v in values) or NONE)


def _compact(value: object) -> str:
    """As `cell`, but a learning rate keeps all of its digits."""
    return f"{value:g}" if isinstance(value, float) else cell(value)
