"""An explainer at work: a batch forward and back, every class of it, any number of images.

One pass forward saves the activations; one pass back turns relevance at the outputs of each layer
into relevance at its inputs, by hand and without autograd. On a CPU the convolutions take a few
images at a time, so that the output of one layer is still in the cache when the next layer reads
it; the dense layers take the whole batch, so that their many weights are read once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from emorank.errors import RelevanceError
from emorank.networks.devices import sent
from emorank.relevance.division import total
from emorank.relevance.flat_parts import flat_share
from emorank.relevance.own_net import OwnNet
from emorank.relevance.record import Relevance, join, select
from emorank.relevance.steps import Saved, computing
from emorank.relevance.targets import Target, start
from emorank.relevance.walk import Arrival, PlacedStep, Walk, reached
from emorank.relevance.weighted import Weighted

# The most bytes that the activations of one layer take when several images go together. With few
# images they stay in the cache; more images share the reading of the weights. From 32 MiB on the
# system's allocator maps new memory for every tensor (`allocator.py`).
CHUNK = 16 * 2**20
# How many maps of one image go back together: more take memory and save no time.
MAPS = 16

# The logits; of each chunk of images its size and what the trunk keeps; what the head keeps.
_Forward = tuple[Tensor, list[tuple[int, list[Saved]]], list[Saved]]


@dataclass(frozen=True)
class Explainer:
    """A net prepared for a preset, for any number of batches and threads.

    It is for the weights of the moment: a net that has changed is refused until prepared again.

    Attributes:
        own: the net, to be compared with the steps.
        steps: in the order of computation.
        trunk: how many steps come before the first dense layer.
        weight: of the first layer, for its type and device.
        low, high: pixel bounds (1, channels, 1, 1) where the z-box rule has them.
        names: of each layer, the position of its outputs.
        deterministic: only algorithms that give the same bits every time (CUDA has others).
    """

    own: OwnNet
    steps: tuple[PlacedStep, ...]
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
        with as_written(self.weight), _bits(self.deterministic):
            images = self._input(images)
            wanted = self._wanted(at)
            logits, chunks, saved = self._forward(images)
            chosen, begin = start(target, logits)
            walk = Walk(self.steps, wanted)
            head = walk.back(begin, total(begin), saved, self.trunk, len(self.steps))
            parts = head.split([size for size, _ in chunks])
            trunk = [
                walk.back(part.relevance, part.running, states, 0, self.trunk)
                for part, (_, states) in zip(parts, chunks, strict=True)
            ]
            return _record(self.layers, logits, chosen, begin, head, trunk, flat_share(images))

    def each(
        self,
        images: Float[Tensor, "batch channels height width"],
        of: Sequence[int] | None = None,
        *,
        at: Sequence[str] = (),
    ) -> tuple[Relevance, ...]:
        """Explain several logits of each image, a record for each class.

        All classes share the forward passes; each has a way back of its own.

        Args:
            images: as for `relevance`.
            of: class indices; None for all.
            at: names of layers, as for `relevance`.
        """
        with as_written(self.weight), _bits(self.deterministic):
            images = self._input(images)
            wanted = self._wanted(at)
            if not len(images):
                count = self._forward(images)[0].shape[1]
                return tuple(self(images, (), at=at) for _ in (range(count) if of is None else of))
            by_image = [self._each(image, of, wanted) for image in torch.split(images, 1)]
        return tuple(map(join, zip(*by_image, strict=True)))

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
        return sent(torch.stack(tensors), self.weight.device)

    def _each(
        self, image: Tensor, of: Sequence[int] | None, wanted: Mapping[int, list[str]]
    ) -> list[Relevance]:
        """One image with the batch of its maps in the place of a batch of images."""
        forward = self._forward(image)
        flat = flat_share(image)
        left = list(range(forward[0].shape[1]) if of is None else of)
        records = []
        while left:
            some, left = left[:MAPS], left[MAPS:]
            records += self._some(forward, some, wanted, flat)
            if left:  # the way back has used up the saved activations
                forward = self._forward(image)
        return records

    def _some(
        self, forward: _Forward, of: Sequence[int], wanted: Mapping[int, list[str]], flat: Tensor
    ) -> list[Relevance]:
        logits, chunks, saved = forward
        rows = logits.expand(len(of), -1)
        chosen, begin = start(of, rows)
        walk = Walk(self.steps, wanted)
        head = walk.back(begin, total(begin), saved, self.trunk, len(self.steps))
        states = chunks[0][1] if chunks else []
        body = walk.back(head.relevance, head.running, states, 0, self.trunk)
        record = _record(self.layers, rows, chosen, begin, head, [body], flat.expand(len(of)))
        return [select(record, k) for k in range(len(rows))]

    def _forward(self, images: Tensor) -> _Forward:
        """The way forward: the trunk some images at a time, the head with all."""
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
        check_logits(logits, self.steps[-1].step.name)
        self.own.compare(images, logits, self._unsigned_sums(saved))
        return logits, chunks, saved

    def _unsigned_sums(self, saved: list[Saved]) -> Tensor | None:
        """What the last layer adds up for each logit, without signs; None if it has no weights."""
        last = self.steps[-1].step
        if not isinstance(last, Weighted) or not saved or saved[-1][0].ndim != 2:
            return None
        return saved[-1][0][:1].abs() @ last.own.weight.abs().T

    def _run(self, inputs: Tensor, first: int, last: int) -> tuple[Tensor, list[Saved], int]:
        """Steps first to last: the outputs, what each step saves, bytes of the largest output."""
        values = {first: inputs}
        states: list[Saved] = []
        largest = 0
        for position, placed in enumerate(self.steps[first:last], start=first + 1):
            arguments = [values[k] for k in placed.inputs]
            with computing(placed.step.name, arguments):
                outputs, saved = placed.step.forward(*arguments)
            values[position] = outputs
            states.append(saved)
            largest = max(largest, outputs.numel() * outputs.element_size())
            for spent in placed.spent:
                values.pop(spent, None)
        return values[last], states, largest

    def _wanted(self, at: Sequence[str]) -> dict[int, list[str]]:
        """The layers whose relevance is asked for, by position."""
        wanted: dict[int, list[str]] = {}
        for name in [at] if isinstance(at, str) else at:
            if name not in self.names:
                raise RelevanceError(
                    f"'{name}' is no layer of the net; expected one of {', '.join(self.names)}"
                )
            if self.names[name] not in reached(self.steps):
                raise RelevanceError(
                    f"no relevance comes to '{name}': it only leads to the gates of products, and "
                    'the signal takes all; override_preset(…, products="even") gives gates half'
                )
            wanted.setdefault(self.names[name], []).append(name)
        return wanted

    def _input(self, images: Tensor) -> Tensor:
        """The images in the net's type and layout."""
        images = check_images(images, self.weight)
        self.own.check()
        if self.low is not None and self.high is not None and images.numel():
            low, high = self.low.flatten(), self.high.flatten()
            slack = 1e-3 * (high - low)
            planes = images.contiguous()
            lowest, highest = planes.amin((0, 2, 3)), planes.amax((0, 2, 3))
            if bool(((lowest < low - slack) | (highest > high + slack)).any()):
                raise RelevanceError(
                    f"expected pixels between the bounds low and high of the z-box rule, got "
                    f"{float(images.min()):.3g} to {float(images.max()):.3g}; normalise the images "
                    "as the bounds"
                )
        return images


def check_images(images: Tensor, weight: Tensor) -> Tensor:
    """Images in the type and layout of a net with this weight.

    Raises:
        RelevanceError: not a batch of images, on another device, or not finite.
    """
    if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
        came = getattr(images, "shape", None)
        raise RelevanceError(
            "expected normalised images, a torch tensor of shape (batch, channels, height, width) "
            f"and a floating type, got {'' if came is None else f'{tuple(came)} of '}"
            f"{getattr(images, 'dtype', type(images).__name__)} ({type(images).__name__}); "
            "a single tensor: images[None]; pixels of 0 to 255: "
            "emorank.networks.normalisation.to_batch"
        )
    if images.layout != torch.strided:
        raise RelevanceError(f"expected dense images, got {images.layout}; use images.to_dense()")
    if images.device != weight.device:
        raise RelevanceError(
            f"expected images on {weight.device} where the net is, got {images.device}; "
            "move them with images.to(…)"
        )
    # The extremes of images with NaN are NaN.
    if images.numel() and not bool(torch.isfinite(torch.stack(torch.aminmax(images))).all()):
        raise RelevanceError("expected finite pixels, got NaN or infinity among the images")
    return images.detach().to(weight.dtype, memory_format=torch.channels_last)


def check_logits(logits: Tensor, layer: str) -> Tensor:
    """What the last layer gives, if it is the logits of a batch.

    Raises:
        RelevanceError: it has another shape, or is not finite.
    """
    if logits.ndim != 2:
        raise RelevanceError(
            f"expected logits of shape (batch, classes) from the last layer "
            f"'{layer}', got {tuple(logits.shape)}; "
            "end the net with its classifier"
        )
    if not bool(torch.isfinite(logits).all()):
        raise RelevanceError(
            f"expected finite logits, got NaN or infinity ({logits.dtype}); look for it in the "
            "images and the weights, or explain in a wider type"
        )
    return logits


def _record(
    layers: tuple[str, ...],
    logits: Tensor,
    chosen: Tensor,
    begin: Tensor,
    head: Arrival,
    chunks: list[Arrival],
    flat: Tensor,
) -> Relevance:
    """The record of a batch from the account of the head and of each chunk of the trunk."""
    pixels = torch.cat([part.relevance for part in chunks]).contiguous()

    trunk = torch.cat([part.account() for part in chunks], dim=2)
    rows = torch.cat([head.account(), trunk])
    behind, bias, stabiliser = rows.unbind(1)
    sums = torch.cat([total(begin)[None], behind])
    if not all(bool(torch.isfinite(numbers).all()) for numbers in (sums, rows)):
        raise RelevanceError(
            f"expected finite relevance, got an overflow of {pixels.dtype} on the way back "
            "(very large activations cancel); explain in a wider type: "
            "net.double(), images.double()"
        )
    at = dict(head.at)
    for name in chunks[0].at:
        at[name] = torch.cat([part.at[name] for part in chunks]).contiguous()
    return Relevance(pixels, chosen, logits, layers, sums, bias, stabiliser, flat, at)


def _batches(images: Iterable[Tensor], batch: int) -> Iterator[list[Tensor]]:
    some: list[Tensor] = []
    for image in images:
        if not isinstance(image, Tensor) or image.ndim != 3:
            came = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
            raise RelevanceError(
                "expected tensors of single images, (channels, height, width), to stream over, got "
                f"{came}"
            )
        if some and image.shape != some[0].shape:
            raise RelevanceError(
                f"expected images of one size in a batch, got {tuple(some[0].shape)} and "
                f"{tuple(image.shape)}; resize them, or stream with batch=1"
            )
        some.append(image)
        if len(some) == batch:
            yield some
            some = []
    if some:
        yield some


@contextmanager
def as_written(weight: Tensor) -> Iterator[None]:
    """Compute in the type of the weights and without gradients, whatever is switched on."""
    with torch.no_grad(), torch.autocast(weight.device.type, enabled=False):
        yield


@contextmanager
def _bits(deterministic: bool) -> Iterator[None]:
    """Let torch use only algorithms that give the same bits every time; it raises without one."""
    if not deterministic:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
