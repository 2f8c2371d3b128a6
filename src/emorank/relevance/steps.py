"""What every step of the walk is, forward and back; and the two steps that pass relevance on."""

from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

Saved = tuple[Tensor, ...]


@dataclass(frozen=True)
class Sent:
    """Relevance that a step sends back, and what it kept for itself.

    Attributes:
        to: relevance for each of its inputs, in their order.
        bias: what the bias took, (batch,); None for nothing.
        stabiliser: what the stabiliser took, likewise.
    """

    to: tuple[Tensor, ...]
    bias: Tensor | None = None
    stabiliser: Tensor | None = None


class Step(Protocol):
    """A layer of the net made ready.

    In the batch of the relevance there may be several maps of one image: what was saved then has a
    batch of one and is broadcast.
    """

    @property
    def name(self) -> str:
        """Of the layer, as in the state dict."""
        ...

    @property
    def passes(self) -> bool:
        """Whether relevance goes through unchanged but for its shape."""
        ...

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Compute the outputs; keep what the way back needs."""
        ...

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Send relevance from the outputs to the inputs; both tensors given may be overwritten."""
        ...


@dataclass(frozen=True)
class Flatten:
    """Relevance takes the shape of the inputs again."""

    name: str

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Flatten, channel by channel; keep the inputs for their shape."""
        return inputs[0].flatten(1), inputs

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Unflatten."""
        return Sent((relevance.reshape(len(relevance), *saved[0].shape[1:]),))


@dataclass(frozen=True)
class ZeroPadding:
    """Zeros around the inputs, which are cut off again on the way back.

    Attributes:
        name: of the layer.
        padding: before and after each dimension, from the last on, as `F.pad` takes it.
    """

    name: str
    padding: tuple[int, ...]

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pad with zeros."""
        return F.pad(inputs[0], self.padding), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Cut the padding off."""
        return Sent((F.pad(relevance, tuple(-side for side in self.padding)),))


@dataclass(frozen=True)
class Rectifier:
    """A ReLU that does not follow a layer with weights: relevance passes as it is."""

    name: str

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Rectify, never in place: the layer before keeps its outputs."""
        return inputs[0].clamp(min=0), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Pass."""
        return Sent((relevance,))
