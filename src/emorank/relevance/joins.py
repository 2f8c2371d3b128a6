"""Relevance through what joins the branches of a net, or adds constants to them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from emorank.errors import RelevanceError
from emorank.relevance.division import share_out, total
from emorank.relevance.layers import Affine, Joined
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
        sign: of the second branch; −1 for a difference.
    """

    name: str
    rectified: bool
    alive: bool
    sign: int = 1

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Add; keep both branches and the sum, of which only what is positive if `alive`."""
        if inputs[0].shape != inputs[1].shape:
            raise RelevanceError(
                f"expected two branches of one shape at the sum '{self.name}', got "
                f"{tuple(inputs[0].shape)} and {tuple(inputs[1].shape)}"
            )
        both = inputs[0] + inputs[1] if self.sign > 0 else inputs[0] - inputs[1]
        saved = (*inputs, both)
        if not self.rectified:
            return both, saved
        return (both.relu_() if self.alive else both.relu()), saved

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out between the branches."""
        first, second, both = saved
        sign = int(self.alive)
        shares, taken = share_out(relevance, both, EPSILON, sign, certain=self.alive)
        of_second = second * shares if self.sign > 0 else -second * shares
        return Sent((first * shares, of_second), stabiliser=taken)


@dataclass(frozen=True)
class SideBySide:
    """`torch.cat`: each branch gets back what lies at its values."""

    name: str
    layer: Joined

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Put side by side; keep the branches for their shapes."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, inputs

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Take apart."""
        dim = self.layer.dim
        if self.layer.new:
            return Sent(tuple(part.contiguous() for part in relevance.unbind(dim)))
        sizes = [branch.shape[dim] for branch in saved]
        return Sent(tuple(part.contiguous() for part in torch.split(relevance, sizes, dim)))


@dataclass(frozen=True)
class Shifted:
    """A scale and a constant that is added: R_a = s a R / (s a + t + ε sign (s a + t)).

    A sum of two branches, one of which is a constant; what that one takes is the share of a bias.
    """

    name: str
    layer: Affine

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Scale and shift; keep the inputs and the sum."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, (inputs[0], outputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out between the values and the constant."""
        inputs, outputs = saved
        shares, taken = share_out(relevance, outputs, EPSILON)
        constant = total(shares * self.layer.shift.to(shares))
        return Sent((inputs * self.layer.scale.to(inputs) * shares,), constant, taken)
