"""What an explanation is: relevance, and the account of where the rest of it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Relevance:
    """Relevance of each pixel and colour channel for one target per image.

    Attributes:
        pixels: relevance, signed, as computed (never scaled); in units of the logit (or of what the
            target is).
        target: index of the class that was explained.
        logits: of all classes.
        layers: the layers that relevance went through, from the output to the input, as named in
            the state dict; those that pass it on untouched (ReLU, dropout, flatten) left out.
        sums: row 0 is relevance at the outputs, the logit f(x) for the usual target; row k + 1 the
            sum of all relevance there is once it has gone through `layers[k]`; the last row is the
            sum over the pixels. Equations 1 and 2 of the paper say that all rows are equal.
        bias: what the bias of `layers[k]` took.
        stabiliser: what its stabiliser ε took.
        flat: the share of each image that is of one colour, where a map can depend on rounding
            (`flat_parts.warning` says it in words).
        at: relevance at the outputs of the layers that were asked for, by name.
    """

    pixels: Float[Tensor, "batch channels height width"]
    target: Int[Tensor, "batch"]
    logits: Float[Tensor, "batch classes"]
    layers: tuple[str, ...]
    sums: Float[Tensor, "layers+1 batch"]
    bias: Float[Tensor, "layers batch"]
    stabiliser: Float[Tensor, "layers batch"]
    flat: Float[Tensor, "batch"]
    at: Mapping[str, Float[Tensor, "batch *unit"]] = field(default_factory=dict)

    @property
    def gap(self) -> Float[Tensor, "layers batch"]:
        """What each layer took: sum at its outputs less sum at its inputs; 0 is conservation."""
        return self.sums[:-1] - self.sums[1:]

    @property
    def lost(self) -> Float[Tensor, "layers batch"]:
        """What each layer took and neither bias nor stabiliser account for.

        Relevance of units without contributions (a denominator of 0, or of one sign only under
        alpha-beta), of rules that do not conserve, and rounding.
        """
        return self.gap - self.bias - self.stabiliser


def select(record: Relevance, k: int) -> Relevance:
    """The k-th map of a record."""
    rows = (record.sums, record.bias, record.stabiliser)
    sums, bias, stabiliser = (row[:, k : k + 1] for row in rows)
    return Relevance(
        record.pixels[k : k + 1],
        record.target[k : k + 1],
        record.logits[k : k + 1],
        record.layers,
        sums,
        bias,
        stabiliser,
        record.flat[k : k + 1],
        {name: values[k : k + 1] for name, values in record.at.items()},
    )


def join(records: Sequence[Relevance]) -> Relevance:
    """Records of single images as one of the batch."""
    first = records[0]
    return Relevance(
        torch.cat([r.pixels for r in records]),
        torch.cat([r.target for r in records]),
        torch.cat([r.logits for r in records]),
        first.layers,
        torch.cat([r.sums for r in records], dim=1),
        torch.cat([r.bias for r in records], dim=1),
        torch.cat([r.stabiliser for r in records], dim=1),
        torch.cat([r.flat for r in records]),
        {name: torch.cat([r.at[name] for r in records]) for name in first.at},
    )
