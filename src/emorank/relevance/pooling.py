"""Relevance through pooling: to the winner, evenly, or in proportion to the inputs."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance.division import share_out
from emorank.relevance.layers import Mean
from emorank.relevance.rules import EPSILON
from emorank.relevance.same_borders import pair
from emorank.relevance.steps import Saved, Sent

Pooling = nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d | Mean

# Equal sums of thousands of products differ if they are added up in another order; in deeper
# layers by several ε. More than this would also move winners that are no tie (docs/relevance.md).
_ROUNDING = 4  # ε of the type, of the greatest input at the same place


@dataclass(frozen=True)
class MaxPool:
    """The winner takes all: relevance goes to the maximum of each window, on a tie to the first.

    Inputs that differ by no more than rounding are a tie, too: in flat parts of a picture the
    winner must not depend on the order in which a machine adds up. Among them a fixed place of the
    window wins, which is the first if windows do not overlap.
    """

    name: str
    layer: nn.MaxPool2d

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool; keep the inputs."""
        pooled: Tensor = self.layer(*inputs)
        return pooled, inputs

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Scatter to the winners; where windows overlap, shares add up unlike in max_unpool2d."""
        (inputs,), layer = saved, self.layer
        sizes = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        # The winners are computed again: to keep their places would take eight bytes each.
        ordered = self._ordered(inputs)
        _, winners = F.max_pool2d(ordered, *sizes, ceil_mode=layer.ceil_mode, return_indices=True)
        maps = len(relevance)
        return Sent((
            torch.ops.aten.max_pool2d_with_indices_backward(
                relevance,
                _repeated(inputs, maps),
                *map(pair, sizes),
                layer.ceil_mode,
                _repeated(winners, maps),
            ),
        ))  # fmt: skip

    def _ordered(self, inputs: Tensor) -> Tensor:
        """The inputs, lowered by more than rounding for each place that they lie further back.

        Never by more than a sixteenth of themselves: a unit that is (nearly) off must not win from
        one that is on, whose relevance it could not take.
        """
        sizes = zip(pair(self.layer.kernel_size), pair(self.layer.dilation), strict=True)
        down, right = ((kernel - 1) * gap + 1 for kernel, gap in sizes)
        top, left = pair(self.layer.padding)
        rows = torch.arange(top, top + inputs.shape[2], device=inputs.device) % down
        columns = torch.arange(left, left + inputs.shape[3], device=inputs.device) % right
        places = (rows[:, None] * right + columns).to(inputs.dtype)
        size = inputs.abs()
        step = size.amax(1, keepdim=True).mul_(_ROUNDING * torch.finfo(inputs.dtype).eps)
        lowered = size.mul_(places / (16 * down * right)).clamp_(max=step.mul_(places))
        return torch.sub(inputs, lowered, out=lowered)


@dataclass(frozen=True)
class EvenMaxPool:
    """A max pooling whose relevance goes to all of each window alike."""

    name: str
    layer: nn.MaxPool2d

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool; keep the inputs for their shape."""
        pooled: Tensor = self.layer(*inputs)
        return pooled, inputs

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out over the inputs that lie in the window; padding is none of them."""
        inputs = _repeated(saved[0], len(relevance))
        return Sent((_average_backward(relevance, inputs, _averaging(self.layer)),))


@dataclass(frozen=True)
class AveragePool:
    """In proportion to the inputs: R_i = a_i Σ_j 1/n_j · R_j / (z_j + ε sign z_j).

    A max pooling is explained like this where the preset says "proportional".
    """

    name: str
    layer: Pooling

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool; keep inputs and means."""
        (given,) = inputs
        pooled: Tensor = self.layer(given)
        if isinstance(self.layer, nn.MaxPool2d):
            return pooled, (given, _averaging(self.layer)(given))
        return pooled, (given, pooled)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Share out in proportion to the inputs."""
        inputs, means = saved
        layer = self.layer
        shares, taken = share_out(relevance, means, EPSILON)
        if isinstance(layer, Mean):
            return Sent((layer.backward(shares, inputs.shape) * inputs,), stabiliser=taken)
        repeated = _repeated(inputs, len(relevance))
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            given: Tensor = torch.ops.aten._adaptive_avg_pool2d_backward(shares, repeated)
        else:
            average = _averaging(layer) if isinstance(layer, nn.MaxPool2d) else layer
            given = _average_backward(shares, repeated, average)
        return Sent((given.mul_(inputs),), stabiliser=taken)


def _averaging(layer: nn.MaxPool2d) -> nn.AvgPool2d:
    """The average pooling over the same windows, padding left out."""
    # torch's annotations say a tuple of any length of what the layer keeps.
    sizes: Any = (layer.kernel_size, layer.stride, layer.padding)
    kernel, stride, padding = sizes
    return nn.AvgPool2d(kernel, stride, padding, layer.ceil_mode, count_include_pad=False)


def _average_backward(shares: Tensor, inputs: Tensor, layer: nn.AvgPool2d) -> Tensor:
    given: Tensor = torch.ops.aten.avg_pool2d_backward(
        shares,
        inputs,
        *map(pair, (layer.kernel_size, layer.stride, layer.padding)),
        layer.ceil_mode,
        layer.count_include_pad,
        layer.divisor_override,
    )
    return given


def _repeated(saved: Tensor, maps: int) -> Tensor:
    """What was saved of one image, once for each of its maps."""
    if len(saved) == maps:
        return saved
    return saved.expand(maps, *saved.shape[1:]).contiguous(memory_format=torch.channels_last)
