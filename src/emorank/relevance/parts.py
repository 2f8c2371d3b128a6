"""Parts of a layer's inputs side by side: several terms of a rule go through one operator."""

import torch
from torch import Tensor

from emorank.relevance.operators import Geometry
from emorank.relevance.rules import Part


class Parts:
    """The parts of one batch of inputs that a rule multiplies with; each is made once.

    Args:
        inputs: (batch, channels, height, width), or (batch, …, in) of a dense layer.
        geometry: of the convolution; None for a dense layer.
    """

    def __init__(self, inputs: Tensor, geometry: Geometry | None) -> None:
        self.inputs = inputs
        self.geometry = geometry
        self._made: dict[tuple[Part, ...], Tensor] = {(Part.WHOLE,): inputs}

    def side_by_side(self, kinds: tuple[Part, ...]) -> Tensor:
        """The parts one after another, within each group of channels."""
        if kinds not in self._made:
            self._made[kinds] = self._together(kinds)
        return self._made[kinds]

    def times(self, back: Tensor, kinds: tuple[Part, ...], ones: Tensor | None) -> Tensor:
        """What came back through the weights of each term times its part, added up.

        Args:
            back: of all terms side by side; is overwritten.
            kinds: the part of each term.
            ones: the part `ONE`; None if it is one everywhere.
        """
        if kinds == (Part.ONE,):
            return back if ones is None else back * ones
        if Part.ONE not in kinds:
            back.mul_(self.side_by_side(kinds))
            return back if len(kinds) == 1 else self._total(self._terms(back, len(kinds)))
        terms = self._terms(back, len(kinds))
        for term, kind in zip(terms, kinds, strict=True):
            if kind is not Part.ONE:
                term.mul_(self._split(self.side_by_side((kind,))))
            elif ones is not None:
                term.mul_(self._split(ones))
        return self._total(terms)

    def _together(self, kinds: tuple[Part, ...]) -> Tensor:
        if len(kinds) == 1:
            return _part(kinds[0], self.inputs)
        result = self._empty(len(self.inputs), len(kinds))
        source = self._split(self.inputs)
        for kind, place in zip(kinds, self._terms(result, len(kinds)), strict=True):
            _part(kind, source, out=place)
        return result

    def _total(self, terms: list[Tensor]) -> Tensor:
        result = self._empty(len(terms[0]), 1)
        first, *others = terms
        total = self._split(result)
        torch.add(first, others[0], out=total)
        for other in others[1:]:
            total.add_(other)
        return result

    def _empty(self, batch: int, terms: int) -> Tensor:
        """Memory for some terms side by side."""
        shape = list(self.inputs.shape)
        shape[0] = batch
        if self.geometry is None:
            shape[-1] *= terms
            return self.inputs.new_empty(shape)
        shape[1] *= terms
        return torch.empty(
            shape,
            dtype=self.inputs.dtype,
            device=self.inputs.device,
            memory_format=torch.channels_last if len(shape) == 4 else torch.contiguous_format,
        )

    def _terms(self, values: Tensor, count: int) -> list[Tensor]:
        """A view of each term of what lies side by side, shaped like `_split`."""
        if self.geometry is None:
            return list(values.chunk(count, dim=-1))
        groups = self.geometry.groups
        each = values.shape[1] // (groups * count)
        shape = (len(values), groups, count, each, *values.shape[2:])
        return list(values.view(shape).unbind(2))

    def _split(self, values: Tensor) -> Tensor:
        """The inputs or one term, the channels of a group apart from the others."""
        if self.geometry is None:
            return values
        groups = self.geometry.groups
        return values.view(len(values), groups, values.shape[1] // groups, *values.shape[2:])


def _part(kind: Part, inputs: Tensor, out: Tensor | None = None) -> Tensor:
    """A part of the inputs."""
    if kind is Part.POSITIVE:
        return torch.clamp(inputs, min=0, out=out)
    if kind is Part.NEGATIVE:
        return torch.clamp(inputs, max=0, out=out)
    return inputs if out is None else out.copy_(inputs)
