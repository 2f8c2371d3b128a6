"""How much a map changes when the image hardly does."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from emorank.evaluation.maps.region_perturbation import Images, Maps

Explain = Callable[[Images], Maps]

LEVELS = 5  # of 256: what noise may change a value by, to either side
SAMPLES = 2  # of noise


def max_sensitivity(
    explain: Explain,
    images: Images,
    maps: Maps,
    rng: np.random.Generator,
    *,
    levels: int = LEVELS,
    samples: int = SAMPLES,
) -> Float[np.ndarray, " batch"]:
    """The greatest ‖R(x + δ) − R(x)‖ / ‖R(x)‖ over some δ, uniform and small; 0 is the best.

    NaN where a map is zero.

    Args:
        explain: maps of images, of the same class however they are changed.
        images: 8-bit RGB.
        maps: of the images as they are.
        rng: draws δ.
        levels: the most that δ changes a value by.
        samples: how many δ.

    Source: Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations, definition 3.
    """
    found = []
    for _ in range(samples):
        change = rng.integers(-levels, levels + 1, images.shape)
        moved = np.clip(images.astype(np.int64) + change, 0, 255).astype(np.uint8)
        found.append(_distance(explain(moved), maps))
    worst: np.ndarray = np.max(found, axis=0)
    return worst


def shift_sensitivity(
    explain: Explain, images: Images, maps: Maps, *, by: int = 1
) -> Float[np.ndarray, " batch"]:
    """‖R(shifted x) − shifted R(x)‖ / ‖R(x)‖ for a shift to the right and down; 0 is the best.

    The border of the image is repeated, and what came from there is left out.

    Args:
        explain: as for `max_sensitivity`.
        images: 8-bit RGB.
        maps: of the images as they are.
        by: pixels.
    """
    padded = np.pad(images, ((0, 0), (by, 0), (by, 0), (0, 0)), mode="edge")
    side = images.shape[1]
    found = explain(padded[:, :side, :side])
    return _distance(found[:, by:, by:], maps[:, :-by, :-by])


def _distance(found: Maps, maps: Maps) -> Float[np.ndarray, " batch"]:
    difference, size = (
        np.sqrt((values.astype(np.float64) ** 2).sum(axis=(1, 2)))
        for values in (found - maps, maps)
    )
    return np.array(np.divide(difference, size, out=np.full(len(size), np.nan), where=size > 0))
