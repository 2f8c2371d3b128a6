"""Statistics of confusion matrices, on one matrix or a stack of them.

All take counts of shape (…, K, K), rows the truth and columns the prediction, and return (…)
values that are NaN where the statistic is not defined.
"""

from typing import Any

import numpy as np
from jaxtyping import Num

Counts = Num[np.ndarray, "*stack row column"]
Values = np.ndarray[Any, np.dtype[np.float64]]


def accuracy(counts: Counts) -> Values:
    """The share of images on the diagonal."""
    return _ratio(_diagonal(counts).sum(-1), counts.sum((-2, -1)))


def balanced_accuracy(counts: Counts) -> Values:
    """The mean recall of the classes that have images."""
    return _mean_over(_ratio(_diagonal(counts), counts.sum(-1)), counts.sum(-1) > 0)


def macro_f1(counts: Counts) -> Values:
    """The mean F1 of the classes that have images."""
    support = counts.sum(-1)
    f1 = _ratio(2 * _diagonal(counts), support + counts.sum(-2))
    return _mean_over(f1, support > 0)


def quadratic_kappa(counts: Counts) -> Values:
    """Cohen's kappa with quadratic weights: 1 perfect, 0 chance, below 0 worse than chance.

    Undefined if truth and prediction are one and the same class throughout.

    Source: Cohen 1968, Psychological Bulletin 70, 213–220.
    """
    index = np.arange(counts.shape[-1])
    weights = (index[:, None] - index) ** 2
    expected = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :]
    observed = (weights * counts).sum((-2, -1)) * counts.sum((-2, -1))
    return 1 - _ratio(observed, (weights * expected).sum((-2, -1)))


def mean_absolute_error(counts: Counts) -> Values:
    """The mean distance between predicted and true class in steps of the order."""
    index = np.arange(counts.shape[-1])
    return _ratio((abs(index[:, None] - index) * counts).sum((-2, -1)), counts.sum((-2, -1)))


def spearman(counts: Num[np.ndarray, "*stack row column"]) -> Values:
    """Spearman's rank correlation between the row and the column of an image, ties averaged.

    Rows and columns are in ascending order; there may be different numbers of them. Undefined if
    all images lie in one row or in one column.

    Source: Pearson's correlation of the mid-ranks, Kendall 1945, Biometrika 33, 239–251.
    """
    total = counts.sum((-2, -1))
    x = _mid_ranks(counts.sum(-1)) - (total[..., None] + 1) / 2
    y = _mid_ranks(counts.sum(-2)) - (total[..., None] + 1) / 2
    covariance = np.einsum("...r,...rc,...c", x, counts, y)
    spread = (counts.sum(-1) * x**2).sum(-1) * (counts.sum(-2) * y**2).sum(-1)
    return _ratio(covariance, np.sqrt(spread))


def _mid_ranks(margin: Values) -> Values:
    """The mean rank, from 1, that the images of each row share."""
    result: Values = margin.cumsum(-1) - (margin - 1) / 2
    return result


def _diagonal(counts: Counts) -> Values:
    result: Values = np.diagonal(counts, axis1=-2, axis2=-1)
    return result


def _ratio(part: Any, whole: Any) -> Values:
    """NaN for 0/0, without a warning."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    result: Values = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
    return result


def _mean_over(values: Values, mask: Any) -> Values:
    return _ratio(np.where(mask, values, 0).sum(-1), mask.sum(-1))
