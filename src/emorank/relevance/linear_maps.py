"""Relevance through layers that are linear for given statistics, and have no weights for a rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emorank.relevance.division import share_out, total
from emorank.relevance.layers import copies
from emorank.relevance.rules import EPSILON
from emorank.relevance.steps import Saved, Sent


@dataclass(frozen=True)
class LinearMap:
    """Enlarging a map, or padding it with copies of its own values.

    A value gets back what lies at its copies; where several are mixed (bilinear), each gets its
    part in proportion: R_i = a_i Σ_j w_ij R_j / (z_j + ε sign z_j).
    """

    name: str
    layer: nn.Module

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Map; keep the inputs, and the outputs where values are mixed."""
        outputs: Tensor = self.layer(*inputs)
        others = tuple(other.to("meta") for other in inputs[1:])  # whose sizes it is given
        if copies(self.layer):
            return outputs, (inputs[0].to("meta"), outputs.to("meta"), *others)
        return outputs, (inputs[0], outputs, *others)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """By the transposed map."""
        inputs, outputs, *others = saved
        nothing = (None for _ in others)

        def layer(values: Tensor) -> Tensor:
            mapped: Tensor = self.layer(values, *others)
            return mapped

        if copies(self.layer):
            return Sent((transposed(layer, relevance, inputs.shape), *nothing))
        shares, taken = share_out(relevance, outputs, EPSILON)
        back = transposed(layer, shares, inputs.shape)
        return Sent((back.mul_(inputs), *nothing), stabiliser=taken)


def transposed(layer: Callable[[Tensor], Tensor], shares: Tensor, shape: torch.Size) -> Tensor:
    """The transpose of a linear layer, by torch's own; `shape` is that of a batch of inputs."""
    with torch.inference_mode(False), torch.enable_grad():
        inputs = torch.zeros(
            (len(shares), *shape[1:]), dtype=shares.dtype, device=shares.device
        ).requires_grad_()
        (given,) = torch.autograd.grad(layer(inputs), inputs, shares)
    return given


@dataclass(frozen=True)
class Normalisation:
    """A layer, group or instance norm, linear for the deviation that it has measured.

    y_j = γ_j (x_j − mean x) / σ + β_j, the mean of its group of N values: by the epsilon rule with
    contributions x_i (δ_ij − 1/N) γ_j / σ (Ali et al. 2022, LRP-LN; Achtibat et al. 2024, 3.3).

    Attributes:
        name: of the layer.
        layer: the norm.
        distributed: spread evenly over the group what bias and stabiliser would take.
    """

    name: str
    layer: nn.LayerNorm | nn.GroupNorm | nn.InstanceNorm2d
    distributed: bool

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Normalise; keep inputs, outputs and 1/σ."""
        (values,) = inputs
        outputs: Tensor = self.layer(values)
        spread = self._grouped(values).var(-1, correction=0, keepdim=True)
        return outputs, (values, outputs, (spread + self.layer.eps).rsqrt())

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out in proportion to the contributions of a group."""
        inputs, outputs, scale = saved
        shares, taken = share_out(relevance, outputs, EPSILON)
        weight, bias = map(self._by_value, (self.layer.weight, self.layer.bias))
        through = self._grouped(shares if weight is None else shares * weight)
        back = (through - through.mean(-1, keepdim=True)) * scale
        given = back.reshape(shares.shape) * inputs
        if self.distributed:
            left = self._grouped(relevance - shares * (outputs if bias is None else outputs - bias))
            given += left.mean(-1, keepdim=True).expand_as(left).reshape(given.shape)
            return Sent((given,))
        kept = None if bias is None else total(shares * bias)
        return Sent((given,), kept, taken)

    def _grouped(self, values: Tensor) -> Tensor:
        """(batch, groups, values of a group)."""
        match self.layer:
            case nn.LayerNorm(normalized_shape=shape):
                return values.reshape(len(values), -1, math.prod(shape))
            case nn.GroupNorm(num_groups=groups):
                return values.reshape(len(values), groups, -1)
            case _:
                return values.flatten(2)

    def _by_value(self, parameter: Tensor | None) -> Tensor | None:
        """A weight or bias in a shape that is multiplied with the values."""
        if parameter is None or isinstance(self.layer, nn.LayerNorm):
            return None if parameter is None else parameter.detach()
        return parameter.detach().view(-1, 1, 1)
