"""Mean truth per rank and per piece of a score, and the calibration error of probabilities."""

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.laboratory import calibration_curve
from emorank.evaluation.statistics.columns import Options

FEW = Options(resamples=50)


def test_means_of_the_levels_are_means():
    """One step per level that was given, abstained faces and unknown truths left out."""
    level = pd.Series([1, 1, 2, 3, pd.NA, 3, 1], dtype="Int64")
    truth = [0.1, 0.3, 0.5, 0.9, 0.8, np.nan, 0.2]
    found = calibration_curve.of_levels(level, truth, list("aabbabb"), FEW)
    assert [step.label for step in found.steps] == ["Minimal", "Average", "Strong"]
    assert [step.count for step in found.steps] == [3, 1, 1]
    assert [step.truth.value for step in found.steps] == pytest.approx([0.2, 0.5, 0.9])
    assert found.steps[0].truth.low <= 0.2 <= found.steps[0].truth.high
    assert found.monotone is True


def test_a_rank_that_falls_is_not_monotone():
    """Average faces stronger than Strong ones."""
    found = calibration_curve.of_levels([1, 2, 3], [0.1, 0.9, 0.5], None, FEW)
    assert found.monotone is False


def test_one_level_has_no_order():
    """With one level, whether the rank is monotone is not defined."""
    assert calibration_curve.of_levels([2, 2, 2], [0.1, 0.9, 0.5], None, FEW).monotone is None
    assert calibration_curve.of_levels([pd.NA] * 3, [0.1, 0.9, 0.5], None, FEW).steps == ()


def test_pieces_of_a_score_are_equal_in_number():
    """A hundred different scores in five pieces of twenty, each mean as pandas has it."""
    rng = np.random.default_rng(0)
    score, truth = rng.permutation(100) / 7, rng.uniform(0, 1, 100)
    found = calibration_curve.of_scores(score, truth, None, FEW)
    assert [step.count for step in found.steps] == [20] * 5
    means = pd.Series(truth).groupby(pd.qcut(score, 5, labels=False)).mean()
    assert [step.truth.value for step in found.steps] == pytest.approx(means.to_list())


def test_equal_scores_stay_together():
    """A constant is one piece, three values are at most three."""
    assert len(calibration_curve.of_scores([1.0] * 20, np.arange(20), None, FEW).steps) == 1
    three = calibration_curve.of_scores([0, 1, 2] * 20, [0, 1, 2] * 20, None, FEW)
    assert [step.truth.value for step in three.steps] == [0, 1, 2]
    assert three.monotone


def test_the_calibration_error_is_that_of_a_loop():
    """Bins of a tenth, weighted by their faces."""
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([1, 1, 1, 1], 300)
    majority = rng.integers(0, 4, 300)
    sure, right = probabilities.max(1), probabilities.argmax(1) == majority
    slow = sum(
        abs(sure[here].sum() - right[here].sum())
        for k in range(10)
        for here in [(sure >= k / 10) & (sure < (k + 1) / 10)]
    )
    found = calibration_curve.expected_error(probabilities, majority, rng.integers(0, 9, 300), FEW)
    assert found.value == pytest.approx(slow / 300)
    assert found.low < found.high


def test_no_probabilities_no_error():
    """Without probabilities the error is None, and not 0."""
    found = calibration_curve.expected_error(np.full((3, 4), np.nan), [1, 2, 3], None, FEW)
    assert found.value is None
