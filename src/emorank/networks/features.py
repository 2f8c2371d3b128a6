"""Frozen features: the convolutions never change, so each image passes through them once.

Features are kept in half precision under the cache folder, one folder per weights, cut and image
size, one record per image content; every study on the same images shares them.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from emorank.ahead import in_order
from emorank.environment import cache_folder
from emorank.framing import batches
from emorank.networks.normalisation import IMAGENET, Normalisation, to_batch
from emorank.networks.vgg import Chain
from emorank.networks.weights import digest
from emorank.progress import Progress, silent
from emorank.records import RecordStore

# Part of the cache's name: to be raised when the normalisation, `view` or the rounding changes.
PREPROCESSING = 1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Features:
    """Features of some images, in the order in which they were asked for."""

    records: np.ndarray[Any, np.dtype[np.float16]]  # memory-mapped, (stored, channels, h, w)
    rows: Int[np.ndarray, " images"]  # where each image's record lies

    def batch(self, images: Int[np.ndarray, " batch"]) -> Float[Tensor, "batch ..."]:
        """The features of a few images as float32."""
        return torch.from_numpy(self.records[self.rows[images]].astype(np.float32))


def features(
    net: Chain,
    cut: int,
    side: int,
    keys: Sequence[str],
    images: Callable[[list[int]], Iterable[UInt8[np.ndarray, "side side 3"]]],
    *,
    batch: int = 16,
    normalisation: Normalisation = IMAGENET,
    beside: Callable[[int], bool] | None = None,
    progress: Progress = silent,
) -> Features:
    """The output of `net.trunk` for each image, from the cache where it is there already.

    Args:
        net: its convolutions before the cut are what the features belong to.
        cut: where the trunk ends, as in `Chain`.
        side: image height and width in pixels.
        keys: content digest of each image (and of the view of it).
        images: gives the images at some places, in their order; called for each batch that the
            cache lacks. Of one image's function it is `partial(map, image)`.
        batch: images per pass.
        normalisation: of the images that the network was trained on.
        beside: for a small network: each core computes a batch of its own, if this is true of all
            its images (`ahead`). None: one batch after the other, all cores at each.
        progress: told of images done. Where another process fills the same cache, it is waited for.
    """
    device = next(net.parameters()).device

    @torch.inference_mode()
    def computed(some: list[tuple[str, int]]) -> np.ndarray[Any, np.dtype[np.float16]]:
        pixels = list(images([place for _, place in some]))
        maps = net.trunk(to_batch(pixels, normalisation, device=device), cut)
        return maps.to("cpu", torch.float16).numpy()

    def apart(some: list[tuple[str, int]]) -> bool:
        return beside is not None and all(beside(place) for _, place in some)

    with _own_threads(beside is not None):
        store = _store(net, cut, side, normalisation)
        lacking = store.lacking(keys)
        _LOG.info(
            "features of %d images: %d are to be computed, the others are in %s",
            *(len(keys), len(lacking), store.folder),
        )
        if lacking:
            with store.appending(wait=True) as out:
                wanted = list(store.lacking(keys).items())
                every = list(batches(wanted, batch))
                with closing(in_order(computed, every, apart, None if beside else 1)) as done:
                    for number, some in enumerate(every):
                        progress(number * batch, len(wanted), "frozen features")
                        out.append([key for key, _ in some], next(done))
                progress(len(wanted), len(wanted), "frozen features")
    return Features(*store.rows(keys))


@contextmanager
def _own_threads(separate: bool) -> Iterator[None]:
    """One thread of PyTorch's for each thread that computes: they would wait for each other."""
    before = torch.get_num_threads()
    if separate:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _store(net: Chain, cut: int, side: int, normalisation: Normalisation) -> RecordStore:
    with torch.inference_mode():
        parameter = next(net.parameters())
        shape = tuple(net.trunk(parameter.new_zeros(1, 3, side, side), cut).shape[1:])
    name = f"{digest(net.features[:cut].state_dict())[:16]}-cut{cut}-{side}px-v{PREPROCESSING}"
    if normalisation != IMAGENET:
        name += f"-{hashlib.sha256(repr(normalisation).encode()).hexdigest()[:8]}"
    return RecordStore(cache_folder() / "features" / name, shape, np.dtype(np.float16))
