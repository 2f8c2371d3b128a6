"""Relevance through the sums at which the branches of a residual net join."""

from dataclasses import dataclass

from torch import Tensor

from emorank.errors import RelevanceError
from emorank.relevance.division import divide, stabilised
from emorank.relevance.rules import EPSILON
from emorank.relevance.steps import Saved, Sent


@dataclass(frozen=True)
class Join:
    """A sum of two branches, with the ReLU after it where there is one.

    Each branch gets its part in proportion: R_a = a R / (a + b + ε sign (a + b)), the epsilon rule
    for a layer whose two weights are one.

    Attributes:
        name: of the sum.
        rectified: a ReLU follows.
        alive: relevance at the outputs is zero wherever the ReLU's output is.
    """

    name: str
    rectified: bool
    alive: bool

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Add; keep both branches and the sum, of which only what is positive if `alive`."""
        if inputs[0].shape != inputs[1].shape:
            raise RelevanceError(
                f"expected two branches of one shape at the sum '{self.name}', got "
                f"{tuple(inputs[0].shape)} and {tuple(inputs[1].shape)}"
            )
        total = inputs[0] + inputs[1]
        saved = (*inputs, total)
        if not self.rectified:
            return total, saved
        return (total.relu_() if self.alive else total.relu()), saved

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out between the branches."""
        *branches, total = saved
        shares = divide(relevance, total, EPSILON, sign=int(self.alive))
        taken = stabilised(shares, total, EPSILON)
        return Sent(tuple(branch * shares for branch in branches), stabiliser=taken)
