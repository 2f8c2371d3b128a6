"""How much a map changes when the image changes a little."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from emorank.evaluation.maps.region_perturbation import Images, Maps
from emorank.evaluation.statistics.ratio import ratio

Explain = Callable[[Images], Maps]

LEVELS = 5  # grey levels of 256 by which noise changes a value at most
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
    """The greatest ‖R(x + δ) − R(x)‖ / ‖R(x)‖ over `samples` of a small δ; 0 is the best.

    δ is uniform. NaN if a map is zero everywhere. `explain` makes maps of always the class of the
    unchanged image; `maps` are those of the unchanged images; `levels` is the greatest |δ|, in grey
    levels.

    Source: Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations, definition 3.
    """
    distances = []
    for _ in range(samples):
        change = rng.integers(-levels, levels + 1, images.shape)
        moved = np.clip(images.astype(np.int64) + change, 0, 255).astype(np.uint8)
        distances.append(_distance(explain(moved), maps))
    worst: np.ndarray = np.max(distances, axis=0)
    return worst


def shift_sensitivity(
    explain: Explain, images: Images, maps: Maps, *, by: int = 1
) -> Float[np.ndarray, " batch"]:
    """‖R(shifted x) − shifted R(x)‖ / ‖R(x)‖ for a shift `by` pixels right and down; 0 is the best.

    The edge of the image is repeated at the border, and relevance of the border is left out.
    """
    padded = np.pad(images, ((0, 0), (by, 0), (by, 0), (0, 0)), mode="edge")
    side = images.shape[1]
    shifted = explain(padded[:, :side, :side])
    return _distance(shifted[:, by:, by:], maps[:, :-by, :-by])


def _distance(changed: Maps, maps: Maps) -> Float[np.ndarray, " batch"]:
    difference, size = (
        np.sqrt((values.astype(np.float64) ** 2).sum(axis=(1, 2)))
        for values in (changed - maps, maps)
    )
    return ratio(difference, size)
