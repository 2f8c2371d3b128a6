"""Relevance through attention: softmax, and matrix products of two signals (AttnLRP).

Achtibat et al. 2024, *AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers*
(ICML), propositions 3.1 to 3.3. With all relevance to the values and none to the weights of the
attention it is the rule of Ali et al. 2022 (CP-LRP).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emorank.relevance.attention_layers import (
    JoinedWithConstants,
    MatrixProduct,
    Moved,
    WithConstant,
)
from emorank.relevance.division import share_out, total
from emorank.relevance.layers import not_the_batch
from emorank.relevance.rules import EPSILON
from emorank.relevance.steps import Saved, Sent, Step


@dataclass(frozen=True)
class SoftmaxStep:
    """Softmax by its first-order Taylor expansion: R_i = x_i (R_i − s_i Σ_j R_j).

    Proposition 3.1. s_j = Σ_i J_ji x_i + b_j, so what is not in Σ_i x_i (…) is the share of b_j, as
    of a bias; `distributed` spreads it evenly over the row.
    """

    name: str
    layer: nn.Softmax
    distributed: bool

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Compute; keep inputs and outputs."""
        not_the_batch(0 if self.layer.dim is None else self.layer.dim, inputs[0].ndim)
        outputs: Tensor = self.layer(inputs[0])
        return outputs, (inputs[0], outputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """By the Jacobian, times the inputs."""
        inputs, outputs = saved
        dim = self.layer.dim
        whole = relevance.sum(dim, keepdim=True)
        given = (relevance - outputs * whole).mul_(inputs)
        if self.distributed:
            left = (whole - given.sum(dim, keepdim=True)) / given.shape[dim or -1]
            return Sent((given + left,))
        return Sent((given,), total(relevance) - total(given))


@dataclass(frozen=True)
class SignalProduct:
    """A matrix product O = A B of two signals.

    R_A = A (S Bᵀ) and R_B = B (Aᵀ S), with S = R / (O + ε) times the share of each: half to each
    (proposition 3.3), or all to one, for which the other is a constant gate.

    Attributes:
        name: of the product.
        layer: the product.
        signal: the place of the factor that takes all; None if each takes half.
    """

    name: str
    layer: MatrixProduct
    signal: int | None

    passes = False

    @property
    def silent(self) -> tuple[int, ...]:
        """The places of the inputs that never get relevance."""
        return () if self.signal is None else (1 - self.signal,)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Multiply; keep both factors and the product."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, (*inputs, outputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """By the transposed maps."""
        *factors, outputs = saved
        shares, taken = share_out(relevance, outputs, EPSILON)
        if self.signal is None:
            shares = shares.div_(2)
        sent = [
            None if place in self.silent else self._to(place, shares, factors) for place in (0, 1)
        ]
        return Sent(tuple(sent), stabiliser=taken)

    def _to(self, place: int, shares: Tensor, factors: list[Tensor]) -> Tensor:
        own = factors[place]
        back = self.layer.back(place, shares, factors[1 - place])
        back = back.sum_to_size(len(back), *own.shape[1:])  # of copies that were made to fit
        return back.mul_(own)


@dataclass(frozen=True)
class ConstantProduct:
    """A matrix product of a signal and a constant, by the epsilon rule: all to the signal."""

    name: str
    layer: WithConstant

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Multiply; keep inputs and outputs."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, (inputs[0], outputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """By the transposed map."""
        inputs, outputs = saved
        shares, taken = share_out(relevance, outputs, EPSILON)
        back = self.layer.back(shares)
        return Sent((back.sum_to_size(len(back), *inputs.shape[1:]) * inputs,), stabiliser=taken)


@dataclass(frozen=True)
class BesideConstants:
    """`torch.cat` of signals and constants; what lies at a constant is its share, as of a bias.

    `distributed` spreads that evenly over the signals.
    """

    name: str
    layer: JoinedWithConstants
    distributed: bool

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Put side by side; keep the signals for their shapes."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, tuple(signal.to("meta") for signal in inputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Take apart."""
        dim = self.layer.dim
        sizes = [signal.shape[dim] for signal in saved]
        for place in self.layer.places:
            sizes.insert(place, getattr(self.layer, f"constant_{place}").shape[dim])
        parts = torch.split(relevance, sizes, dim)
        given = [part.contiguous() for k, part in enumerate(parts) if k not in self.layer.places]
        kept = sum((total(parts[k]) for k in self.layer.places), torch.zeros_like(total(relevance)))
        if self.distributed:
            each = kept / sum(part[:1].numel() for part in given)
            spread = each.to(relevance.dtype).view(-1, *(1,) * (relevance.ndim - 1))
            return Sent(tuple(part + spread for part in given))
        return Sent(tuple(given), kept)


@dataclass(frozen=True)
class Reordered:
    """A rearrangement of all values, turned back on the way back."""

    name: str
    layer: Moved

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Rearrange; keep the inputs for their shape."""
        outputs: Tensor = self.layer(inputs[0])
        return outputs, (inputs[0].to("meta"),)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Put everything back into its place."""
        return Sent((self.layer.inverse(relevance, saved[0].shape),))


@dataclass(frozen=True)
class Silent:
    """A step that no relevance comes to, and that keeps nothing therefore."""

    step: Step

    @property
    def name(self) -> str:
        """Of the layer."""
        return self.step.name

    @property
    def passes(self) -> bool:
        """As the step's."""
        return self.step.passes

    @property
    def silent(self) -> tuple[int, ...]:
        """As the step's."""
        places: tuple[int, ...] = getattr(self.step, "silent", ())
        return places

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Compute."""
        return self.step.forward(*inputs)[0], ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Nothing ever comes here (`walk.reached`)."""
        raise NotImplementedError
