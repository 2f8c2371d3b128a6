"""A net built again from its graph, so that other libraries may hook it: see `TracedNet`."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from emorank.relevance.activations import not_in_place
from emorank.relevance.forwards.graph import Node
from emorank.relevance.layers import CLIPPING, Mean, View, clips_at
from emorank.relevance.steps import computing


class TracedNet(nn.Module):
    """What a graph computes, each step a module of its own and none in place.

    Weights are shared with the net that was read and need no gradient. Explainers that put hooks on
    modules (DeepLIFT) can so take nets that call one ReLU many times or write it as a function, and
    the caller's net is neither hooked nor changed.

    Args:
        nodes: from `graph.read`, batch norm folded (`folding.fold`).
    """

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        super().__init__()
        self.nodes = nodes
        self.steps = nn.ModuleList(_alone(node.layer) for node in nodes)
        self.last = {position: k for k, node in enumerate(nodes) for position in node.inputs}
        self.eval()

    # Not annotated as tensors: hooks hand on what they like.
    def forward(self, images: Any) -> Any:
        """Logits (batch, classes) of normalised images."""
        values = {0: images}
        for k, (node, step) in enumerate(zip(self.nodes, self.steps, strict=True)):
            inputs = [values[position] for position in node.inputs]
            with computing(node.name, inputs):
                values[k + 1] = step(*inputs)
            for position in set(node.inputs):
                if self.last[position] == k:
                    del values[position]
        return values[len(self.nodes)]

    def last_maps(self) -> nn.Module | None:
        """The step behind the last convolution (its ReLU, where there is one); None without any."""
        places = [k for k, node in enumerate(self.nodes) if isinstance(node.layer, nn.Conv2d)]
        if not places:
            return None
        place = places[-1]
        while place + 1 < len(self.nodes) and type(self.nodes[place + 1].layer) not in _AFTER:
            place += 1
        return self.steps[place]


_AFTER = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, Mean, nn.Flatten, View, nn.Linear)


class _Clip(nn.Module):
    """A clip as a sum of ReLUs, the only activations that the rules of DeepLIFT know of these.

    clip(a) = low + ReLU(a − low) − ReLU(a − high).
    """

    def __init__(self, low: float, high: float | None) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.above, self.beyond = nn.ReLU(), nn.ReLU()

    def forward(self, values: Any) -> Any:
        """Clip."""
        clipped = values if math.isinf(self.low) else self.above(values - self.low) + self.low
        if self.high is None or math.isinf(self.high):
            return clipped
        return clipped - self.beyond(values - self.high)


def _alone(layer: nn.Module) -> nn.Module:
    """A copy of a layer that shares its parameters' memory."""
    if isinstance(layer, nn.ReLU):
        return nn.ReLU()
    if isinstance(layer, CLIPPING):
        return _Clip(*clips_at(layer))
    shared: dict[int, Tensor] = {
        id(parameter): nn.Parameter(parameter.detach(), requires_grad=False)
        for parameter in layer.parameters()
    }
    with torch.no_grad():
        return copy.deepcopy(not_in_place(layer), shared)
