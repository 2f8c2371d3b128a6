"""Statistics of confusion matrices against scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from emorank.evaluation.statistics import confusion

MATRICES = st.integers(2, 5).flatmap(lambda k: arrays(np.int64, (k, k), elements=st.integers(0, 6)))


def pairs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The images behind a table of counts: the row and the column of each."""
    rows, columns = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    return rows, columns


@given(MATRICES)
def test_counts_of_images_come_back(counts):
    """The matrix of the images behind a table of counts is that table."""
    np.testing.assert_array_equal(confusion.confusion(*pairs(counts), len(counts)), counts)


@given(MATRICES.filter(lambda counts: counts.sum() > 0))
def test_statistics_equal_scikit_learn(counts):
    """Accuracy, balanced accuracy, macro F1, kappa and mean error equal the library's."""
    truth, predicted = pairs(counts)
    present = np.unique(truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            confusion.accuracy: metrics.accuracy_score(truth, predicted),
            confusion.balanced_accuracy: metrics.balanced_accuracy_score(truth, predicted),
            confusion.macro_f1: metrics.f1_score(truth, predicted, labels=present, average="macro"),
            confusion.mean_absolute_error: metrics.mean_absolute_error(truth, predicted),
        }
        kappa = metrics.cohen_kappa_score(
            truth, predicted, labels=range(len(counts)), weights="quadratic"
        )
    for statistic, value in expected.items():
        np.testing.assert_allclose(statistic(counts), value, rtol=1e-12, err_msg=str(statistic))
    one_and_the_same = len(set(truth) | set(predicted)) == 1
    ours = confusion.quadratic_kappa(counts)
    np.testing.assert_allclose(ours, np.nan if one_and_the_same else kappa, atol=1e-12)


@pytest.mark.parametrize(
    "statistic",
    [
        confusion.accuracy,
        confusion.balanced_accuracy,
        confusion.macro_f1,
        confusion.quadratic_kappa,
        confusion.mean_absolute_error,
    ],
)
def test_a_stack_is_its_matrices(statistic):
    """A stack gives the values of its matrices, NaN for empty ones, and no warning."""
    stack = np.random.default_rng(3).integers(0, 4, (2, 5, 3, 3))
    stack[1, 2] = 0
    values = statistic(stack)
    assert values.shape == (2, 5)
    assert np.isnan(values[1, 2])
    for index in np.ndindex(2, 5):
        np.testing.assert_allclose(values[index], statistic(stack[index]), atol=1e-12)


def test_a_constant_prediction_is_chance():
    """Always one rank has the kappa 0, which is defined."""
    counts = np.array([[0, 3, 0], [0, 5, 0], [0, 2, 0]])
    np.testing.assert_allclose(confusion.quadratic_kappa(counts), 0, atol=1e-12)
