"""Division and means that are not always defined."""

import warnings

import numpy as np
import pytest

from emorank.evaluation.statistics.ratio import defined_mean, ratio


def test_divided_by_zero_is_nan_without_a_warning():
    """Zero by zero and one by zero; negative divisors divide."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ratio([0, 1, 1, 1], [0, 0, -2, np.nan])
    np.testing.assert_array_equal(found, [np.nan, np.nan, -0.5, np.nan])
    assert ratio(1, 4) == 0.25


def test_a_divisor_no_greater_than_the_least_is_zero():
    """From both sides of the bound, and of zero."""
    found = ratio(1.0, [0.5, -0.5, 0.6, -0.6], least=0.5)
    np.testing.assert_allclose(found, [np.nan, np.nan, 1 / 0.6, -1 / 0.6])


def test_shapes_are_broadcast():
    """A column by a row."""
    np.testing.assert_array_equal(ratio([[2], [4]], [[1, 2]]), [[2, 1], [4, 2]])


def test_the_mean_of_what_is_defined():
    """NaN is left out with its weight; nothing left is NaN."""
    values = np.array([[1.0, np.nan, 4.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(defined_mean(values), [2.5, np.nan])
    weighted = defined_mean(values, np.array([[3.0, 9.0, 1.0]]))
    assert weighted[0] == pytest.approx(1.75)
    np.testing.assert_allclose(defined_mean(values, axis=0), [1, np.nan, 4])
