"""The walk back, from the outputs to the pixels: layer by layer, by hand, without autograd.

One pass forward keeps the activations; one pass back turns relevance at the outputs of each layer
into relevance at its inputs. On a CPU the layers with images in them are gone through a few images
at a time, so that what one layer writes is still in the cache when the next one reads it, and the
dense ones with the whole batch, so that their many weights are read once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from emorank.errors import RelevanceError
from emorank.relevance.division import total
from emorank.relevance.record import Relevance
from emorank.relevance.steps import Saved, Step
from emorank.relevance.targets import Target, start

# What the activations of one layer may take while images share the way, in bytes: beyond it they
# leave the cache, and twice as far out fresh memory is mapped for each of them.
CHUNK = 16 * 2**20


@dataclass(frozen=True)
class Placed:
    """A step in the net.

    Attributes:
        step: the layer made ready.
        inputs: positions of what goes in: `IMAGES`, or k + 1 for the outputs of step k.
        spent: positions that no later step reads.
    """

    step: Step
    inputs: tuple[int, ...]
    spent: tuple[int, ...]


@dataclass(frozen=True)
class Explainer:
    """A net and a preset made ready, to be used for any number of batches, by any threads.

    The net's weights as they were: prepare again after training.

    Attributes:
        steps: in the order of computation.
        trunk: how many steps come before the first dense layer.
        weight: of the first layer, for its type and device.
        low, high: pixel bounds (1, channels, 1, 1) where the z-box rule has them.
        names: the position of the outputs of each layer that may be asked for.
        deterministic: only algorithms that give the same bits every time (CUDA has others).
    """

    steps: tuple[Placed, ...]
    trunk: int
    weight: Tensor
    low: Tensor | None
    high: Tensor | None
    names: Mapping[str, int]
    deterministic: bool = False

    @property
    def layers(self) -> tuple[str, ...]:
        """As `Relevance.layers`, known before any image."""
        return tuple(p.step.name for p in reversed(self.steps) if not p.step.passes)

    def __call__(
        self,
        images: Float[Tensor, "batch channels height width"],
        target: Target = None,
        *,
        at: Sequence[str] = (),
    ) -> Relevance:
        """Explain a batch; see `relevance`."""
        with torch.no_grad(), _bits(self.deterministic):
            images = self._checked(images)
            wanted = self._wanted(at)
            logits, chunks, saved = self._forward(images)
            chosen, begin = start(target, logits)
            walk = _Walk(self.steps, wanted)
            head = walk.back(begin, total(begin), saved, self.trunk, len(self.steps))
            parts = head.split([size for size, _ in chunks])
            found = [
                walk.back(part.relevance, part.running, kept, 0, self.trunk)
                for part, (_, kept) in zip(parts, chunks, strict=True)
            ]
            return _record(self.layers, logits, chosen, begin, head, found)

    def each(
        self,
        images: Float[Tensor, "batch channels height width"],
        of: Sequence[int] | None = None,
        *,
        at: Sequence[str] = (),
    ) -> tuple[Relevance, ...]:
        """Explain several logits of each image, a record for each class.

        The forward pass and the modified ones are shared; only the way back is gone once a class.

        Args:
            images: as for `relevance`.
            of: class indices; None for all.
            at: names of layers, as for `relevance`.
        """
        with torch.no_grad(), _bits(self.deterministic):
            images = self._checked(images)
            wanted = self._wanted(at)
            by_image = [self._each(images[k : k + 1], of, wanted) for k in range(len(images))]
        return tuple(map(_joined, zip(*by_image, strict=True)))

    def stream(
        self,
        images: Iterable[Float[Tensor, "channels height width"]],
        target: Target = None,
        *,
        batch: int = 8,
        at: Sequence[str] = (),
    ) -> Iterator[Relevance]:
        """Explain any number of images, a batch at a time: memory does not grow with their number.

        Args:
            images: one after another, on any device, each normalised; read as they are needed.
            target: for all of them, as for `relevance`; no list of indices, whose length would have
                to be known.
            batch: images in each record; the last may have fewer.
            at: names of layers, as for `relevance`.
        """
        if batch < 1:
            raise RelevanceError(f"expected batches of at least one image, got batch={batch}")
        ahead: Tensor | None = None
        for tensors in _batches(images, batch):
            # The next batch is on its way to the device while this one is explained.
            following = self._sent_ahead(tensors)
            if ahead is not None:
                yield self(ahead, target, at=at)
            ahead = following
        if ahead is not None:
            yield self(ahead, target, at=at)

    def _sent_ahead(self, tensors: list[Tensor]) -> Tensor:
        stacked = torch.stack(tensors)
        if self.weight.device.type != "cuda" or stacked.is_cuda:
            return stacked.to(self.weight.device)
        return stacked.pin_memory().to(self.weight.device, non_blocking=True)

    def _each(
        self, image: Tensor, of: Sequence[int] | None, wanted: Mapping[int, list[str]]
    ) -> list[Relevance]:
        """One image with the batch of its maps in the place of a batch of images."""
        logits, chunks, saved = self._forward(image)
        count = logits.shape[1]
        rows = logits.expand(count if of is None else len(of), count)
        chosen, begin = start(torch.arange(count) if of is None else of, rows)
        walk = _Walk(self.steps, wanted)
        head = walk.back(begin, total(begin), saved, self.trunk, len(self.steps))
        kept = chunks[0][1] if chunks else []
        body = walk.back(head.relevance, head.running, kept, 0, self.trunk)
        record = _record(self.layers, rows, chosen, begin, head, [body])
        return [_only(record, k) for k in range(len(rows))]

    def _forward(self, images: Tensor) -> tuple[Tensor, list[tuple[int, list[Saved]]], list[Saved]]:
        """The logits; each chunk's size and what the trunk keeps of it; what the head keeps."""
        chunks: list[tuple[int, list[Saved]]] = []
        outputs = []
        left = images
        size = len(images) if images.device.type != "cpu" else 1
        while len(left) or not chunks:
            some, left = left[:size], left[size:]
            values, saved, largest = self._run(some, 0, self.trunk)
            chunks.append((len(some), saved))
            outputs.append(values)
            # The first image tells how many may go together.
            size = max(1, CHUNK * len(some) // largest) if largest else len(images)
        logits, saved, _ = self._run(torch.cat(outputs), self.trunk, len(self.steps))
        if logits.ndim != 2:
            raise RelevanceError(
                f"expected logits of shape (batch, classes) from the last layer "
                f"'{self.steps[-1].step.name}', got {tuple(logits.shape)}; "
                "end the net with its classifier"
            )
        if not bool(torch.isfinite(logits).all()):
            raise RelevanceError(
                f"expected finite logits, got NaN or infinity ({logits.dtype}); look for it in the "
                "images and the weights, or explain in a wider type"
            )
        return logits, chunks, saved

    def _run(self, given: Tensor, first: int, last: int) -> tuple[Tensor, list[Saved], int]:
        """Steps first to last; their outputs, what they keep, the bytes of the largest output."""
        values = {first: given}
        kept: list[Saved] = []
        largest = 0
        for position, placed in enumerate(self.steps[first:last], start=first + 1):
            inputs = [values[k] for k in placed.inputs]
            try:
                outputs, saved = placed.step.forward(*inputs)
            except RuntimeError as error:
                shapes = ", ".join(str(tuple(value.shape)) for value in inputs)
                raise RelevanceError(
                    f"layer '{placed.step.name}' cannot take inputs of shape {shapes}; "
                    f"give images of the size the net was made for ({error})"
                ) from error
            values[position] = outputs
            kept.append(saved)
            largest = max(largest, outputs.numel() * outputs.element_size())
            for spent in placed.spent:
                values.pop(spent, None)
        return values[last], kept, largest

    def _wanted(self, at: Sequence[str]) -> dict[int, list[str]]:
        """The layers whose relevance is asked for, by position."""
        wanted: dict[int, list[str]] = {}
        for name in [at] if isinstance(at, str) else at:
            if name not in self.names:
                raise RelevanceError(
                    f"'{name}' is no layer of the net; expected one of {', '.join(self.names)}"
                )
            wanted.setdefault(self.names[name], []).append(name)
        return wanted

    def _checked(self, images: Tensor) -> Tensor:
        """The images in the net's type and layout."""
        if images.ndim != 4 or not images.is_floating_point():
            raise RelevanceError(
                "expected normalised images of shape (batch, channels, height, width) and a "
                f"floating type, got {tuple(images.shape)} of {images.dtype}"
            )
        if images.device != self.weight.device:
            raise RelevanceError(
                f"expected images on {self.weight.device} where the net is, got {images.device}; "
                "move them with images.to(…)"
            )
        if not bool(torch.isfinite(images).all()):
            raise RelevanceError("expected finite pixels, got NaN or infinity among the images")
        if self.low is not None and self.high is not None:
            slack = 1e-3 * (self.high - self.low)
            if bool(((images < self.low - slack) | (images > self.high + slack)).any()):
                raise RelevanceError(
                    f"expected pixels between the bounds low and high of the z-box rule, got "
                    f"{float(images.min()):.3g} to {float(images.max()):.3g}; normalise the images "
                    "as the bounds"
                )
        return images.detach().to(self.weight.dtype, memory_format=torch.channels_last)


@dataclass(frozen=True)
class _Part:
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

    def split(self, sizes: list[int]) -> list["_Part"]:
        """The relevance of each chunk of images; the account stays here."""
        parts = torch.split(self.relevance, sizes), torch.split(self.running, sizes)
        return [replace(self, relevance=r, running=s) for r, s in zip(*parts, strict=True)]


@dataclass(frozen=True)
class _Walk:
    """The way back through some of the steps."""

    steps: tuple[Placed, ...]
    wanted: Mapping[int, list[str]]

    def back(
        self, relevance: Tensor, running: Tensor, saved: list[Saved], first: int, last: int
    ) -> _Part:
        """From the outputs of step `last` to the inputs of step `first`. Empties `saved`."""
        pending = {last: (relevance, running)}
        rows: list[tuple[Tensor, Tensor, Tensor]] = []
        at: dict[str, Tensor] = {}
        for position in range(last, first, -1):
            placed, kept = self.steps[position - 1], saved.pop()
            if position not in pending:  # its outputs lead nowhere
                continue
            arrived, received = pending.pop(position)
            for name in self.wanted.get(position, ()):
                at[name] = arrived.clone()
            sent = placed.step.backward(arrived, kept)
            given = running.new_zeros(()) if not placed.step.passes else received
            for k, values in zip(placed.inputs, sent.to, strict=True):
                size = received if placed.step.passes else total(values)
                if not placed.step.passes:
                    given = given + size
                before = pending.get(k)
                pending[k] = (values, size) if before is None else (
                    before[0] + values, before[1] + size
                )  # fmt: skip
            running = given if len(pending) == 1 else running - received + given
            if not placed.step.passes:
                nothing = torch.zeros_like(running)
                bias = nothing if sent.bias is None else sent.bias
                taken = nothing if sent.stabiliser is None else sent.stabiliser
                rows.append((running, bias, taken))
        arrived, running = pending[first]
        return _Part(arrived, running, tuple(rows), at)


def _record(
    layers: tuple[str, ...],
    logits: Tensor,
    chosen: Tensor,
    begin: Tensor,
    head: _Part,
    chunks: list[_Part],
) -> Relevance:
    """The record of a batch from the account of the head and of each chunk of the trunk."""
    pixels = torch.cat([part.relevance for part in chunks]).contiguous()

    def column(k: int, *before: Tensor) -> Tensor:
        by_layer = zip(*(part.rows for part in chunks), strict=True)
        trunk = [torch.cat([row[k] for row in rows]) for rows in by_layer]
        found = [*before, *(row[k] for row in head.rows), *trunk]
        return torch.stack(found) if found else begin.new_zeros(0, len(begin))

    sums = column(0, total(begin))
    if not bool(torch.isfinite(sums).all()):
        raise RelevanceError(
            f"expected finite relevance, got an overflow of {pixels.dtype} on the way back "
            "(very large activations cancel); explain in a wider type: "
            "net.double(), images.double()"
        )
    at = dict(head.at)
    for name in chunks[0].at:
        at[name] = torch.cat([part.at[name] for part in chunks]).contiguous()
    return Relevance(pixels, chosen, logits, layers, sums, column(1), column(2), at)


def _only(record: Relevance, k: int) -> Relevance:
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
        {name: values[k : k + 1] for name, values in record.at.items()},
    )


def _joined(records: Sequence[Relevance]) -> Relevance:
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
        {name: torch.cat([r.at[name] for r in records]) for name in first.at},
    )


def _batches(images: Iterable[Tensor], batch: int) -> Iterator[list[Tensor]]:
    some: list[Tensor] = []
    for image in images:
        if image.ndim != 3:
            raise RelevanceError(
                "expected single images of shape (channels, height, width) to stream over, got "
                f"{tuple(image.shape)}"
            )
        some.append(image)
        if len(some) == batch:
            yield some
            some = []
    if some:
        yield some


@contextmanager
def _bits(deterministic: bool) -> Iterator[None]:
    """The same bits every time, if asked for; torch refuses what it has no such algorithm for."""
    if not deterministic:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
