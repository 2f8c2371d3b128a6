"""The walk back through the steps of a net, and the account of what they keep."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from emorank.relevance.division import total
from emorank.relevance.steps import Saved, Step


@dataclass(frozen=True)
class PlacedStep:
    """A step in the net.

    Attributes:
        step: the layer made ready.
        inputs: positions of what goes in: `IMAGES`, or k + 1 for the outputs of step k.
        spent: positions that no later step reads.
    """

    step: Step
    inputs: tuple[int, ...]
    spent: tuple[int, ...]


def reached(steps: tuple[PlacedStep, ...]) -> frozenset[int]:
    """The positions that relevance at the outputs of the net can come to."""
    found = {len(steps)}
    for position in range(len(steps), 0, -1):
        placed = steps[position - 1]
        silent = getattr(placed.step, "silent", ())
        if position in found:
            found.update(p for k, p in enumerate(placed.inputs) if k not in silent)
    return frozenset(found)


@dataclass(frozen=True)
class Arrival:
    """Relevance that has come to a place in the net, and the account of the way.

    Attributes:
        relevance: there.
        running: its sum for each image, (batch,).
        rows: for each layer on the way the sum behind it, what its bias and what its stabiliser
            took, (batch,) each.
        at: relevance at the layers that were asked for.
    """

    relevance: Tensor
    running: Tensor
    rows: tuple[tuple[Tensor, Tensor, Tensor], ...]
    at: Mapping[str, Tensor]

    def account(self) -> Tensor:
        """The rows in one tensor, (layers, 3, batch)."""
        if not self.rows:
            return self.running.new_zeros(0, 3, len(self.running))
        numbers = [number for row in self.rows for number in row]
        return torch.cat(numbers).view(len(self.rows), 3, -1)

    def split(self, sizes: list[int]) -> list["Arrival"]:
        """The relevance of each chunk of images; the account stays here."""
        parts = torch.split(self.relevance, sizes), torch.split(self.running, sizes)
        return [replace(self, relevance=r, running=s) for r, s in zip(*parts, strict=True)]


@dataclass(frozen=True)
class Walk:
    """The way back through some of the steps."""

    steps: tuple[PlacedStep, ...]
    wanted: Mapping[int, list[str]]

    def back(
        self, relevance: Tensor, running: Tensor, saved: list[Saved], first: int, last: int
    ) -> Arrival:
        """From the outputs of step `last` to the inputs of step `first`. Empties `saved`."""
        pending = {last: (relevance, running)}
        rows: list[tuple[Tensor, Tensor, Tensor]] = []
        at: dict[str, Tensor] = {}
        nothing = torch.zeros_like(running)
        for position in range(last, first, -1):
            placed = self.steps[position - 1]
            if position not in pending:  # its outputs lead nowhere, or to gates that get none
                saved.pop()
                if not placed.step.passes:
                    rows.append((running, nothing, nothing))
                continue
            arrived, received = pending.pop(position)
            for name in self.wanted.get(position, ()):
                at[name] = arrived.clone()
            # The step alone holds what was saved, so it can let it go.
            sent = placed.step.backward(arrived, saved.pop())
            passes = placed.step.passes
            sizes = []
            for k, values in zip(placed.inputs, sent.to, strict=True):
                if values is None:
                    continue
                size = received if passes else total(values)
                sizes.append(size)
                before = pending.get(k)
                pending[k] = (values, size) if before is None else (
                    _added(before[0], values), before[1] + size
                )  # fmt: skip
            if len(pending) == 1:  # all there is lies at one place; no differences to round
                ((_, running),) = pending.values()
            elif not passes:
                running = sum(sizes, running - received)
            if not passes:
                bias = nothing if sent.bias is None else sent.bias
                taken = nothing if sent.stabiliser is None else sent.stabiliser
                rows.append((running, bias, taken))
        arrived, running = pending[first]
        if not first:  # the images; any other place is the last of another walk
            at |= dict.fromkeys(self.wanted.get(first, ()), arrived)
        return Arrival(arrived, running, tuple(rows), at)


def _added(spent: Tensor, other: Tensor) -> Tensor:
    """The sum; neither is needed again."""
    # An expanded view has several places in one.
    dense = spent.is_contiguous() or spent.is_contiguous(memory_format=torch.channels_last)
    return spent.add_(other) if dense else spent + other
