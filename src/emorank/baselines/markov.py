"""A hidden Markov model whose states are seen through a normally distributed number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp
from scipy.stats import norm


@dataclass(frozen=True)
class Markov:
    """Known parameters; all probabilities are above 0.

    Attributes:
        starts: probability of each state at the beginning of a sequence.
        moves: probability of the next state, (from, to); each row sums to 1.
        means, variances: of what is observed in each state.
    """

    starts: Float[np.ndarray, " states"]
    moves: Float[np.ndarray, "states states"]
    means: Float[np.ndarray, " states"]
    variances: Float[np.ndarray, " states"]

    def posterior(
        self, observed: Float[np.ndarray, " faces"], sequences: Sequence[Int[np.ndarray, " frames"]]
    ) -> Float[np.ndarray, "faces states"]:
        """The probability of each state at each face, given all of its sequence.

        `sequences` are the positions of each sequence's faces, in order; each face is in one.
        Forward and backward recursion in logarithms: Rabiner 1989, Proc. IEEE 77(2), equations 19
        to 27.
        """
        likelihood = np.asarray(
            norm.logpdf(observed[:, None], self.means, np.sqrt(self.variances)), np.float64
        )
        result = np.empty_like(likelihood)
        for sequence in sequences:
            result[sequence] = self._of_one(likelihood[sequence])
        return result

    def _of_one(self, likelihood: Float[np.ndarray, "frames states"]) -> np.ndarray:
        moves = np.log(self.moves)
        before, after = likelihood.copy(), np.zeros_like(likelihood)
        before[0] += np.log(self.starts)
        for frame in range(1, len(likelihood)):
            before[frame] += logsumexp(before[frame - 1][:, None] + moves, axis=0)
        for frame in range(len(likelihood) - 2, -1, -1):
            after[frame] = logsumexp(moves + likelihood[frame + 1] + after[frame + 1], axis=1)
        both = before + after
        return np.asarray(np.exp(both - logsumexp(both, axis=1, keepdims=True)))
