"""Relevance through products of two branches: a signal and its gate (squeeze-and-excitation)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.activations import SQUASHING
from emorank.relevance.forwards.graph import IMAGES, Node
from emorank.relevance.forwards.measured import Length, Quotient
from emorank.relevance.layers import (
    ENLARGING,
    VIEWS,
    Affine,
    Expanded,
    Mean,
    Product,
    clips_at,
)
from emorank.relevance.presets import Products
from emorank.relevance.steps import Saved, Sent
from emorank.relevance.walk import PlacedStep, reached


@dataclass(frozen=True)
class Gated:
    """A product of two branches, or a quotient.

    Attributes:
        name: of the product.
        layer: computes it.
        signal: the place of the branch that takes all; None if each takes half.
    """

    name: str
    layer: Product | Quotient
    signal: int | None

    passes = False

    @property
    def silent(self) -> tuple[int, ...]:
        """The places of the inputs that never get relevance."""
        return () if self.signal is None else (1 - self.signal,)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Multiply; keep the branches for their shapes."""
        first, second = inputs
        shapes = list(zip(first.shape[1:], second.shape[1:], strict=False))
        fits = first.ndim == second.ndim and all(a == b or 1 in (a, b) for a, b in shapes)
        if not fits or len(first) != len(second):
            raise RelevanceError(
                f"expected two branches of one shape, or with a dimension of 1, at the product "
                f"'{self.name}', got {tuple(first.shape)} and {tuple(second.shape)}"
            )
        return self.layer(first, second), tuple(branch.to("meta") for branch in inputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """All to the signal, or half to each."""
        if self.signal is None:
            return Sent(tuple(gathered(relevance / 2, branch) for branch in saved))
        all_of_it = gathered(relevance, saved[self.signal])
        return Sent((all_of_it, None) if self.signal == 0 else (None, all_of_it))


@dataclass(frozen=True)
class Repeated:
    """`expand_as`: a value gets back what lies at all its copies."""

    name: str

    passes = False
    silent = (1,)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Repeat; keep the values for their shape."""
        values, like = inputs
        return values.expand_as(like), (values.to("meta"),)

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Add up."""
        return Sent((gathered(relevance, saved[0]), None))


@dataclass(frozen=True)
class GateOnly:
    """A length, which no relevance comes to: it leads only to gates that get none."""

    name: str
    layer: Length

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Compute."""
        return self.layer(inputs[0]), ()

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Nothing ever comes here (`check_gates`)."""
        raise NotImplementedError


def check_gates(steps: tuple[PlacedStep, ...]) -> None:
    """Refuse a length that relevance would come to.

    Raises:
        RelevanceError: its outputs lead elsewhere than to the gates of products.
    """
    for position in sorted(reached(steps)):
        step = steps[position - 1].step if position else None
        if isinstance(step, GateOnly):
            raise RelevanceError(
                f"no rule for the length '{step.name}', but where it divides or scales values"
            )


def gathered(relevance: Tensor, branch: Tensor) -> Tensor:
    """Relevance at values that were repeated to fit, added up for each value."""
    return relevance.sum_to_size(len(relevance), *branch.shape[1:])


def signal_of(nodes: Sequence[Node], node: Node, products: Products) -> int | None:
    """The factor of a matrix product that takes all; None if each takes half.

    As attention weights the values: the factor that does not end in a gate.
    """
    if products == "even":
        return None
    first, second = (_gate_like(nodes, position) for position in node.inputs)
    return None if first == second else 0 if first < second else 1


def gated(nodes: Sequence[Node], node: Node, products: Products) -> Gated:
    """The step of a product; its gate is the branch that ends in a sigmoid or its like.

    Raises:
        RelevanceError: the signal is to take all, and either branch may be it.
    """
    layer = node.layer
    assert isinstance(layer, Product | Quotient)  # noqa: S101 - of these are its nodes
    if isinstance(layer, Quotient):
        return Gated(node.name, layer, 0)
    first, second = (_gate_like(nodes, position) for position in node.inputs)
    if products == "even" and _MEASURE not in (first, second):
        return Gated(node.name, layer, None)
    if first == second:
        raise RelevanceError(
            f"no rule for the product '{node.name}': the signal takes all, and "
            f"{'both branches end' if first else 'neither branch ends'} in a gate (sigmoid, "
            "hard sigmoid, softmax, a clip at both sides, tanh, or a mean or sum with keepdim); "
            'share it evenly: override_preset(…, products="even"), in the shell --products even'
        )
    return Gated(node.name, layer, 0 if first < second else 1)


_MEASURE = 4


def _gate_like(nodes: Sequence[Node], position: int) -> int:
    """How much like a gate a branch ends: in a sigmoid, softmax 3; in a clip 2; else 0.

    A clip that is scaled, or shifted before, is a hard sigmoid written out (`relu6(x + 3) / 6`).
    In tanh, or in one value for all channels or places (`x.sum(1, keepdim=True)`), 1. Lengths of
    vectors of values are a measure (4), which never gets relevance.
    """
    scaled = False
    while position != IMAGES:
        node = nodes[position - 1]
        match node.layer:
            case _ if isinstance(node.layer, (*SQUASHING, nn.Softmax)):
                return 3
            case nn.Hardtanh():  # ReLU6 is one
                low, high = clips_at(node.layer)
                if high is None or math.isinf(low) or math.isinf(high):
                    return 0
                before = nodes[node.inputs[0] - 1].layer if node.inputs[0] != IMAGES else None
                return 3 if scaled or isinstance(before, Affine) else 2
            case nn.Tanh() | Mean(keepdim=True):
                return 1
            case Length():
                return _MEASURE
            case Affine():
                scaled, position = True, node.inputs[0]
            case _ if isinstance(node.layer, (Expanded, Quotient, *VIEWS, *ENLARGING)):
                position = node.inputs[0]
            case _:
                return 0
    return 0
