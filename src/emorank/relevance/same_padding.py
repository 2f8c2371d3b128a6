"""Relevance through what has a border that depends on the size of the maps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance.same_borders import SamePad, SamePool
from emorank.relevance.steps import Saved, Sent, Step
from emorank.relevance.weighted import Weighted


@dataclass(frozen=True)
class SamePadded:
    """A convolution whose zeros at the border depend on the size of the maps."""

    inner: Weighted
    padding: SamePad

    passes = False

    @property
    def name(self) -> str:
        """Of the convolution."""
        return self.inner.name

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pad and compute; keep also the shape of what came."""
        outputs, saved = self.inner.forward(self.padding(inputs[0]))
        return outputs, (inputs[0].to("meta"), *saved)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """By the rule, and cut the padding off."""
        came, *kept = saved
        sides = self.padding.sides(came.shape)
        inner = replace(self.inner, border=sides) if any(sides) else self.inner
        sent = inner.backward(relevance, tuple(kept))
        assert sent.to[0] is not None  # noqa: S101 - a convolution sends to its inputs
        return replace(sent, to=(F.pad(sent.to[0], tuple(-side for side in sides)),))


@dataclass(frozen=True)
class SamePooled:
    """A pooling whose border depends on the size of the maps.

    Attributes:
        name: of the layer.
        layer: gives the pooling for a size.
        step: of such a pooling.
    """

    name: str
    layer: SamePool
    step: Callable[[nn.MaxPool2d | nn.AvgPool2d], Step]

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pool."""
        return self.step(self.layer.at(inputs[0].shape)).forward(*inputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """As that pooling does."""
        return self.step(self.layer.at(saved[0].shape)).backward(relevance, saved)
