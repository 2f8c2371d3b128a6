"""Raters against each other, one by one: the ceiling that no method can be asked to pass.

A method is compared with the majority of the raters by the quadratic-weighted kappa. What a human
reaches there is the kappa of one rater with the majority of the *others* (leave one out); how far
two humans agree is the kappa of a pair. Both are Cohen's 1968 kappa over the levels None, Minimal,
Average, Strong, taken over the units that both sides voted on, and averaged over raters or pairs
for which it is defined.
"""

from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Int8

from emorank.answers.voting import winners
from emorank.evaluation.raters.ratings import LEVELS, Ratings
from emorank.evaluation.statistics.confusion import quadratic_kappa

_K = len(LEVELS)
Tables = Float[np.ndarray, "*stack pair cell"]


def pair_tables(ratings: Ratings) -> Int[np.ndarray, "image pair cell"]:
    """For every image and every pair of raters, the table of the one's level by the other's.

    Pairs are in the order of `itertools.combinations`, cells row by row.
    """
    pairs = combinations(range(len(ratings.raters)), 2)
    columns = ((ratings.levels[:, a], ratings.levels[:, b]) for a, b in pairs)
    return _tables(list(columns), ratings)


def leave_one_out_tables(ratings: Ratings) -> Int[np.ndarray, "image rater cell"]:
    """For every image and rater, the table of the rater's level by the others' majority.

    The majority is `voting.winners`, with the ordinal median where the others tie.
    """
    counts = ratings.counts()
    columns = []
    for rater in range(len(ratings.raters)):
        own = ratings.levels[:, rater]
        others = counts - (own[:, None] == np.arange(_K))
        columns.append((own, winners(others)[0].astype(np.int8)))
    return _tables(columns, ratings)


def kappas(tables: Tables) -> Float[np.ndarray, "*stack pair"]:
    """The quadratic-weighted kappa of each pair or rater, NaN where undefined."""
    kappa: Float[np.ndarray, "*stack pair"] = quadratic_kappa(
        tables.reshape(*tables.shape[:-1], _K, _K)
    )
    return kappa


def mean_kappa(tables: Tables) -> Float[np.ndarray, "*stack"]:
    """The mean over the pairs or raters that have one; NaN if none has."""
    each = kappas(tables)
    known = np.isfinite(each)
    number = known.sum(-1)
    total: np.ndarray[Any, Any] = np.where(known, each, 0).sum(-1)
    mean: np.ndarray[Any, Any] = np.divide(
        total, number, out=np.full(total.shape, np.nan), where=number > 0
    )
    return mean


def _tables(
    columns: list[tuple[Int8[np.ndarray, " unit"], Int8[np.ndarray, " unit"]]], ratings: Ratings
) -> Int[np.ndarray, "image pair cell"]:
    size, cells = ratings.images, _K * _K
    result = np.zeros((size, len(columns), cells), np.int32)
    for i, (one, other) in enumerate(columns):
        both = (one >= 0) & (other >= 0)
        flat = (ratings.image[both] * _K + one[both]) * _K + other[both]
        result[:, i] = np.bincount(flat, minlength=size * cells).reshape(size, cells)
    return result
