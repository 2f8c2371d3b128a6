"""How two orders of the same faces agree, for many resamples of persons at once.

A resample is a weight per face: how often its person was drawn. The statistics are those of the
faces really repeated so often, but nothing is repeated: mid-ranks are running sums of weights over
an order that is sorted once, and pairs of faces are counted once per pair of persons.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

Values = Float[np.ndarray, " face"]
Numbers = Int[np.ndarray, " face"]
Weights = Float[np.ndarray, "resample face"]
Draws = Float[np.ndarray, "resample person"]
Many = np.ndarray[Any, np.dtype[np.float64]]
_BLOCK = 4_000_000


def spearman(x: Values, y: Values, weights: Weights) -> Many:
    """Spearman's rho of each resample, ties averaged; NaN where x or y is the same throughout.

    Source: Pearson's correlation of the mid-ranks, Kendall 1945, Biometrika 33, 239–251.
    """
    middle = (weights.sum(1, keepdims=True) + 1) / 2
    a, b = mid_ranks(x, weights) - middle, mid_ranks(y, weights) - middle
    spread = (weights * a**2).sum(1) * (weights * b**2).sum(1)
    return ratio((weights * a * b).sum(1), np.sqrt(spread))


def mid_ranks(values: Values, weights: Weights) -> Weights:
    """The mean rank, from 1, that each face shares with its equals in each resample."""
    if not len(values):
        return np.zeros_like(weights)
    order = np.argsort(values, kind="stable")
    new = np.diff(values[order], prepend=np.nan) != 0
    mass = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
    place = np.empty(len(values), np.int64)
    place[order] = new.cumsum() - 1
    ranks: Weights = (mass.cumsum(1) - (mass - 1) / 2)[:, place]
    return ranks


def kendall(x: Values, y: Values, cluster: Numbers, persons: int) -> Callable[[Draws], Many]:
    """Kendall's tau-b as a function of draws; NaN where x or y is the same throughout.

    Args:
        x: of each face.
        y: of each face.
        cluster: the person of each face, from 0.
        persons: how many there are.

    Source: Kendall 1945, Biometrika 33, 239–251.
    """
    agreeing, of_x, of_y = (np.zeros((persons, persons)) for _ in range(3))
    for rows in _blocks(len(x), len(x)):
        dx = np.sign(x[rows, None] - x)
        dy = np.sign(y[rows, None] - y)
        for table, pairs in ((agreeing, dx * dy), (of_x, abs(dx)), (of_y, abs(dy))):
            _add_by_person(table, pairs, cluster[rows], cluster)

    def tau(draws: Draws) -> Many:
        return ratio(_drawn(agreeing, draws), np.sqrt(_drawn(of_x, draws) * _drawn(of_y, draws)))

    return tau


def auc(
    positive: Values, negative: Values, cluster: Numbers, others: Numbers, persons: int
) -> Callable[[Draws], Many]:
    """The chance that a positive face has the higher score, ties counting half, of draws.

    It is the area under the ROC curve; NaN where either side is empty.

    Args:
        positive: scores of the faces that should be higher.
        negative: scores of the others.
        cluster: persons of the positive faces.
        others: persons of the negative ones.
        persons: how many there are.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982, Radiology 143, 29–36.
    """
    wins = np.zeros((persons, persons))
    for rows in _blocks(len(positive), len(negative)):
        pairs = (np.sign(positive[rows, None] - negative) + 1) / 2
        _add_by_person(wins, pairs, cluster[rows], others)

    def area(draws: Draws) -> Many:
        return ratio(_drawn(wins, draws), draws[:, cluster].sum(1) * draws[:, others].sum(1))

    return area


def partial(xy: Many, xz: Many, yz: Many) -> Many:
    """The correlation of x and y that z does not account for, from three correlations.

    NaN where z accounts for all of x or of y.

    Source: Yule 1907, Proceedings of the Royal Society A 79, 182–193.
    """
    # A correlation of 1 is often 1 - 1e-16; what is left then is rounding and no correlation.
    left = np.maximum((1 - xz**2) * (1 - yz**2), 0)
    return ratio(xy - xz * yz, np.sqrt(np.where(left < 1e-12, 0, left)))


def pooled(values: Many, mass: Many) -> Many:
    """The average over groups where there is a value, weighted by their faces.

    Args:
        values: (group, resample), NaN where undefined.
        mass: (group, resample) faces.
    """
    known = np.isfinite(values)
    return ratio(np.where(known, values * mass, 0).sum(0), np.where(known, mass, 0).sum(0))


def ratio(part: Any, whole: Any) -> Many:
    """NaN for anything over 0, without a warning."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    result: Many = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return result


def _blocks(rows: int, columns: int) -> list[slice]:
    """Rows of a table of pairs, some at a time, so that thousands of faces fit into memory."""
    step = max(1, _BLOCK // max(1, columns))
    return [slice(start, start + step) for start in range(0, rows, step)]


def _add_by_person(table: Many, pairs: Many, rows: Numbers, columns: Numbers) -> None:
    """Add pairs of faces to the pairs of their persons."""
    across = np.zeros((len(pairs), len(table)))
    order = np.argsort(columns, kind="stable")
    if len(order):
        starts = np.flatnonzero(np.diff(columns[order], prepend=-1))
        across[:, columns[order][starts]] = np.add.reduceat(pairs[:, order], starts, axis=1)
    np.add.at(table, rows, across)


def _drawn(table: Many, draws: Draws) -> Many:
    """The weighted sum of a table of pairs of persons, for each resample."""
    total: Many = ((draws @ table) * draws).sum(1)
    return total
