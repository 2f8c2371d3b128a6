"""What bias and stabiliser take of the relevance at a layer, and its even spreading if asked."""

import torch
from torch import Tensor

from emorank.relevance.division import total
from emorank.relevance.operators import Geometry, Ones, by_output
from emorank.relevance.steps import Sent


class Account:
    """The relevance that bias and stabiliser of a layer take, and its even spreading if asked."""

    def __init__(self, evenly: Ones | None, geometry: Geometry | None) -> None:
        self.evenly = evenly
        self.geometry = geometry  # of the layer
        self.bias: Tensor | None = None
        self.stabiliser: Tensor | None = None
        self.spread: Tensor | None = None  # (batch, out, …), to be spread over the inputs

    def add(
        self, shares: Tensor, bias: Tensor | None, held: Tensor, epsilon: float | Tensor
    ) -> None:
        """Add what one branch takes: s_j b_j and s_j ε sign d_j.

        Args:
            shares: s_j.
            bias: b_j within the denominators; None for zero.
            held: s_j sign d_j, or s_j where the sign is known and part of ε.
            epsilon: ε.
        """
        channels: Tensor | None = None
        if bias is not None:
            # Outputs of a dense layer lie last (`operators.by_output`).
            channels = total(shares if self.geometry else shares.movedim(-1, 1), first=2)
            self.bias = plus(self.bias, channels @ bias.to(channels.dtype))
        if isinstance(epsilon, Tensor) or epsilon:
            size = epsilon.flatten() if isinstance(epsilon, Tensor) else epsilon
            # A sum of sums reads the data once.
            taken = total(held) if channels is None or held is not shares else channels.sum(1)
            self.stabiliser = plus(self.stabiliser, taken * size)
        if self.evenly is not None:
            left = held * epsilon
            if bias is not None:
                left += shares * by_output(bias, shares, self.geometry)
            self.spread = plus(self.spread, left)

    def unsent(self, relevance: Tensor, denominator: Tensor) -> None:
        """Spread what outputs with a denominator of zero have not sent at all (ε = 0)."""
        if self.evenly is not None:
            self.spread = plus(self.spread, relevance.masked_fill(denominator != 0, 0))

    def close(self, relevance: Tensor, ones: Tensor | None = None) -> Sent:
        """The relevance of the inputs; with it what was taken, or else with that spread over it.

        `ones`, of one image, are at all inputs that are no padding; they are needed to spread.
        """
        if self.evenly is None or self.spread is None or ones is None:
            return Sent((relevance,), self.bias, self.stabiliser)
        counts = self.evenly.forward(ones)
        # A unit that sees only padding has no inputs to spread over.
        each = torch.where(counts > 0, self.spread / counts.clamp(min=1), 0)
        return Sent((relevance + self.evenly.back(each, ones.shape) * ones,))


def plus(total: Tensor | None, more: Tensor) -> Tensor:
    """The sum, where None is zero."""
    return more if total is None else total + more
