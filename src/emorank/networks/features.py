"""Frozen features: the convolutions never change, so each image passes through them once.

Features are kept in half precision under the cache folder, one folder per weights, cut and image
size, one record per image content; every study on the same images shares them.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from emorank.networks.normalisation import IMAGENET, Normalisation, to_batch
from emorank.networks.vgg import Chain
from emorank.networks.weights import cache_folder, digest
from emorank.progress import Progress, silent
from emorank.records import RecordStore

# Part of the cache's name: to be raised when the normalisation, `view` or the rounding changes.
PREPROCESSING = 1


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
    image: Callable[[int], UInt8[np.ndarray, "side side 3"]],
    *,
    batch: int = 16,
    normalisation: Normalisation = IMAGENET,
    progress: Progress = silent,
) -> Features:
    """The output of `net.trunk` for each image, from the cache where it is there already.

    Args:
        net: its convolutions before the cut are what the features belong to.
        cut: where the trunk ends, as in `Chain`.
        side: image height and width in pixels.
        keys: content digest of each image (and of the view of it).
        image: the i-th image; called for what the cache lacks only.
        batch: images per pass.
        normalisation: of the images that the network was trained on.
        progress: told of images done. Where another process fills the same cache, it is waited for.
    """
    store = _store(net, cut, side, normalisation)
    device = next(net.parameters()).device
    if store.lacking(keys):
        with store.appending(wait=True) as out, torch.inference_mode():
            wanted = list(store.lacking(keys).items())
            for start in range(0, len(wanted), batch):
                some = wanted[start : start + batch]
                progress(start, len(wanted), "frozen features")
                inputs = to_batch([image(i) for _, i in some], normalisation, device)
                maps = net.trunk(inputs, cut)
                out.append([key for key, _ in some], maps.to("cpu", torch.float16).numpy())
            progress(len(wanted), len(wanted), "frozen features")
    return Features(*store.rows(keys))


def _store(net: Chain, cut: int, side: int, normalisation: Normalisation) -> RecordStore:
    with torch.inference_mode():
        parameter = next(net.parameters())
        shape = tuple(net.trunk(parameter.new_zeros(1, 3, side, side), cut).shape[1:])
    name = f"{digest(net.features[:cut].state_dict())[:16]}-cut{cut}-{side}px-v{PREPROCESSING}"
    if normalisation != IMAGENET:
        name += f"-{hashlib.sha256(repr(normalisation).encode()).hexdigest()[:8]}"
    return RecordStore(cache_folder() / "features" / name, shape, np.dtype(np.float16))
