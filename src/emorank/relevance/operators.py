"""The linear map of a layer with given weights, forwards and back, by the cheapest way there is."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Geometry:
    """How a convolution slides; a dense layer has none."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True)
class Operator:
    """A convolution or matrix product without its bias, and its transpose.

    Attributes:
        weight: (out, in / groups, height, width) channels last, or (out, in), which takes the last
            dimension of whatever comes.
        geometry: of a convolution; None for a dense layer.
    """

    weight: Tensor
    geometry: Geometry | None

    def made(self) -> "Operator":
        """Itself: its weights are there."""
        return self

    def forward(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        """From inputs to outputs."""
        g = self.geometry
        if g is None:
            return F.linear(inputs, self.weight, bias)
        return F.conv2d(inputs, self.weight, bias, g.stride, g.padding, g.dilation, g.groups)

    def back(self, shares: Tensor, size: torch.Size) -> Tensor:
        """From outputs to inputs, whose height and width are the last two of `size`."""
        g = self.geometry
        if g is None:
            return shares @ self.weight
        if _is_pointwise(g, self.weight):
            # A matrix product, which keeps channels last; the transposed convolution of one thread
            # is slower and does not.
            return (shares.movedim(1, -1) @ self.weight[:, :, 0, 0]).movedim(-1, 1)
        return F.conv_transpose2d(
            shares,
            self.weight,
            None,
            g.stride,
            g.padding,
            _rest(g, self.weight, shares, size),
            g.groups,
            g.dilation,
        )


@dataclass(frozen=True)
class Unmade:
    """An operator whose weights are made of the layer's whenever they are needed, and not kept.

    To make them costs a hundredth of the passes through them, and a copy of all convolutions would
    be most of what the explanation of a single image takes.

    Attributes:
        weight: of the layer, as in `Operator`.
        modifier: makes the weights of them.
        geometry: as in `Operator`.
    """

    weight: Tensor
    modifier: Callable[[Tensor], Tensor]
    geometry: Geometry

    def made(self) -> Operator:
        """With its weights."""
        return Operator(self.modifier(self.weight), self.geometry)


@dataclass(frozen=True)
class Ones:
    """An operator whose weights are all one, in a few sums instead of so many products.

    Attributes:
        shape: of the weights that it stands for.
        geometry: as in `Operator`.
    """

    shape: torch.Size
    geometry: Geometry | None

    def made(self) -> "Ones":
        """Itself, likewise."""
        return self

    def forward(self, inputs: Tensor, bias: Tensor | None = None) -> Tensor:
        """The sum of the inputs that each output is connected with."""
        g, out = self.geometry, self.shape[0]
        if g is None:
            sums = inputs.sum(-1, keepdim=True).repeat(*(1,) * (inputs.ndim - 1), out)
        else:
            grouped = _by_group(inputs, g.groups).sum(2)
            kernel = inputs.new_ones(g.groups, 1, *self.shape[2:])
            sums = F.conv2d(grouped, kernel, None, g.stride, g.padding, g.dilation, g.groups)
            sums = sums.repeat_interleave(out // g.groups, 1)
        return sums if bias is None else sums + by_output(bias, sums, g)

    def back(self, shares: Tensor, size: torch.Size) -> Tensor:
        """To each input the sum of the outputs that it is connected with."""
        g, each = self.geometry, self.shape[1]
        if g is None:
            return shares.sum(-1, keepdim=True).repeat(*(1,) * (shares.ndim - 1), each)
        grouped = _by_group(shares, g.groups).sum(2)
        kernel = shares.new_ones(g.groups, 1, *self.shape[2:])
        rest = _rest(g, kernel, shares, size)
        sums = F.conv_transpose2d(
            grouped, kernel, None, g.stride, g.padding, rest, g.groups, g.dilation
        )
        return sums.repeat_interleave(each, 1)


def by_output(bias: Tensor, outputs: Tensor, geometry: Geometry | None) -> Tensor:
    """One number per output in the shape that is added to the outputs.

    Outputs of a convolution are channels, the first dimension of an image; those of a dense layer
    are the last dimension, whatever is before it.
    """
    return bias if geometry is None else bias.view(1, -1, *(1,) * (outputs.ndim - 2))


def geometry_of(layer: nn.Conv2d, zeros: tuple[int, int] = (0, 0)) -> Geometry:
    """The geometry of a convolution, its padding in numbers, and more rows and columns of zeros."""
    dilation = (layer.dilation[0], layer.dilation[1])
    kernel = (layer.kernel_size[0], layer.kernel_size[1])
    if layer.padding == "same":
        padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
    elif isinstance(layer.padding, str):  # 'valid'
        padding = (0, 0)
    else:
        padding = (layer.padding[0], layer.padding[1])
    padding = (padding[0] + zeros[0], padding[1] + zeros[1])
    return Geometry((layer.stride[0], layer.stride[1]), padding, dilation, layer.groups)


def _is_pointwise(g: Geometry, weight: Tensor) -> bool:
    return g == _POINTWISE and weight.shape[2:] == (1, 1)


_POINTWISE = Geometry((1, 1), (0, 0), (1, 1), 1)


def _by_group(values: Tensor, groups: int) -> Tensor:
    return values.reshape(len(values), groups, values.shape[1] // groups, *values.shape[2:])


def _rest(g: Geometry, weight: Tensor, shares: Tensor, size: torch.Size) -> list[int]:
    """Rows and columns of inputs that the stride left over: no window sees them."""
    return [
        length - ((out - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
        for length, out, stride, padding, dilation, kernel in zip(
            size[-2:],
            shares.shape[2:],
            g.stride,
            g.padding,
            g.dilation,
            weight.shape[2:],
            strict=True,
        )
    ]
