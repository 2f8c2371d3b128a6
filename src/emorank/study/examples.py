"""Which faces of a study are shown as examples, and what of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from emorank.answers.voting import majority
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.relevance_maps import stores
from emorank.vocabulary import NONE, Emotion, Rank

ORDER = {word: i for i, word in enumerate([*Emotion, *(rank.label for rank in Rank)])}


def ranked_faces(study: Study) -> pd.DataFrame:
    """The rows of `ranks.parquet` with the predictions and `digest`, `intensity` of the faces."""
    rows = study.table("ranks").merge(study.table("predictions"), on=["image", "predicted"])
    return rows.merge(study.table("faces")[["image", "digest", "intensity"]], on="image")


def usually_ranked(study: Study, ranks: pd.DataFrame) -> pd.DataFrame:
    """The same of the table of the rank that people get, as far as a face has an intensity."""
    rows = ranks.merge(study.table("predictions")[["image", "emotion"]], on="image")
    rows = rows[rows["rank"].notna() & (rows["rank"] != NONE)]
    return rows.merge(study.table("faces")[["image", "digest", "intensity"]], on="image")


def surest(
    study: Study, rows: pd.DataFrame, number: int, by: tuple[str, ...] = ("predicted", "rank")
) -> pd.DataFrame:
    """Of every emotion and rank the rightly named faces whose emotion is the most probable.

    Of each kind, which the columns `by` make, at most `number` of the rows from `ranked_faces` are
    chosen; rows that lack one of these columns are left out.

    Returns:
        The chosen rows in the order of emotions and ranks, with `probability` and the columns of
        `faces.parquet`.
    """
    right = rows[rows["emotion"] == rows["predicted"]].dropna(subset=[*by]).copy()
    right["probability"] = [row[f"p_{row['predicted']}"] for _, row in right.iterrows()]
    right = right.sort_values("probability", ascending=False)
    chosen = right.groupby([*by]).head(number)
    chosen = chosen.sort_values([*by], key=lambda words: words.map(ORDER))
    about = study.table("faces").drop(columns=["emotion", "intensity", "digest"])
    return chosen.merge(about, on="image")


def pictures(
    study: Study, rows: pd.DataFrame
) -> Iterator[tuple[UInt8[np.ndarray, "side side 3"], np.ndarray[Any, Any]]]:
    """Of each row what the network saw, and the relevance map (3, side, side) of it."""
    framed, maps = Framed(study, rows), stores(study)[0]
    stored, places = maps.rows(rows["digest"].to_list())
    for number, place in enumerate(places):
        yield framed(number), stored[place]


def raters_said(study: Study) -> dict[str, str]:
    """The majority's rank of each image that has one."""
    voted = majority(study.table("votes"), study.plan.validate.ties).dropna(subset="rank")
    return dict(voted[["image", "rank"]].to_numpy())
