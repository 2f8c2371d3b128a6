"""The paper's Tables 1 to 5 from a study; Tables 6 to 9 are `tables.rank_table`."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from emorank.evaluation.rank_scores import RANKS
from emorank.ranking.intervals import GROUPS
from emorank.report.words import NONE
from emorank.vocabulary import Emotion, Rank

# Rows of the sheet that a page of a paper has room for.
FEW = 12
_INTERVALS = range(1, 11)


def hyperparameters(plan: Mapping[str, Any], epochs: int) -> pd.DataFrame:
    """Table 1: what the paper says of the training, and what this study did in `epochs`."""
    data, split, train = plan["data"], plan["split"], plan["train"]
    frozen = "none" if train["unfreeze"] == "none" else f"last block ({train['unfreeze']})"
    rows = (
        ("Optimizer", "AdamW", "AdamW"),
        ("Learning rate", NONE, f"{train['learning_rate']:g}"),
        ("Batch size", "32 or 64", train["batch"]),
        ("Weight decay", "0.001", f"{train['weight_decay']:g}"),
        ("Loss", "categorical cross-entropy", "categorical cross-entropy"),
        ("Epochs", "100 or 150", f"{epochs} of at most {train['epochs']}"),
        ("Patience, in epochs", NONE, train["patience"] or "not used"),
        ("Dropout", "50 %", f"{100 * train['dropout']:g} %"),
        ("Width of the hidden layers", "4096", train["hidden"]),
        ("Convolutions trained", "none", frozen),
        ("Views of an image", "1", train["views"]),
        ("Classes weighted", "no", "yes" if train["class_weights"] else "no"),
        ("Input", "224×224×3 (255×255 in the text)", f"{data['size']}×{data['size']}×3"),
        ("Split", "random, 80/20 and again", _split(split)),
    )
    table = pd.DataFrame(rows, columns=["Setting", "Paper", "This study"])
    return table.astype({"This study": "string"})


def counts(
    parts: pd.DataFrame,
    published: Mapping[Emotion, int] | None,
    printed: Mapping[Emotion, int] | None,
) -> pd.DataFrame:
    """Table 2: images per emotion, in each part and in all, beside what was published.

    Args:
        parts: `part` and `emotion`, a row per face.
        published: images per emotion as the data set's authors say; None if they do not.
        printed: the same in the paper's Table 2.
    """
    table = pd.crosstab(parts["part"], parts["emotion"])
    rows = {
        part.capitalize(): table.loc[part] for part in ("train", "validation", "test")
        if part in table.index
    }  # fmt: skip
    rows["All"] = table.sum(axis=0)
    for name, other in (("As published", published), ("Paper, Table 2", printed)):
        if other is not None:
            rows[name] = pd.Series({str(emotion): number for emotion, number in other.items()})
    whole = pd.DataFrame(rows).T.fillna(0).astype("int64")
    ordered = whole.reindex(columns=[e for e in Emotion if e in whole.columns])
    ordered["Total"] = ordered.sum(axis=1)
    named = ordered.rename(columns={str(emotion): emotion.label for emotion in Emotion})
    return named.rename_axis("Images").reset_index()


def intervals(rows: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Tables 3 and 4: the ten counts, the values of the three groups, the rank.

    Args:
        rows: of `ranks.parquet`.
        rule: what a group's value is: "count", "mean" or "sum".

    Returns:
        `image`, `emotion`, `group_1` … `group_10`, `value_1` … `value_3`, `rank`; the last also
        `zero`, where zero relevance lies.
    """
    table = rows[["image"]].copy()
    table["emotion"] = [Emotion(word).label for word in rows["predicted"]]
    for j in _INTERVALS:
        table[f"group_{j}"] = rows[f"n_{j}"].astype("int64")
    for j in (1, 2, 3):
        values = rows[f"value_{j}"]
        table[f"value_{j}"] = values.astype("int64") if rule == "count" else values
    return table.assign(rank=rows["rank"].astype("string"), zero=rows["zero"].round(3))


def intervals_shown(table: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The same with the paper's header of two lines."""
    shown = table.drop(columns="zero")
    word = {"count": "Number of values", "mean": "Mean of values", "sum": "Sum of values"}[rule]
    ends = [(word, f"{first}–{last}") for first, last in (GROUPS[rank] for rank in Rank)]
    shown.columns = pd.MultiIndex.from_tuples(
        [("", "Image"), ("", "Predicted")]
        + [("Values in interval", str(j)) for j in _INTERVALS]
        + ends
        + [("", "Rank")]
    )
    return shown


def few(sheet: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Rows of Table 5's sheet for a page: those of the images `first`, filled up evenly."""
    chosen = [image for image in first if image in set(sheet["image"])][:FEW]
    others = sheet.loc[~sheet["image"].isin(chosen), "image"].to_list()
    missing = min(FEW - len(chosen), len(others))
    chosen += [others[(k * len(others)) // missing] for k in range(missing)]
    return sheet.set_index("image").loc[chosen].reset_index()


def sheet_shown(sheet: pd.DataFrame) -> pd.DataFrame:
    """Table 5 with the paper's header of two lines."""
    shown = sheet.copy()
    raters = [name for name in sheet.columns if name not in {"image", "Final", *_SHORT}]
    groups = dict.fromkeys(raters, "Raters") | dict.fromkeys(_SHORT, "Votes")
    shown.columns = pd.MultiIndex.from_tuples(
        [(groups.get(name, ""), name.capitalize()) for name in sheet.columns]
    )
    return shown


_SHORT = tuple({"Minimal": "Min", "Average": "Avg", "Strong": "Str"}[rank] for rank in RANKS)


def _split(split: Mapping[str, Any]) -> str:
    by = "persons disjoint" if split["by"] == "person" else "random"
    test, validation = (f"{100 * split[name]:g} %" for name in ("test", "validation"))
    return f"{by}, {test} test, {validation} of the rest validation"
