"""Bradley-Terry scores against choix, and what they are where the model alone has none."""

import choix
import numpy as np
import pytest
from numpy.testing import assert_allclose

from emorank.evaluation.raters.bradley_terry import bradley_terry


@pytest.mark.parametrize("seed", range(8))
def test_as_choix(seed):
    """The same penalised maximum, of any wins; the mean is 0."""
    rng = np.random.default_rng(seed)
    faces = int(rng.integers(3, 15))
    pairs = np.array([rng.choice(faces, 2, replace=False) for _ in range(6 * faces)])
    wins = rng.integers(0, 2, len(pairs))
    data = [(a, b) if w else (b, a) for (a, b), w in zip(pairs.tolist(), wins, strict=True)]
    model = bradley_terry(faces, pairs[:, 0], pairs[:, 1], wins.astype(float), penalty=0.05)
    expected = choix.opt_pairwise(faces, data, alpha=0.05, tol=1e-12)
    assert model.converged
    assert_allclose(model.scores, expected - expected.mean(), atol=1e-5)
    assert model.comparisons.sum() == 2 * len(pairs)


def test_ties_are_half_a_win_for_both():
    """A tie is what one win each would be, at half of the weight."""
    one = bradley_terry(2, np.array([0, 0]), np.array([1, 1]), np.array([0.5, 1.0]))
    same = bradley_terry(2, np.array([0] * 4), np.array([1] * 4), np.array([1, 0, 1, 1.0]), 0.2)
    assert_allclose(one.scores, same.scores, atol=1e-9)


def test_errors_are_those_of_the_logit_of_two_faces():
    """Of many comparisons the error of a difference is that of a logit, half on each side."""
    wins = np.array([1.0] * 300 + [0.0] * 100)
    model = bradley_terry(2, np.zeros(400, int), np.ones(400, int), wins, penalty=1e-9)
    assert_allclose(model.scores, [np.log(3) / 2, -np.log(3) / 2], rtol=1e-6)
    assert_allclose(model.errors, np.sqrt(1 / (400 * 0.75 * 0.25)) / 2, rtol=1e-6)


def test_a_face_that_won_all_has_a_finite_score_and_groups_are_told():
    """Two pairs without a link are two groups, each with the mean 0."""
    model = bradley_terry(5, np.array([0, 2]), np.array([1, 3]), np.array([1.0, 1.0]))
    assert np.isfinite(model.scores).all()
    assert model.scores[0] > 0 > model.scores[1]
    assert model.group.tolist() == [0, 0, 1, 1, 2]
    assert_allclose(model.scores[[0, 2]] + model.scores[[1, 3]], 0, atol=1e-12)
    assert model.scores[4] == 0
    with pytest.raises(ValueError, match="above 0"):
        bradley_terry(2, np.array([0]), np.array([1]), np.array([1.0]), penalty=0)
    empty = bradley_terry(0, np.empty(0, int), np.empty(0, int), np.empty(0))
    assert len(empty.scores) == 0
