"""How well ranks agree with the raters: Tables 6–9, figures 15–17, and what they leave out."""

from collections.abc import Callable, Mapping
from functools import partial
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
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    bootstrap,
    clusters,
    counts_per_cluster,
    wilson,
)
from emorank.vocabulary import Emotion


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
    """Compare predicted ranks with what the majority of the raters said.

    Args:
        ranks: `image`, `rank` (label); the rank from the relevance of the predicted emotion.
        majority: `image`, `rank` (label, <NA> when disputed), `mean`, from `voting.majority`.
        predictions: `image`, `emotion` (true), `predicted`, `part`.
        rng: draws the resamples.
        persons: of the images, where known; other images count as persons of their own.
        trained_majority: the most frequent rank outside the test part, for the baseline; without
            it, the most frequent rank of the scored images, which flatters the baseline.
        part: the part of the split that is scored.
        resamples: of the bootstrap.
        level: coverage of the intervals.
    """
    table, population = _assemble(ranks, majority, predictions, part)
    known = {image: name for image, name in (persons or {}).items() if not pd.isna(name)}
    people = [known.get(image) for image in table["image"]]
    cluster = clusters(people if known else None, len(table))
    unit = "persons" if known else "images"
    again = partial(bootstrap, rng=rng, unit=unit, resamples=resamples, level=level)
    scored = table["scored"].to_numpy(dtype=bool)
    rows = table["true_rank"].to_numpy()[scored]
    columns = table["predicted_rank"].to_numpy()[scored]
    # Persons without a scored image are left out of these resamples.
    person = np.unique(cluster[scored], return_inverse=True)[1]
    tables = counts_per_cluster(rows, columns, (3, 3), person)
    matrix = tables.sum(axis=0)
    overall = again(
        {
            "accuracy": confusion.accuracy,
            "balanced_accuracy": confusion.balanced_accuracy,
            "quadratic_kappa": confusion.quadratic_kappa,
            "mean_absolute_error": confusion.mean_absolute_error,
        },
        tables,
    )
    # Means of the same votes may differ in the last bit.
    means, mean = np.unique(table["mean"].to_numpy()[scored].round(9), return_inverse=True)
    by_mean = counts_per_cluster(columns, mean, (3, len(means)), person)
    correlation = again({"spearman": confusion.spearman}, by_mean)["spearman"]
    emotions = tuple(_per_emotion(table, scored))
    return RankValidation(
        emotions=emotions,
        averages=averages(score_rows(emotions)),
        population=population,
        confusion=_plain(matrix),
        accuracy=wilson(int(np.trace(matrix)), int(matrix.sum()), level),
        accuracy_over_persons=overall["accuracy"],
        balanced_accuracy=overall["balanced_accuracy"],
        quadratic_kappa=overall["quadratic_kappa"],
        mean_absolute_error=overall["mean_absolute_error"],
        spearman=correlation,
        baseline=majority_baseline(matrix, RANKS, trained_majority, level),
        joint=_joint(table, cluster, again, level),
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
        strangers = table.loc[(table[name] < 0) & table[column].notna(), column]
        if len(strangers):
            raise ValueError(f"{strangers.iloc[0]!r} is no rank; expected {', '.join(RANKS)}")
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
        matrix = np.zeros((3, 3), np.int64)
        np.add.at(matrix, (here["true_rank"].to_numpy(), here["predicted_rank"].to_numpy()), 1)
        result.append(EmotionRanks(emotion.value, len(here), _plain(matrix), rank_scores(matrix)))
    return result


def _joint(
    table: pd.DataFrame,
    cluster: np.ndarray[Any, Any],
    again: Callable[..., dict[str, Estimate]],
    level: float,
) -> Joint:
    right = table["scored"] & (table["true_rank"] == table["predicted_rank"])
    hits, total = int(right.sum()), len(table)
    # A table with right answers in cell (0, 0) and wrong ones in (0, 1): its accuracy is theirs.
    wrong = (~right).to_numpy(dtype=np.int64)
    tables = counts_per_cluster(np.zeros_like(wrong), wrong, (2, 2), cluster)
    pairs = table["annotated"] + " " + table["emotion"].str.capitalize()
    frequent = pairs.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return Joint(
        count=total,
        accuracy=wilson(hits, total, level),
        accuracy_over_persons=again({"accuracy": confusion.accuracy}, tables)["accuracy"],
        emotion_accuracy=wilson(int(table["recognised"].sum()), total, level),
        baseline=Baseline(
            str(frequent.index[0]), "test", wilson(int(frequent.iloc[0]), total, level)
        )
        if total
        else None,
    )


def _plain(matrix: np.ndarray[Any, Any]) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
