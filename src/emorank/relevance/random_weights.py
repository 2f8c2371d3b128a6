"""Nets with random weights: a faithful explanation changes with them (Adebayo et al. 2018)."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance.forwards.graph import read
from emorank.relevance.layers import WEIGHTED, computed_weights

GROUPS = 3  # of convolutions
# Modules whose weights a graph has; it takes the last two for convolutions of maps.
_DRAWN = (*WEIGHTED, nn.Conv1d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class LayerGroup:
    """Some layers whose weights are drawn anew.

    Attributes:
        name: "dense", or the first and the last of the layers.
        layers: their names, from the output to the input.
    """

    name: str
    layers: tuple[str, ...]


def layer_groups(net: nn.Module) -> tuple[LayerGroup, ...]:
    """The layers with weights from the output to the input, in groups.

    The dense ones are the first group; the convolutions make up to three of about one size.

    Raises:
        RelevanceError: the net cannot be read as a graph.
    """
    weighted = [node for node in reversed(read(net)) if type(node.layer) in WEIGHTED]
    dense = tuple(node.name for node in weighted if isinstance(node.layer, nn.Linear))
    rest = [node.name for node in weighted if not isinstance(node.layer, nn.Linear)]
    size = -(-len(rest) // GROUPS) or 1
    groups = [tuple(rest[k : k + size]) for k in range(0, len(rest), size)]
    first = [LayerGroup("dense", dense)] if dense else []
    return (*first, *(LayerGroup(_name(group), group) for group in groups))


def renewed_networks(net: nn.Module, seed: int) -> dict[tuple[str, str], nn.Module]:
    """The net with new weights, by ("cascading" or "independent", name of the group of layers).

    A cascading net has new weights from the output down to the group; an independent one in the
    group alone. The first group has no independent net: it would be the first cascading one.

    Args:
        net: as `graph.read` reads it.
        seed: of the weights of the first group; each further group has the next number.
    """
    nets: dict[tuple[str, str], nn.Module] = {}
    above = net
    for k, group in enumerate(layer_groups(net)):

        def renew(some: nn.Module, group: LayerGroup = group, k: int = k) -> nn.Module:
            return randomise(some, group.layers, torch.Generator().manual_seed(seed + k))

        above = renew(above)
        nets["cascading", group.name] = above
        if k:
            nets["independent", group.name] = renew(net)
    return nets


def randomise(net: nn.Module, layers: Sequence[str], generator: torch.Generator) -> nn.Module:
    """A copy of a net with new weights in some layers: normal by He et al. 2015, biases zero.

    Activations keep their size, so that only what was learnt is lost. All other weights are shared
    with the net, which is not changed.

    Args:
        net: as `graph.read` reads it.
        layers: their names.
        generator: draws the weights, on the CPU.

    Raises:
        RelevanceError: there is no such layer with weights.
    """
    modules = dict(net.named_modules())
    missing = [name for name in layers if not isinstance(modules.get(name), _DRAWN)]
    if missing:
        raise RelevanceError(f"'{missing[0]}' is no layer with weights")
    computed = [name for name in layers if computed_weights(modules[name])]
    if computed:
        raise RelevanceError(
            f"'{computed[0]}' computes its weights (pruning, weight norm, spectral norm) and would "
            "compute them again; make them its own with the function that removes this"
        )
    drawn = {id(p) for name in layers for p in modules[name].parameters()}
    shared = {id(p): p for p in net.parameters() if id(p) not in drawn}
    other = copy.deepcopy(net, dict(shared))
    modules = dict(other.named_modules())
    with torch.no_grad():
        for name in layers:
            layer = modules[name]
            assert isinstance(  # noqa: S101 - _DRAWN
                layer, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d | nn.Linear
            )
            outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
            deviation = math.sqrt(2 * outputs / layer.weight.numel())
            fresh = torch.empty(layer.weight.shape).normal_(0, deviation, generator=generator)
            layer.weight.copy_(fresh)
            if layer.bias is not None:
                layer.bias.zero_()
    return other


def _name(group: tuple[str, ...]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} – {group[-1]}"
