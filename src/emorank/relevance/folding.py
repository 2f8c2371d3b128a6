"""Nets as they compute in evaluation: batch norm joins the layer before it, dropout is left out.

A batch norm in evaluation is y = s x + t per channel. Behind a convolution or dense layer that only
it reads, it is folded into that layer's weights, which changes no output (Guillemot et al. 2020;
Motzkus et al. 2022 measure that maps are more faithful then). So it is where pooling or a
concatenation lies between that gives the same in the other order. Anywhere else it becomes a layer
with weights of its own: a convolution of 1×1 in as many groups as there are channels, which counts
as none among the convolutions. On the images, flattened or not, it is their normalisation.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from emorank.relevance.forwards.graph import IMAGES, Node
from emorank.relevance.layers import (
    IGNORED,
    NORMALISING,
    VIEWS,
    WEIGHTED,
    Affine,
    Joined,
    with_parameters,
)


def fold(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Fold batch norms, leave out dropout and identities; the given layers are not changed.

    A folded layer keeps the name of the convolution or dense layer.
    """
    kept: list[Node] = []
    moved = {IMAGES: IMAGES}  # from positions before to positions after
    nodes = _without_ignored(nodes)
    counts = Counter(position for node in nodes for position in node.inputs)
    readers: dict[int, int] = {}  # how many read what lies at a position after
    for place, node in enumerate(nodes, start=1):
        inputs = tuple(moved[position] for position in node.inputs)
        layer = node.layer
        if type(layer) in (*NORMALISING, Affine):
            found = _foldable(kept, readers, inputs[0], layer)
            for position, pair in found:
                before = kept[position - 1]
                kept[position - 1] = replace(before, layer=_folded(before.layer, *pair))
            if found:
                moved[place] = inputs[0]
                readers[inputs[0]] = counts[place]
                continue
            layer = layer if isinstance(layer, Affine) else _standing_alone(layer, kept, inputs[0])
        kept.append(Node(node.name, layer, inputs, counts=layer is node.layer))
        moved[place] = len(kept)
        readers[len(kept)] = counts[place]
    return tuple(kept)


def of_images(nodes: Sequence[Node], position: int) -> bool:
    """Whether what lies at a position are the images, or their values one by one."""
    if position == IMAGES:
        return True
    node = nodes[position - 1]
    return isinstance(node.layer, (Affine, *VIEWS)) and of_images(nodes, node.inputs[0])


def _without_ignored(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    kept: list[Node] = []
    moved = {IMAGES: IMAGES}
    for place, node in enumerate(nodes, start=1):
        inputs = tuple(moved[position] for position in node.inputs)
        if type(node.layer) in IGNORED:
            moved[place] = inputs[0]
            continue
        kept.append(replace(node, inputs=inputs))
        moved[place] = len(kept)
    return tuple(kept)


_Pair = tuple[Tensor, Tensor]


def _foldable(
    kept: Sequence[Node], readers: dict[int, int], position: int, norm: nn.Module
) -> list[tuple[int, _Pair]]:
    """The layers that a norm can be folded into, with s and t of each; none if it cannot."""
    if position == IMAGES or readers[position] != 1:
        return []
    node = kept[position - 1]
    if type(node.layer) in WEIGHTED:
        pair = _by_channel(node.layer, norm)
        return [] if pair is None else [(position, pair)]
    if isinstance(norm, Affine):
        return []  # a constant of the forward stays where it is
    return _through(kept, readers, position, _affine(norm))


def _through(
    kept: Sequence[Node], readers: dict[int, int], position: int, pair: _Pair
) -> list[tuple[int, _Pair]]:
    """Likewise, back through layers that s and t may come before as well as behind."""
    if position == IMAGES or readers[position] != 1:
        return []
    node = kept[position - 1]
    match node.layer:
        case nn.Conv2d() as layer:
            return [(position, pair)] if layer.out_channels == len(pair[0]) else []
        case _ if _commutes(node.layer, pair[0]):
            return _through(kept, readers, node.inputs[0], pair)
        case Joined(dim=1, new=False):
            widths = [_width(kept, before) for before in node.inputs]
            if sum(widths) != len(pair[0]) or 0 in widths:
                return []
            parts = zip(*(torch.split(values, widths) for values in pair), strict=True)
            found = [
                _through(kept, readers, before, part)
                for before, part in zip(node.inputs, parts, strict=True)
            ]
            # All or none; a layer that is there twice would be scaled twice.
            places = [place for one in found for place, _ in one]
            whole = all(found) and len(set(places)) == len(places)
            return [one for branch in found for one in branch] if whole else []
        case _:
            return []


def _commutes(layer: nn.Module, scale: Tensor) -> bool:
    """Whether a layer gives the same behind s x + t as before it; the zeros of a border do not."""
    match layer:
        case nn.MaxPool2d():
            return bool((scale > 0).all())
        case nn.AvgPool2d():
            zeros = layer.count_include_pad and layer.padding not in (0, (0, 0))
            return not zeros and layer.divisor_override is None
        case nn.AdaptiveAvgPool2d():
            return True
        case _:
            return False


def _width(kept: Sequence[Node], position: int) -> int:
    """How many channels a branch has; 0 where it does not end in a convolution and pooling."""
    while position != IMAGES:
        node = kept[position - 1]
        if isinstance(node.layer, nn.Conv2d):
            return node.layer.out_channels
        if not isinstance(node.layer, nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            return 0
        position = node.inputs[0]
    return 0


def _by_channel(layer: nn.Module, after: nn.Module) -> _Pair | None:
    """The s and t of each channel behind a layer with weights; None if there are more of them."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - WEIGHTED
    if not isinstance(after, Affine):
        if isinstance(layer, nn.Linear) and not isinstance(after, nn.BatchNorm1d):
            return None  # channels, which are not the outputs of a dense layer
        return _affine(after)
    return after.by_channel(len(layer.weight), layer.weight.ndim)


def _folded(layer: nn.Module, scale: Tensor, shift: Tensor) -> nn.Module:
    """The layer with w s and (b s + t) for its weights and bias."""
    assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - WEIGHTED
    weight = layer.weight.detach()
    scale, shift = scale.to(weight), shift.to(weight)
    return with_parameters(
        layer,
        weight * scale.view(-1, *(1,) * (weight.ndim - 1)),
        shift if layer.bias is None else layer.bias.detach() * scale + shift,
    )


def _standing_alone(norm: nn.Module, before: Sequence[Node], position: int) -> nn.Module:
    """A batch norm as a layer with weights, or if it reads the images as their normalisation."""
    scale, shift = _affine(norm)
    channels = len(scale)
    if of_images(before, position):
        shape = (channels,) if isinstance(norm, nn.BatchNorm1d) else (channels, 1, 1)
        return Affine(scale.view(shape), shift.view(shape))
    if isinstance(norm, nn.BatchNorm1d):
        return with_parameters(
            nn.Linear(channels, channels, device="meta"), torch.diag(scale), shift
        )
    one = nn.Conv2d(channels, channels, 1, groups=channels, device="meta")
    return with_parameters(one, scale.view(-1, 1, 1, 1), shift)


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """The s and t of a batch norm in evaluation, as y = s x + t."""
    assert isinstance(norm, NORMALISING)  # noqa: S101 - NORMALISING
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None  # noqa: S101, PT018 - checked when read
    scale = (variance + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.detach()
    shift = -mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias.detach()
    return scale, shift
