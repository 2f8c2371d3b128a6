"""How well ranks agree with the raters: Tables 6–9, figures 15–17, and the images left out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from emorank.evaluation.classification import Baseline, majority_baseline
from emorank.evaluation.rank_scores import (
    RANKS,
    EmotionRanks,
    Joint,
    Matrix,
    Population,
    RankValidation,
    averages,
    rank_scores,
    score_rows,
)
from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import people
from emorank.evaluation.statistics.correlation import spearman
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    bootstrap,
    counts_per_cluster,
    no_narrower,
    resampled,
    wilson,
)
from emorank.vocabulary import Emotion

_STATISTICS = {
    "accuracy": confusion.accuracy,
    "balanced_accuracy": confusion.balanced_accuracy,
    "quadratic_kappa": confusion.quadratic_kappa,
    "mean_absolute_error": confusion.mean_absolute_error,
}


def validation(
    ranks: pd.DataFrame,
    majority: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    rng: np.random.Generator,
    persons: Mapping[str, str] | None = None,
    trained_majority: str | None = None,
    part: str = "test",
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> RankValidation:
    """Compare predicted ranks with the majority of the raters.

    `ranks` has `image` and `rank` (label), from the relevance of the predicted emotion; `majority`
    has `image`, `rank` (label, <NA> if disputed) and `mean`, from `voting.majority`; `predictions`
    has `image`, `emotion` (true), `predicted` and `part`, and one part of the split is scored. An
    image that is not in `persons` counts as one more person. `trained_majority` is the most
    frequent rank outside the test part, for the baseline; without it, the baseline is the most
    frequent rank of the scored images, which makes it too good.

    Raises:
        ValueError: a rank is not one of `RANKS`, or an image occurs twice in a table.
    """
    table, population = _assemble(ranks, majority, predictions, part)
    known = persons or {}
    whose = pd.Series([known.get(image) for image in table["image"]], dtype="object")
    options: dict[str, Any] = {"rng": rng, "resamples": resamples, "level": level}
    everybody = people(whose, np.ones(len(table), bool))
    options["unit"] = everybody.unit
    scored = table["scored"].to_numpy(dtype=bool)
    # Persons without a scored image are not drawn.
    who = people(everybody.number, scored)
    rows = table["true_rank"].to_numpy()[scored]
    columns = table["predicted_rank"].to_numpy()[scored]
    tables = counts_per_cluster(rows, columns, (3, 3), who.number)
    matrix = tables.sum(axis=0)
    overall = bootstrap(_STATISTICS, tables, **options)
    # Means of the same votes may differ in the last bit.
    means = table["mean"].to_numpy()[scored].round(9)
    correlation = resampled(
        lambda draws: {"": spearman(columns, means, draws[:, who.number])},
        np.ones(who.size, np.int64),
        **options,
    )
    emotions = tuple(_per_emotion(table, scored))
    return RankValidation(
        emotions=emotions,
        averages=averages(score_rows(emotions)),
        population=population,
        confusion=_plain(matrix),
        accuracy=wilson(int(np.trace(matrix)), int(matrix.sum()), level),
        accuracy_over_persons=no_narrower(
            overall.pop("accuracy"), int(np.trace(matrix)), int(matrix.sum())
        ),
        **overall,
        spearman=correlation[""],
        baseline=majority_baseline(matrix, RANKS, trained_majority, level),
        joint=_joint(table, everybody.number, options),
    )


def _assemble(
    ranks: pd.DataFrame, majority: pd.DataFrame, predictions: pd.DataFrame, part: str
) -> tuple[pd.DataFrame, Population]:
    """One row per image of the joint population, with ranks as 0, 1, 2 (-1 for none)."""
    test = predictions.loc[predictions["part"] == part, ["image", "emotion", "predicted"]]
    voted = majority[["image", "rank", "mean"]].rename(columns={"rank": "annotated"})
    table = test.merge(voted, how="left", on="image", validate="one_to_one")
    table = table.merge(ranks[["image", "rank"]], how="left", on="image", validate="one_to_one")

    unlabelled = table["emotion"].isna().to_numpy()
    neutral = (table["emotion"] == Emotion.NEUTRAL.value).fillna(False).to_numpy(dtype=bool)
    unrated = table["mean"].isna().to_numpy() & ~unlabelled & ~neutral
    undecided = table["annotated"].isna().to_numpy()
    disputed = undecided & ~unrated & ~unlabelled & ~neutral
    table = table[~(unlabelled | neutral | unrated | disputed)].reset_index(drop=True)

    index = pd.Index(RANKS, dtype="string")
    for name, column in (("true_rank", "annotated"), ("predicted_rank", "rank")):
        table[name] = index.get_indexer(pd.Index(table[column]))
        unknown = table.loc[(table[name] < 0) & table[column].notna(), column]
        if len(unknown):
            raise ValueError(f"{unknown.iloc[0]!r} is no rank; expected {', '.join(RANKS)}")
    table["recognised"] = (table["emotion"] == table["predicted"]).to_numpy(dtype=bool)
    table["scored"] = table["recognised"] & (table["predicted_rank"] >= 0)
    population = Population(
        images=len(test),
        unlabelled=int(unlabelled.sum()),
        neutral=int(neutral.sum()),
        unrated=int(unrated.sum()),
        disputed=int(disputed.sum()),
        joint=len(table),
        wrong_emotion=int((~table["recognised"]).sum()),
        unranked=int((table["recognised"] & ~table["scored"]).sum()),
        conditional=int(table["scored"].sum()),
    )
    return table, population


def _per_emotion(table: pd.DataFrame, scored: np.ndarray[Any, Any]) -> list[EmotionRanks]:
    result = []
    for emotion in Emotion:
        of_it = (table["emotion"] == emotion.value).to_numpy(dtype=bool)
        if not of_it.any():
            continue
        here = table[of_it & scored]
        true, guess = (here[name].to_numpy(np.int64) for name in ("true_rank", "predicted_rank"))
        matrix = confusion.confusion(true, guess, len(RANKS))
        result.append(EmotionRanks(emotion.value, len(here), _plain(matrix), rank_scores(matrix)))
    return result


def _joint(table: pd.DataFrame, cluster: np.ndarray[Any, Any], options: dict[str, Any]) -> Joint:
    level = options["level"]
    right = table["scored"] & (table["true_rank"] == table["predicted_rank"])
    hits, total = int(right.sum()), len(table)
    # A table that counts right answers in cell (0, 0) and wrong ones in cell (0, 1).
    wrong = (~right).to_numpy(dtype=np.int64)
    tables = counts_per_cluster(np.zeros_like(wrong), wrong, (2, 2), cluster)
    pairs = table["annotated"] + " " + table["emotion"].str.capitalize()
    frequent = pairs.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return Joint(
        count=total,
        accuracy=wilson(hits, total, level),
        accuracy_over_persons=no_narrower(
            bootstrap({"": confusion.accuracy}, tables, **options)[""], hits, total
        ),
        emotion_accuracy=wilson(int(table["recognised"].sum()), total, level),
        baseline=Baseline(
            str(frequent.index[0]), "test", wilson(int(frequent.iloc[0]), total, level)
        )
        if total
        else None,
    )


def _plain(matrix: np.ndarray[Any, Any]) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
