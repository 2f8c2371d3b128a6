"""Raters against each other, one by one: how well a human does, as a ceiling for methods.

A method is compared with the majority of the raters by the quadratic-weighted kappa. The same
number for a human is the kappa of one rater with the majority of the *others* (leave one out); how
far two humans agree is the kappa of a pair. Both are Cohen's 1968 kappa over the levels None,
Minimal, Average, Strong, over the units that both sides voted on, averaged over the raters or pairs
whose kappa is defined.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int, Int8

from emorank.answers.voting import winners
from emorank.evaluation.raters.ratings import Ratings
from emorank.evaluation.statistics.confusion import quadratic_kappa
from emorank.evaluation.statistics.ratio import Floats, defined_mean
from emorank.vocabulary import LEVELS

_K = len(LEVELS)
Tables = Float[np.ndarray, "*stack pair cell"]


def pair_tables(ratings: Ratings) -> Int[np.ndarray, "image pair cell"]:
    """For every image and pair of raters, the table of the levels of one by those of the other.

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


def kappas(tables: Tables) -> Floats:
    """The quadratic-weighted kappa of each pair or rater, NaN where undefined."""
    return quadratic_kappa(tables.reshape(*tables.shape[:-1], _K, _K))


def mean_kappa(tables: Tables) -> Floats:
    """The mean over the pairs or raters with a kappa; NaN if none has one."""
    return defined_mean(kappas(tables))


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
