"""Scores by group of persons: age, gender, ethnicity, skin tone; with intervals and tests.

Whether a score differs between groups is tested by permutation: the groups are dealt out to the
persons again at random, and the spread of the groups' scores is compared. Persons are dealt, not
images, because the images of one person are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.evaluation.classification import majority_baseline
from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.uncertainty import (
    RESAMPLES,
    Estimate,
    Statistic,
    bootstrap,
    clusters,
    counts_per_cluster,
)

# With five persons each there are 252 ways to deal two groups, so p can get below 0.01.
LEAST_PERSONS = 5
PERMUTATIONS = 9999
EMOTION, RANK = "emotion", "rank"
# Each score: of which of the two tables of a person, and how.
SCORES: dict[str, tuple[str, Statistic]] = {
    "emotion accuracy": (EMOTION, confusion.accuracy),
    "emotion balanced accuracy": (EMOTION, confusion.balanced_accuracy),
    "rank accuracy": (RANK, confusion.accuracy),
    "rank quadratic kappa": (RANK, confusion.quadratic_kappa),
}


@dataclass(frozen=True)
class Group:
    """One group of persons.

    Attributes:
        name: "female".
        images: of the group.
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
class GroupTest:
    """Whether a score differs between the groups of an attribute.

    Attributes:
        score: of `SCORES`.
        groups: those that are compared: with at least `LEAST_PERSONS` persons.
        gap: between the best and the worst of them; None if it was not tested.
        p: how often dealing the groups out at random spreads the scores as much.
        adjusted: p corrected for all tests of one result (Holm 1979).
        method: in words.
        reason: why it was not tested; empty if it was.
    """

    score: str
    groups: tuple[str, ...] = ()
    gap: float | None = None
    p: float | None = None
    adjusted: float | None = None
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Attribute:
    """The groups by one attribute.

    Attributes:
        name: "gender".
        unknown: images whose group is not known; they are in no group.
        groups: in their order.
        differences: one per score.
    """

    name: str
    unknown: int
    groups: tuple[Group, ...]
    differences: tuple[GroupTest, ...]


@dataclass(frozen=True)
class _Counts:
    """The tables of each person, and the persons' groups.

    Attributes:
        tables: by kind, (person, true, predicted).
        group: of each person, -1 where unknown or where the images of a person differ.
        torn: whether the images of some person are in several groups.
        unit: what a row stands for, "persons" or "images".
    """

    tables: dict[str, Int[np.ndarray, "person row column"]]
    group: Int[np.ndarray, " person"]
    torn: bool
    unit: str


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

    Args:
        table: one row per test image: `person` (missing where unknown), `emotion`, `predicted`;
            `true_rank`, `predicted_rank` (0, 1, 2; -1 where the rank is not compared); and a
            column named as the attribute (missing where unknown).
        attribute: its name.
        classes: all emotions.
        rng: draws resamples and permutations.
        order: of the groups; alphabetical if unsaid.
        majority: the most frequent emotion of the train part, for chance.
        resamples: of the bootstrap.
        permutations: of the tests.
    """
    names = sorted(table[attribute].dropna().unique()) if order is None else list(order)
    names = [name for name in names if (table[attribute] == name).any()]
    groups = []
    for name in names:
        rows = table[(table[attribute] == name).fillna(False)]
        groups.append(_group(str(name), rows, classes, rng, majority, resamples))
    counts = _counts(table, pd.Index(names).get_indexer(pd.Index(table[attribute])), classes)
    tests = (_difference(s, names, counts, rng, permutations) for s in SCORES)
    return Attribute(attribute, int(table[attribute].isna().sum()), tuple(groups), tuple(tests))


def holm(p: Sequence[float]) -> list[float]:
    """P-values corrected for their number, step by step down.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65–70.
    """
    adjusted, highest = [0.0] * len(p), 0.0
    for step, i in enumerate(np.argsort(p, kind="stable")):
        highest = max(highest, min(1.0, (len(p) - step) * p[i]))
        adjusted[int(i)] = highest
    return adjusted


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
    counts = _counts(rows, np.zeros(len(rows), np.int64), classes)
    scores: dict[str, Estimate] = {}
    for kind, tables in counts.tables.items():
        statistics = {s: f for s, (which, f) in SCORES.items() if which == kind}
        # Persons without a compared rank say nothing of ranks, and are not drawn.
        here = tables[tables.sum((1, 2)) > 0]
        scores |= bootstrap(statistics, here, rng, unit=counts.unit, resamples=resamples)
    emotion, rank = (counts.tables[kind].sum(0) for kind in (EMOTION, RANK))
    baselines = {
        EMOTION: majority_baseline(emotion, list(classes), majority),
        RANK: majority_baseline(rank, ("Minimal", "Average", "Strong")),
    }
    return Group(
        name=name,
        images=len(rows),
        persons=len(counts.group) if counts.unit == "persons" else None,
        ranked=int(rank.sum()),
        scores=scores,
        chance={kind: b.accuracy.value if b else None for kind, b in baselines.items()},
    )


def _counts(
    table: pd.DataFrame, group: Int[np.ndarray, " image"], classes: Sequence[str]
) -> _Counts:
    persons = None if table["person"].isna().all() else table["person"]
    cluster = clusters(persons, len(table))
    words = pd.Index([str(name) for name in classes])
    true, guess = (words.get_indexer(pd.Index(table[c])) for c in ("emotion", "predicted"))
    people = int(cluster.max()) + 1
    compared = (table["true_rank"] >= 0).to_numpy()
    ranks = np.zeros((people, 3, 3), np.int64)
    rated, ranked = (table[c].to_numpy(np.int64) for c in ("true_rank", "predicted_rank"))
    some = counts_per_cluster(rated[compared], ranked[compared], (3, 3), cluster[compared])
    ranks[: len(some)] = some
    both = {EMOTION: counts_per_cluster(true, guess, (len(words),) * 2, cluster), RANK: ranks}
    low, high = np.full(people, len(table)), np.full(people, -1)
    np.minimum.at(low, cluster, group)
    np.maximum.at(high, cluster, group)
    unit = "images" if persons is None else "persons"
    return _Counts(both, np.where(low == high, low, -1), bool((low != high).any()), unit)


def _difference(
    score: str, names: Sequence[str], counts: _Counts, rng: np.random.Generator, permutations: int
) -> GroupTest:
    """The test of one score over the groups that are large enough."""
    kind, statistic = SCORES[score]
    tables = counts.tables[kind]
    there = tables.sum((1, 2)) > 0
    sizes = [int((there & (counts.group == i)).sum()) for i in range(len(names))]
    large = [i for i, size in enumerate(sizes) if size >= LEAST_PERSONS]
    if counts.torn:
        return GroupTest(score, reason="the images of a person are in several groups")
    if not there.any():
        return GroupTest(score, reason=f"no image whose {kind} is compared")
    if len(large) < 2:
        few = f"fewer than two groups have {LEAST_PERSONS} {counts.unit}"
        return GroupTest(score, reason=f"{few} (the largest has {max(sizes, default=0)})")
    kept = there & np.isin(counts.group, large)
    compared = tuple(str(names[i]) for i in large)
    codes = np.searchsorted(large, counts.group[kept])
    values = _by_group(tables[kept].astype(float), codes[None], len(large), statistic)[0]
    if not np.isfinite(values).all():
        return GroupTest(score, compared, reason="not defined in every group")
    p = _permuted(tables[kept].astype(float), codes, len(large), statistic, rng, permutations)
    method = f"permutation over {int(kept.sum())} {counts.unit}, {permutations} times"
    return GroupTest(score, compared, float(np.ptp(values)), p, None, method)


def _by_group(
    tables: Float[np.ndarray, "person row column"],
    codes: Int[np.ndarray, "deal person"],
    count: int,
    statistic: Statistic,
) -> Float[np.ndarray, "deal group"]:
    """The score of each group under each deal."""
    member = (codes[:, None, :] == np.arange(count)[None, :, None]).astype(float)
    return statistic(np.tensordot(member, tables, axes=1))


def _permuted(
    tables: Float[np.ndarray, "person row column"],
    codes: Int[np.ndarray, " person"],
    count: int,
    statistic: Statistic,
    rng: np.random.Generator,
    permutations: int,
) -> float:
    """How often the groups' scores spread as much when groups are dealt out to persons again.

    The spread is the variance of the scores between the groups, weighted by images. Where a score
    is not defined after a deal, the deal counts as spread as much, which is the cautious side.
    """
    from scipy.stats import permutation_test

    images = tables.sum((1, 2))

    def spread(dealt: np.ndarray, axis: int = -1) -> np.ndarray:
        rows = np.atleast_2d(np.moveaxis(dealt, axis, -1)).astype(np.int64)
        values = _by_group(tables, rows, count, statistic)
        weight = np.stack([(rows == i) @ images for i in range(count)], axis=-1)
        mean = (weight * values).sum(-1, keepdims=True) / weight.sum(-1, keepdims=True)
        variance = (weight * (values - mean) ** 2).sum(-1)
        found = np.where(np.isfinite(variance), variance, np.inf)
        # Equal spreads that differ in the last bit are equal.
        return np.round(found.reshape(dealt.shape[:-1]), 12)

    found = permutation_test(
        (codes,),
        spread,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=permutations,
        batch=500,
        alternative="greater",
        rng=rng,
    )
    return float(found.pvalue)
