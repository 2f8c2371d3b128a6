"""Numbers that are alike for pictures of one person, from the shipped identity network."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from emorank.networks.normalisation import to_batch
from emorank.networks.ready import READY, load_ready
from emorank.networks.vgg import Chain

SIDE = READY["identity"].size
"""Side in pixels of the crop that the network sees."""
WIDTH = 1.1
"""Width of that crop, in usual crops of `faces.crop`; about as its author cuts faces.

Of 60 persons photographed neutral and smiling (London), the two pictures of a person are 0.36 apart
or less for 95 %, those of two persons 0.59 or more for 99 %; at 1.5 these are 0.37 and 0.49.
"""
NUMBERS = 128
BATCH = 16


def identity_numbers(
    crops: Sequence[UInt8[np.ndarray, "side side 3"]], device: torch.device | str = "cpu"
) -> Float32[np.ndarray, "faces 128"]:
    """The numbers of faces; the less the distance of two, the likelier they are of one person.

    Crops are of `SIDE` pixels and `WIDTH`. By its author (King 2017, dlib) a distance below 0.6
    says that two photographs show one person. Batches have one size, so that the numbers of a face
    do not depend on those beside it.
    """
    about = READY["identity"]
    parts = [np.zeros((0, NUMBERS), np.float32)]
    for start in range(0, len(crops), BATCH):
        some = list(crops[start : start + BATCH])
        filled = some + some[-1:] * (BATCH - len(some))
        with torch.inference_mode():
            numbers = _network(str(device))(to_batch(filled, about.normalisation, device=device))
        parts.append(numbers.cpu().numpy()[: len(some)])
    return np.concatenate(parts)


@cache
def _network(device: str) -> Chain:
    return load_ready("identity").to(device)
