"""Layers that are several layers in a row, mostly convolutions that pad in ways of their own."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from emorank.relevance.layers import (
    Pad,
    View,
    gaps_of,
    give_parameters,
    padding_of,
    with_parameters,
)
from emorank.relevance.same_borders import SamePad, SamePool, is_same


def in_parts(name: str, layer: nn.Module) -> list[tuple[str, nn.Module]]:
    """A layer as layers in a row that have rules, by their names; most are one already.

    A convolution that pads with copies, or on one side more than on the other, is a padding and a
    convolution; a transposed one has zeros between its inputs; one along rows is one of
    maps of height 1.
    """
    match layer:
        case nn.ConvTranspose2d():
            return [(f"{name}.padding", _zeros_of(layer)), (name, _turned(layer))]
        case nn.Conv1d():
            wide = nn.Conv2d(
                layer.in_channels, layer.out_channels, (1, layer.kernel_size[0]),
                (1, layer.stride[0]), (0, int(layer.padding[0])), (1, layer.dilation[0]),
                layer.groups, layer.bias is not None, device="meta",
            )  # fmt: skip
            give_parameters(wide, layer.weight.unsqueeze(2), layer.bias)
            return [
                (f"{name}.unsqueeze", View(lambda values: values.unsqueeze(2))),
                (name, wide),
                (f"{name}.squeeze", View(lambda values: values.squeeze(2))),
            ]
        case nn.MaxPool2d() | nn.AvgPool2d() if is_same(layer):
            return [(name, SamePool(layer))]
        case nn.ZeroPad2d() | Pad() if min(padding_of(layer)) < 0:
            cut = tuple(min(side, 0) for side in padding_of(layer))
            added = Pad(tuple(max(side, 0) for side in padding_of(layer)), gaps_of(layer))
            return [(f"{name}.cut", View(lambda values: _cut(values, cut))), (name, added)]
        case nn.Conv2d() if is_same(layer):
            bare = with_parameters(layer, layer.weight, layer.bias)
            return [(f"{name}.padding", SamePad(layer)), (name, bare)]
        case nn.Conv2d():
            sides = tuple(layer._reversed_padding_repeated_twice)
            if layer.padding_mode == "zeros" and sides[::2] == sides[1::2]:
                return [(name, layer)]
            bare = with_parameters(layer, layer.weight, layer.bias)
            assert isinstance(bare, nn.Conv2d)  # noqa: S101 - made of one
            bare.padding, bare.padding_mode = (0, 0), "zeros"
            return [(f"{name}.padding", _PADDING_MODES[layer.padding_mode](sides)), (name, bare)]
        case _:
            return [(name, layer)]


def _cut(values: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Rows and columns cut off where the sides, as `F.pad` takes them, are negative."""
    for k in range(len(sides) // 2):
        before, after = sides[2 * k], sides[2 * k + 1]
        values = values.narrow(-1 - k, -before, values.shape[-1 - k] + before + after)
    return values


_PADDING_MODES: dict[str, Callable[[Any], nn.Module]] = {
    "zeros": Pad,
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "circular": nn.CircularPad2d,
}


def _zeros_of(layer: nn.ConvTranspose2d) -> Pad:
    """The zeros between and around the inputs of a transposed convolution."""
    sides: list[int] = []
    for k in (1, 0):
        side = layer.dilation[k] * (layer.kernel_size[k] - 1) - int(layer.padding[k])
        sides += [side, side + layer.output_padding[k]]
    return Pad(tuple(sides), (layer.stride[0], layer.stride[1]))


def _turned(layer: nn.ConvTranspose2d) -> nn.Conv2d:
    """The convolution that a transposed one is behind these zeros: its kernels turned round."""
    given, made, *kernel = layer.weight.shape
    groups = layer.groups
    grouped = layer.weight.view(groups, given // groups, made, *kernel).transpose(1, 2)
    turned = nn.Conv2d(
        given, made * groups, (kernel[0], kernel[1]),
        dilation=(layer.dilation[0], layer.dilation[1]), groups=groups,
        bias=layer.bias is not None, device="meta",
    )  # fmt: skip
    give_parameters(turned, grouped.flatten(0, 1).flip(-1, -2), layer.bias)
    return turned
