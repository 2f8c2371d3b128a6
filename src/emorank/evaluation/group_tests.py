"""Whether a score differs between groups of persons: a permutation test.

The groups are assigned to the persons again at random, and the spread of the groups' scores is
compared. Persons are permuted and not images, because the images of one person depend on each
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.ratio import ratio
from emorank.evaluation.statistics.uncertainty import Statistic

# With five persons each there are 252 ways to assign two groups, so p can get below 0.01.
LEAST_PERSONS = 5
PERMUTATIONS = 9999
SEVERAL = -2
"""The group of a person whose images are in several groups."""

_BATCH = 500
_DIGITS = 12  # equal spreads may differ in the last bits

Tables = Float[np.ndarray, "person row column"]


@dataclass(frozen=True)
class GroupTest:
    """Whether a score differs between the groups of an attribute.

    Attributes:
        groups: the groups compared: those with at least `LEAST_PERSONS` persons.
        gap: between the best and the worst of them; None if not tested.
        p: how often groups assigned at random spread the scores as much.
        adjusted: p corrected for all tests of one result (Holm 1979).
        reason: why it was not tested; empty if it was.
    """

    score: str
    groups: tuple[str, ...] = ()
    gap: float | None = None
    p: float | None = None
    adjusted: float | None = None
    method: str = ""
    reason: str = ""


def group_test(
    score: str,
    statistic: Statistic,
    tables: Tables,
    group: Int[np.ndarray, " person"],
    names: Sequence[str],
    *,
    rng: np.random.Generator,
    kind: str,
    unit: str,
    permutations: int = PERMUTATIONS,
) -> GroupTest:
    """Test one score over the groups that are large enough.

    `group` is a place in `names` for each person, -1 if unknown, or `SEVERAL`; persons without
    counts in `tables` are left out. `kind` is what is counted, "emotion" or "rank", and `unit` what
    a table stands for, "persons" or "images": words for the method and the reason.
    """
    counted = tables.sum((1, 2)) > 0
    sizes = [int((counted & (group == k)).sum()) for k in range(len(names))]
    large = [k for k, size in enumerate(sizes) if size >= LEAST_PERSONS]
    if (group == SEVERAL).any():
        return GroupTest(score, reason="the images of a person are in several groups")
    if not counted.any():
        return GroupTest(score, reason=f"no image whose {kind} is compared")
    if len(large) < 2:
        few = f"fewer than two groups have {LEAST_PERSONS} {unit}"
        return GroupTest(score, reason=f"{few} (the largest has {max(sizes, default=0)})")
    used = counted & np.isin(group, large)
    compared = tuple(str(names[k]) for k in large)
    some, codes = tables[used].astype(float), np.searchsorted(large, group[used])
    values = _by_group(some, codes[None], len(large), statistic)[0]
    if not np.isfinite(values).all():
        return GroupTest(score, compared, reason="not defined in every group")
    p = _permuted(some, codes, len(large), statistic, rng, permutations)
    method = f"permutation over {int(used.sum())} {unit}, {permutations} times"
    return GroupTest(score, compared, float(np.ptp(values)), p, None, method)


def _by_group(
    tables: Tables, codes: Int[np.ndarray, "permutation person"], count: int, statistic: Statistic
) -> Float[np.ndarray, "permutation group"]:
    """The score of each group under each permutation."""
    member = (codes[:, None, :] == np.arange(count)[None, :, None]).astype(float)
    return statistic(np.tensordot(member, tables, axes=1))


def _permuted(
    tables: Tables,
    codes: Int[np.ndarray, " person"],
    count: int,
    statistic: Statistic,
    rng: np.random.Generator,
    permutations: int,
) -> float:
    """How often the groups' scores spread at least as much when the groups are permuted.

    The spread is the variance of the scores between the groups, weighted by images. A permutation
    with an undefined score counts as spread as much, which makes p greater.
    """
    from scipy.stats import permutation_test

    images = tables.sum((1, 2))

    def spread(permuted: np.ndarray, axis: int) -> np.ndarray:
        rows = np.atleast_2d(np.moveaxis(permuted, axis, -1)).astype(np.int64)
        values = _by_group(tables, rows, count, statistic)
        weight = np.stack([(rows == k) @ images for k in range(count)], axis=-1)
        mean = ratio((weight * values).sum(-1, keepdims=True), weight.sum(-1, keepdims=True))
        variance = (weight * (values - mean) ** 2).sum(-1)
        finite = np.where(np.isfinite(variance), variance, np.inf)
        return np.round(finite.reshape(permuted.shape[:-1]), _DIGITS)

    result = permutation_test(
        (codes,),
        spread,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=permutations,
        batch=_BATCH,
        alternative="greater",
        rng=rng,
    )
    return float(result.pvalue)
