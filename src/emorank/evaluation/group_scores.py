"""Scores by group of persons (age, gender, ethnicity, skin tone), with intervals and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Int

from emorank.evaluation.classification import majority_baseline
from emorank.evaluation.group_tests import PERMUTATIONS, SEVERAL, GroupTest, group_test
from emorank.evaluation.rank_scores import RANKS
from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import People, people
from emorank.evaluation.statistics.significance import holm
from emorank.evaluation.statistics.uncertainty import (
    RESAMPLES,
    Estimate,
    Statistic,
    bootstrap,
    counts_per_cluster,
    no_narrower,
)

EMOTION, RANK = "emotion", "rank"
SCORES: dict[str, tuple[str, Statistic]] = {
    "emotion accuracy": (EMOTION, confusion.accuracy),
    "emotion balanced accuracy": (EMOTION, confusion.balanced_accuracy),
    "rank accuracy": (RANK, confusion.accuracy),
    "rank quadratic kappa": (RANK, confusion.quadratic_kappa),
}
"""Each score: which of a person's two tables it is computed from, and how."""


@dataclass(frozen=True)
class Group:
    """One group of persons.

    Attributes:
        persons: None where no person is known; images then stand for persons.
        ranked: images whose rank is compared with raters: recognised, rated and not neutral.
        scores: each of `SCORES`; None with its reason where undefined.
        chance: accuracy of the constant answers: "emotion" the most frequent emotion of the train
            part, "rank" the most frequent rank; None where there are no images. Chance of a kappa
            is 0, of the balanced accuracy 1/classes.
    """

    name: str
    images: int
    persons: int | None
    ranked: int
    scores: dict[str, Estimate]
    chance: dict[str, float | None]


@dataclass(frozen=True)
class Attribute:
    """The groups by one attribute; the `unknown` images, whose group is not known, are in none."""

    name: str
    unknown: int
    groups: tuple[Group, ...]
    differences: tuple[GroupTest, ...]


def by_group(
    table: pd.DataFrame,
    attribute: str,
    classes: Sequence[str],
    *,
    rng: np.random.Generator,
    order: Sequence[str] | None = None,
    majority: str | None = None,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
) -> Attribute:
    """Score each group of an attribute and test whether they differ; p is not adjusted yet.

    `table` has one row per test image: `person` (missing where unknown), `emotion`, `predicted`;
    `true_rank`, `predicted_rank` (0, 1, 2; -1 where the rank is not compared); and a column named
    as the attribute (missing where unknown). `classes` are all emotions. Groups are in alphabetical
    order if `order` is None. `majority` is the most frequent emotion of the train part, for chance.
    """
    names = sorted(table[attribute].dropna().unique()) if order is None else list(order)
    names = [name for name in names if (table[attribute] == name).any()]
    groups = []
    for name in names:
        rows = table[(table[attribute] == name).fillna(False)]
        groups.append(_group(str(name), rows, classes, rng, majority, resamples))
    who, tables = _tables(table, classes)
    group = _of_persons(who, pd.Index(names).get_indexer(pd.Index(table[attribute])))
    tests = [
        group_test(score, statistic, tables[kind], group, names,
                   rng=rng, kind=kind, unit=who.unit, permutations=permutations)
        for score, (kind, statistic) in SCORES.items()
    ]  # fmt: skip
    return Attribute(attribute, int(table[attribute].isna().sum()), tuple(groups), tuple(tests))


def corrected(attributes: Sequence[Attribute]) -> tuple[Attribute, ...]:
    """The same attributes with every p adjusted for all tests among them."""
    tested = [d.p for attribute in attributes for d in attribute.differences if d.p is not None]
    adjusted = iter(holm(tested))
    return tuple(
        replace(
            attribute,
            differences=tuple(
                d if d.p is None else replace(d, adjusted=next(adjusted))
                for d in attribute.differences
            ),
        )
        for attribute in attributes
    )


def _group(
    name: str,
    rows: pd.DataFrame,
    classes: Sequence[str],
    rng: np.random.Generator,
    majority: str | None,
    resamples: int,
) -> Group:
    who, tables = _tables(rows, classes)
    scores: dict[str, Estimate] = {}
    for kind, counts in tables.items():
        statistics = {score: f for score, (which, f) in SCORES.items() if which == kind}
        # Persons without a compared rank are not drawn.
        counted = counts[counts.sum((1, 2)) > 0]
        scores |= bootstrap(statistics, counted, rng, unit=who.unit, resamples=resamples)
        share, matrix = f"{kind} accuracy", counted.sum(axis=0)
        scores[share] = no_narrower(scores[share], int(np.trace(matrix)), int(matrix.sum()))
    baselines = {
        EMOTION: majority_baseline(tables[EMOTION].sum(0), list(classes), majority),
        RANK: majority_baseline(tables[RANK].sum(0), RANKS),
    }
    return Group(
        name=name,
        images=len(rows),
        persons=who.size if who.unit == "persons" else None,
        ranked=int(tables[RANK].sum()),
        scores=scores,
        chance={kind: b.accuracy.value if b else None for kind, b in baselines.items()},
    )


def _tables(
    table: pd.DataFrame, classes: Sequence[str]
) -> tuple[People, dict[str, Int[np.ndarray, "person row column"]]]:
    """The persons, and for each the tables of true by predicted emotion and rank."""
    who = people(table["person"], np.ones(len(table), bool))
    words = pd.Index([str(name) for name in classes])
    true, predicted = (words.get_indexer(pd.Index(table[c])) for c in ("emotion", "predicted"))
    compared = (table["true_rank"] >= 0).to_numpy()
    rated, ranked = (table[c].to_numpy(np.int64)[compared] for c in ("true_rank", "predicted_rank"))
    shape = (len(RANKS), len(RANKS))
    return who, {
        EMOTION: counts_per_cluster(true, predicted, (len(words),) * 2, who.number, who.size),
        RANK: counts_per_cluster(rated, ranked, shape, who.number[compared], who.size),
    }


def _of_persons(who: People, group: Int[np.ndarray, " image"]) -> Int[np.ndarray, " person"]:
    """The group of each person, `SEVERAL` where the images of a person are in several groups."""
    low, high = np.full(who.size, len(group)), np.full(who.size, -1)
    np.minimum.at(low, who.number, group)
    np.maximum.at(high, who.number, group)
    return np.where(low == high, low, SEVERAL)
