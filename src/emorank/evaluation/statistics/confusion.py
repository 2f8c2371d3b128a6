"""Statistics of confusion matrices, on one matrix or a stack of them.

All take counts of shape (…, K, K), rows the truth and columns the prediction, and return values
of shape (…) that are NaN where the statistic is not defined.
"""

from typing import Any

import numpy as np
from jaxtyping import Int, Num

from emorank.evaluation.statistics.ratio import Floats, defined_mean, ratio

Counts = Num[np.ndarray, "*stack row column"]


def confusion(
    rows: Int[np.ndarray, " image"], columns: Int[np.ndarray, " image"], size: int
) -> Int[np.ndarray, "row column"]:
    """The confusion matrix of images whose true and predicted classes are numbers below `size`."""
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def accuracy(counts: Counts) -> Floats:
    """The share of images on the diagonal."""
    return ratio(_diagonal(counts).sum(-1), counts.sum((-2, -1)))


def balanced_accuracy(counts: Counts) -> Floats:
    """The mean recall of the classes that have images."""
    return defined_mean(ratio(_diagonal(counts), counts.sum(-1)))


def macro_f1(counts: Counts) -> Floats:
    """The mean F1 of the classes that have images."""
    support = counts.sum(-1)
    f1 = ratio(2 * _diagonal(counts), support + counts.sum(-2))
    return defined_mean(np.where(support > 0, f1, np.nan))


def quadratic_kappa(counts: Counts) -> Floats:
    """Cohen's kappa with quadratic weights: 1 perfect, 0 chance, below 0 worse than chance.

    Undefined if truth and prediction are one and the same class throughout.

    Source: Cohen 1968, Psychological Bulletin 70, 213–220.
    """
    index = np.arange(counts.shape[-1])
    weights = (index[:, None] - index) ** 2
    expected = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :]
    observed = (weights * counts).sum((-2, -1)) * counts.sum((-2, -1))
    return 1 - ratio(observed, (weights * expected).sum((-2, -1)))


def mean_absolute_error(counts: Counts) -> Floats:
    """The mean distance between predicted and true class in steps of the order."""
    index = np.arange(counts.shape[-1])
    return ratio((abs(index[:, None] - index) * counts).sum((-2, -1)), counts.sum((-2, -1)))


def _diagonal(counts: Counts) -> np.ndarray[Any, Any]:
    result: np.ndarray[Any, Any] = np.diagonal(counts, axis1=-2, axis2=-1)
    return result
