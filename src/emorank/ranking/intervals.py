"""The paper's rule: the distribution of an image's relevance scores decides its rank.

The whole map, with all colour channels, is scaled to [0, 1] by its minimum and maximum, and its
scores are sorted into ten intervals of width 0.1. Each rank has a group of five intervals; groups
overlap, and the group with the greatest value wins. The printed formula takes the mean of the
scores of a group (section III-G). Tables 3 and 4 take their number, and the printed ranks follow
from it, so that is the default here. docs/ranking.md says what this means.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy.typing import NDArray

from emorank.errors import PlanError, RelevanceError
from emorank.vocabulary import Rank

RULES = ("count", "mean", "sum")
CLOSED = ("left", "right")

INTERVALS = 10
GROUPS: dict[Rank, tuple[int, int]] = {
    Rank.MINIMAL: (1, 5),
    Rank.AVERAGE: (4, 8),
    Rank.STRONG: (6, 10),
}
"""The first and last interval of each rank's group, counted from 1 (section III-F)."""
# The inner edges, as the doubles nearest to 1/10 … 9/10. Scores are compared with these only:
# multiplying by ten and rounding down would move scores just below an edge across it.
_EDGES = np.arange(1, INTERVALS) / INTERVALS


@dataclass(frozen=True)
class IntervalRanks:
    """Ranks of a batch of relevance maps, and the numbers from which they follow.

    Attributes:
        counts: number of scores in each interval; they sum to the size of the map minus the
            number of scores that equal its maximum (usually one).
        values: value of each group, in the order of the ranks: a number of scores ("count"), their
            mean ("mean", NaN for a group without scores) or their sum ("sum").
        ranks: integers of `Rank`.
        zero: place of zero relevance after scaling, −min / (max − min); below 0 or above 1 if all
            relevance has one sign; NaN for a constant map.
        tied: whether several groups have the greatest value; the rank is the lowest of theirs.
    """

    counts: Int64[np.ndarray, "batch 10"]
    values: Float[np.ndarray, "batch 3"]
    ranks: Int64[np.ndarray, "batch"]
    zero: Float[np.ndarray, "batch"]
    tied: Bool[np.ndarray, "batch"]


def rank(relevance: NDArray[Any], rule: str = "count", *, closed: str = "left") -> IntervalRanks:
    """Rank relevance maps by the paper's rule.

    Maps are scaled and compared in float64, one at a time. A constant map (all zero, for example)
    cannot be scaled: no interval has a score, all groups tie, and the rank is Minimal.

    Args:
        relevance: signed scores as computed, (batch, …), each map of any shape (3, H, W) and real
            type.
        rule: "count", the arithmetic of Tables 3 and 4; "mean", the printed formula; "sum".
        closed: "left", intervals [(j−1)/10, j/10) as printed, the maximum (1.0) in none; "right",
            intervals ((j−1)/10, j/10], the minimum (0.0) in none.

    Raises:
        RelevanceError: the maps are not real numbers, empty, or hold NaN or infinity.
        PlanError: there is no such rule, or no such side to close intervals on.
    """
    if rule not in RULES:
        raise PlanError(f"'{rule}' is no rank rule; expected count, mean or sum")
    if closed not in CLOSED:
        raise PlanError(f"'{closed}' is no side to close intervals on; expected left or right")
    maps = np.asarray(relevance)
    if maps.ndim < 2 or maps.dtype.kind not in "fiu" or 0 in maps.shape[1:]:
        raise RelevanceError(
            "expected relevance maps of shape (batch, 3, height, width) and a real type, "
            f"got {maps.shape} of {maps.dtype}"
        )
    counts = np.zeros((len(maps), INTERVALS), dtype=np.int64)
    sums, zero = np.zeros(counts.shape), np.full(len(maps), np.nan)
    for k, relevance_map in enumerate(maps):  # a loop, so that memory is that of one map in float64
        scores = relevance_map.astype(np.float64).ravel()
        least, greatest = scores.min(), scores.max()
        if not (np.isfinite(least) and np.isfinite(greatest)):
            raise RelevanceError(
                f"expected finite relevance, got NaN or infinity in map {k}; explain in a wider "
                "type, or leave this image out"
            )
        if least < greatest:
            counts[k], sums[k], zero[k] = _sort_into_intervals(scores, closed)
    values = _group_values(counts, sums, rule)
    ranks, tied = _decide(values)
    return IntervalRanks(counts, values, ranks, zero, tied)


def rank_from_counts(
    counts: NDArray[Any],
) -> tuple[Int64[np.ndarray, "batch 3"], Int64[np.ndarray, "batch"], Bool[np.ndarray, "batch"]]:
    """The group values, ranks and ties that follow from ten integer counts, as in Tables 3 and 4.

    Raises:
        RelevanceError: there are not ten counts for each image.
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != INTERVALS or counts.dtype.kind not in "iu":
        raise RelevanceError(
            f"expected integer counts of shape (batch, {INTERVALS}), got {counts.shape} "
            f"of {counts.dtype}"
        )
    values = _over_groups(counts.astype(np.int64))
    return values, *_decide(values.astype(np.float64))


def _sort_into_intervals(
    scores: NDArray[np.float64], closed: str
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Number and sum of the scaled scores in each interval, and the place of zero."""
    least, greatest = scores.min(), scores.max()
    # Divided by 4, which is exact, if max − min would be too large for float64.
    factor = 0.25 if max(abs(least), abs(greatest)) > np.finfo(np.float64).max / 4 else 1.0
    low = least * factor
    span = greatest * factor - low
    scaled = (scores * factor - low) / span
    # Compare the scores themselves, not scaled < 1: rounding may make other scores 1 too.
    inside = scores < greatest if closed == "left" else scores > least
    side: Literal["left", "right"] = "right" if closed == "left" else "left"
    interval = np.searchsorted(_EDGES, scaled[inside], side=side)
    counts = np.bincount(interval, minlength=INTERVALS)
    sums = np.bincount(interval, weights=scaled[inside], minlength=INTERVALS)
    return counts.astype(np.int64), sums.astype(np.float64), float(-low / span)


def _group_values(
    counts: NDArray[np.int64], sums: NDArray[np.float64], rule: str
) -> NDArray[np.float64]:
    """The value of each group by the rule."""
    number: NDArray[np.float64] = _over_groups(counts).astype(np.float64)
    total: NDArray[np.float64] = _over_groups(sums)
    if rule == "count":
        return number
    if rule == "sum":
        return total
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)


def _over_groups(numbers: NDArray[Any]) -> NDArray[Any]:
    """Sums over the five intervals of each group, (batch, 3)."""
    groups = [numbers[:, first - 1 : last].sum(axis=1) for first, last in GROUPS.values()]
    return np.stack(groups, axis=1)


def _decide(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The rank with the greatest value, the lowest of those that tie, and whether several tie."""
    comparable = np.where(np.isnan(values), -np.inf, values)
    greatest = comparable.max(axis=1, keepdims=True)
    ranks = np.array(list(GROUPS), dtype=np.int64)
    # argmax takes the first of equal values, and the groups are in the order of the ranks.
    return ranks[comparable.argmax(axis=1)], (comparable == greatest).sum(axis=1) > 1
