"""How two orders of the same faces agree, for many resamples of persons at once.

A resample gives each face a weight: how often its person was drawn. The statistics equal those of
faces that are copied so often, but no face is copied: mid-ranks are running sums of weights over an
order that is sorted once, and pairs of faces are counted once for each pair of persons.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.ratio import Floats, ratio

Values = Float[np.ndarray, " face"]
Numbers = Int[np.ndarray, " face"]
Weights = Float[np.ndarray, "resample face"]
Draws = Float[np.ndarray, "resample person"]
_BLOCK = 4_000_000


def spearman(x: Values, y: Values, weights: Weights) -> Floats:
    """Spearman's rho of each resample, ties averaged; NaN where x or y is the same throughout.

    Source: Pearson's correlation of the mid-ranks, Kendall 1945, Biometrika 33, 239–251.
    """
    middle = (weights.sum(1, keepdims=True) + 1) / 2
    a, b = mid_ranks(x, weights) - middle, mid_ranks(y, weights) - middle
    spread = (weights * a**2).sum(1) * (weights * b**2).sum(1)
    return ratio((weights * a * b).sum(1), np.sqrt(spread))


def mid_ranks(values: Values, weights: Weights) -> Weights:
    """The rank of each face in each resample, from 1; equal values share their mean rank."""
    if not len(values):
        return np.zeros_like(weights)
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    new = np.append(True, ascending[1:] != ascending[:-1])
    mass = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
    place = np.empty(len(values), np.int64)
    place[order] = new.cumsum() - 1
    ranks: Weights = (mass.cumsum(1) - (mass - 1) / 2)[:, place]
    return ranks


def kendall(x: Values, y: Values, cluster: Numbers, persons: int) -> Callable[[Draws], Floats]:
    """Kendall's tau-b as a function of draws; NaN where x or y is the same throughout.

    `cluster` has the person of each face, numbered from 0.

    Source: Kendall 1945, Biometrika 33, 239–251.
    """
    agreeing, of_x, of_y = (np.zeros((persons, persons)) for _ in range(3))
    for rows in _blocks(len(x), len(x)):
        dx = np.sign(x[rows, None] - x)
        dy = np.sign(y[rows, None] - y)
        for table, pairs in ((agreeing, dx * dy), (of_x, abs(dx)), (of_y, abs(dy))):
            _add_by_person(table, pairs, cluster[rows], cluster)

    def tau(draws: Draws) -> Floats:
        return ratio(_drawn(agreeing, draws), np.sqrt(_drawn(of_x, draws) * _drawn(of_y, draws)))

    return tau


def auc(
    positive: Values, negative: Values, cluster: Numbers, others: Numbers, persons: int
) -> Callable[[Draws], Floats]:
    """The chance that a positive face has the higher score, ties counting half, of draws.

    It is the area under the ROC curve; NaN where either side is empty. `cluster` has the persons of
    the positive faces, `others` those of the negative ones.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982, Radiology 143, 29–36.
    """
    wins = np.zeros((persons, persons))
    for rows in _blocks(len(positive), len(negative)):
        pairs = (np.sign(positive[rows, None] - negative) + 1) / 2
        _add_by_person(wins, pairs, cluster[rows], others)

    def area(draws: Draws) -> Floats:
        return ratio(_drawn(wins, draws), draws[:, cluster].sum(1) * draws[:, others].sum(1))

    return area


def partial(xy: Floats, xz: Floats, yz: Floats) -> Floats:
    """The partial correlation of x and y with z held constant, from three correlations.

    NaN where z determines x or y.

    Source: Yule 1907, Proceedings of the Royal Society A 79, 182–193.
    """
    # Rounding turns a correlation of 1 into 1 - 1e-16, and 1 - 1 into 1e-16.
    left = np.maximum((1 - xz**2) * (1 - yz**2), 0)
    return ratio(xy - xz * yz, np.sqrt(left), least=1e-6)


def _blocks(rows: int, columns: int) -> list[slice]:
    """Rows of a table of pairs in blocks, so that thousands of faces fit into memory."""
    step = max(1, _BLOCK // max(1, columns))
    return [slice(start, start + step) for start in range(0, rows, step)]


def _add_by_person(table: Floats, pairs: Floats, rows: Numbers, columns: Numbers) -> None:
    """Add the values of pairs of faces to the table of pairs of persons."""
    across = np.zeros((len(pairs), len(table)))
    order = np.argsort(columns, kind="stable")
    if len(order):
        starts = np.flatnonzero(np.diff(columns[order], prepend=-1))
        across[:, columns[order][starts]] = np.add.reduceat(pairs[:, order], starts, axis=1)
    np.add.at(table, rows, across)


def _drawn(table: Floats, draws: Draws) -> Floats:
    """The weighted sum of a table of pairs of persons, for each resample."""
    total: Floats = ((draws @ table) * draws).sum(1)
    return total
