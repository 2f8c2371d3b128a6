"""What every step of the walk is, forward and back; and the steps that pass relevance on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.layers import among_zeros, without_zeros

Saved = tuple[Tensor, ...]


class computing:
    """Say of which layer and inputs it is when torch refuses to compute."""

    def __init__(self, layer: str, inputs: Sequence[Any]) -> None:
        self.layer, self.inputs = layer, inputs

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, RuntimeError) or isinstance(error, torch.OutOfMemoryError):
            return
        shapes = ", ".join(str(tuple(value.shape)) for value in self.inputs)
        raise RelevanceError(
            f"layer '{self.layer}' cannot take inputs of shape {shapes}; give images of the size "
            f"the net was made for ({error})"
        ) from error


@dataclass(frozen=True)
class Sent:
    """Relevance that a step sends back, and what it kept for itself.

    Attributes:
        to: relevance for each of its inputs, in their order; None for an input that gets none.
        bias: what the bias took, (batch,); None for nothing.
        stabiliser: what the stabiliser took, likewise.
    """

    to: tuple[Tensor | None, ...]
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
class Rearrangement:
    """Relevance goes back to the values that were rearranged or picked out; others get none.

    Attributes:
        name: of the layer.
        layer: gives a view of the values of a batch.
    """

    name: str
    layer: nn.Module

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Rearrange; keep the inputs for their shapes."""
        outputs: Tensor = self.layer(*inputs)
        if not outputs.ndim or len(outputs) != len(inputs[0]):
            raise RelevanceError(
                f"'{self.name}' makes {tuple(outputs.shape)} of {tuple(inputs[0].shape)}, which "
                "does not keep the images of the batch apart; flatten with torch.flatten(x, 1)"
            )
        return outputs, tuple(values.to("meta") for values in inputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Put everything back into its place."""
        values, *others = saved
        given = relevance.new_zeros(len(relevance), *values.shape[1:])
        self.layer(given, *others).copy_(relevance)
        return Sent((given, *(None for _ in others)))


@dataclass(frozen=True)
class ZeroPadding:
    """Zeros around the inputs, or between them, which are cut out again on the way back.

    Attributes:
        name: of the layer.
        padding: before and after each dimension, from the last on, as `F.pad` takes it.
        gaps: how far apart rows and columns are then.
    """

    name: str
    padding: tuple[int, ...]
    gaps: tuple[int, int] = (1, 1)

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Pad with zeros."""
        return among_zeros(inputs[0], self.padding, self.gaps), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Cut the zeros out."""
        return Sent((without_zeros(relevance, self.padding, self.gaps),))


@dataclass(frozen=True)
class Clip:
    """An activation that passes relevance as it is.

    A ReLU that does not follow a layer with weights, or one that has an upper limit too (ReLU6,
    Hardtanh).

    Attributes:
        name: of the layer.
        low, high: the least and the greatest value that it lets through; None for no limit.
    """

    name: str
    low: float
    high: float | None

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Clip, never in place: the layer before keeps its outputs."""
        return inputs[0].clamp(self.low, self.high), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Pass."""
        return Sent((relevance,))


@dataclass(frozen=True)
class OneByOne:
    """What computes each value by itself: relevance passes as it is.

    An activation, a scale, or the normalisation of the images.
    """

    name: str
    layer: nn.Module

    passes = True

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Scale and shift."""
        outputs: Tensor = self.layer(*inputs)
        return outputs, ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Pass."""
        return Sent((relevance,))
