"""Nets as they compute in evaluation: batch norm joins the layer before it, dropout is left out.

A batch norm in evaluation is y = s x + t per channel. Behind a convolution or dense layer that only
it reads, it is folded into that layer's weights, which changes no output (Guillemot et al. 2020;
Hui and Binder 2019 discuss what it does to relevance). Anywhere else it becomes a layer with
weights of its own: a convolution of 1×1 in as many groups as there are channels, which counts as
none among the convolutions. On the images, flattened or not, it is their normalisation.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from emorank.relevance.forwards.graph import IMAGES, Node
from emorank.relevance.layers import IGNORED, NORMALISING, VIEWS, WEIGHTED, Affine, with_parameters


def fold(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Fold batch norms, leave out dropout and identities; the given layers are not changed.

    A folded layer keeps the name of the convolution or dense layer.
    """
    kept: list[Node] = []
    moved = {IMAGES: IMAGES}  # from positions before to positions after
    nodes = _without_ignored(nodes)
    readers = Counter(position for node in nodes for position in node.inputs)
    for place, node in enumerate(nodes, start=1):
        inputs = tuple(moved[position] for position in node.inputs)
        layer = node.layer
        if type(layer) in (*NORMALISING, Affine):
            before = kept[inputs[0] - 1] if inputs[0] != IMAGES else None
            if before and type(before.layer) in WEIGHTED and readers[node.inputs[0]] == 1:
                pair = _by_channel(before.layer, layer)
                if pair is not None:
                    kept[inputs[0] - 1] = replace(before, layer=_folded(before.layer, *pair))
                    moved[place] = inputs[0]
                    continue
            layer = layer if isinstance(layer, Affine) else _standing_alone(layer, kept, inputs[0])
        kept.append(Node(node.name, layer, inputs, counts=layer is node.layer))
        moved[place] = len(kept)
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


def _by_channel(layer: nn.Module, after: nn.Module) -> tuple[Tensor, Tensor] | None:
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
