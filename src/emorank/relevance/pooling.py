"""Relevance through the layers without weights: pooling, flattening, a ReLU that stands alone."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance.division import divide
from emorank.relevance.rules import EPSILON

Saved = tuple[Tensor, ...]


@dataclass(frozen=True)
class MaxPool:
    """The winner takes all: relevance goes to the maximum of each window, on a tie to the first."""

    name: str
    layer: nn.MaxPool2d

    def forward(self, inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool; keep the inputs (for their shape and layout) and where the maxima were."""
        layer = self.layer
        pooled, winners = F.max_pool2d(
            inputs,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            layer.dilation,
            ceil_mode=layer.ceil_mode,
            return_indices=True,
        )
        return pooled, (inputs, winners)

    def backward(self, relevance: Tensor, saved: Saved) -> Tensor:
        """Scatter to the winners; where windows overlap, shares add up unlike in max_unpool2d."""
        inputs, winners = saved
        layer = self.layer
        sizes = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        given: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            relevance, inputs, *map(_pair, sizes), layer.ceil_mode, winners
        )
        return given


@dataclass(frozen=True)
class AveragePool:
    """In proportion to the inputs: R_i = a_i Σ_j 1/n_j · R_j / (z_j + ε sign z_j)."""

    name: str
    layer: nn.AvgPool2d | nn.AdaptiveAvgPool2d

    def forward(self, inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool; keep inputs and outputs."""
        means: Tensor = self.layer(inputs)
        return means, (inputs, means)

    def backward(self, relevance: Tensor, saved: Saved) -> Tensor:
        """Share out in proportion to the inputs, exactly as it came where nothing was pooled."""
        inputs, means = saved
        layer = self.layer
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            if inputs.shape == means.shape:  # VGG at 224 pixels: 7×7 to 7×7
                return relevance
            shares = divide(relevance, means, EPSILON)
            given: Tensor = torch.ops.aten._adaptive_avg_pool2d_backward(shares, inputs)
        else:
            sizes = (layer.kernel_size, layer.stride, layer.padding)
            given = torch.ops.aten.avg_pool2d_backward(
                divide(relevance, means, EPSILON),
                inputs,
                *map(_pair, sizes),
                layer.ceil_mode,
                layer.count_include_pad,
                layer.divisor_override,
            )
        return given.mul_(inputs)


@dataclass(frozen=True)
class Flatten:
    """Relevance takes the shape of the inputs again."""

    name: str

    def forward(self, inputs: Tensor) -> tuple[Tensor, Saved]:
        """Flatten, channel by channel; keep the inputs for their shape."""
        return inputs.flatten(1), (inputs,)

    def backward(self, relevance: Tensor, saved: Saved) -> Tensor:
        """Unflatten."""
        return relevance.reshape(saved[0].shape)


@dataclass(frozen=True)
class Rectifier:
    """A ReLU that does not follow a layer with weights: relevance passes as it is."""

    name: str

    def forward(self, inputs: Tensor) -> tuple[Tensor, Saved]:
        """Rectify, never in place: the layer before keeps its outputs."""
        return inputs.clamp(min=0), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Tensor:
        """Pass."""
        return relevance


def _pair(size: int | tuple[int, ...]) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)
