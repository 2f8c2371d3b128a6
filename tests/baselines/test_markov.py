"""The Markov model's posteriors against the sum over all paths."""

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import norm

from emorank.baselines.markov import Markov

MODEL = Markov(
    np.array([0.7, 0.2, 0.1]),
    np.array([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.05, 0.15, 0.8]]),
    np.array([1.0, 2.0, 3.0]),
    np.array([0.2, 0.3, 0.1]),
)


def by_all_paths(observed):
    """The share of each state in the probability of all paths."""
    shares = np.zeros((len(observed), 3))
    for path in product(range(3), repeat=len(observed)):
        probability = MODEL.starts[path[0]]
        for now, following in pairwise(path):
            probability *= MODEL.moves[now, following]
        for state, value in zip(path, observed, strict=True):
            probability *= norm.pdf(value, MODEL.means[state], np.sqrt(MODEL.variances[state]))
        shares[range(len(path)), path] += probability
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_states_have_the_share_of_all_paths(frames):
    """One frame, one move, and frames with a before and an after."""
    observed = np.random.default_rng(frames).uniform(0.5, 3.5, frames)
    posterior = MODEL.posterior(observed, [np.arange(frames)])
    np.testing.assert_allclose(posterior, by_all_paths(observed), rtol=1e-10)


def test_each_sequence_is_judged_alone_and_in_its_order():
    """Positions of a sequence may be anywhere in the table."""
    observed = np.array([1.2, 2.9, 1.1, 2.2, 2.8])
    sequences = [np.array([2, 3, 1]), np.array([4, 0])]
    posterior = MODEL.posterior(observed, sequences)
    for sequence in sequences:
        np.testing.assert_allclose(posterior[sequence], by_all_paths(observed[sequence]))


def test_a_long_sequence_does_not_vanish():
    """The probability of thousands of frames is below the least float; its logarithm is not."""
    posterior = MODEL.posterior(np.full(5000, 9.0), [np.arange(5000)])
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert (posterior.argmax(axis=1) == 1).all()
