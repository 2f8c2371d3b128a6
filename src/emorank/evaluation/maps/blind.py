"""Maps that do not depend on the network: an explanation has to be better than these."""

import numpy as np
from jaxtyping import Float

from emorank.evaluation.maps.region_perturbation import Images, Maps

BLIND = ("random", "centre", "edges")
_WIDTH = 0.25  # deviation of the Gaussian, in sides


def blind_map(name: str, images: Images, rng: np.random.Generator) -> Maps:
    """The map of one of `BLIND` for each image, float64, not negative.

    "random": each pixel's value drawn from 0 to 1; "centre": a Gaussian in the middle of the image,
    where faces are; "edges": the length of the gradient of its brightness (Sobel), which looks much
    like many explanations (Adebayo et al. 2018).

    Raises:
        ValueError: there is no such map.
    """
    match name:
        case "random":
            return rng.random(images.shape[:3])
        case "centre":
            offset = (np.arange(images.shape[1]) + 0.5) / images.shape[1] - 0.5
            line = np.exp(-(offset**2) / (2 * _WIDTH**2))
            return np.broadcast_to(line[:, None] * line, images.shape[:3]).copy()
        case "edges":
            grey = images @ np.array([0.299, 0.587, 0.114])
            return np.stack([_sobel(one) for one in grey])
    raise ValueError(f"'{name}' is no blind map; expected one of {', '.join(BLIND)}")


def _sobel(grey: Float[np.ndarray, "side side"]) -> Float[np.ndarray, "side side"]:
    from scipy.ndimage import sobel

    length: np.ndarray = np.hypot(sobel(grey, axis=0), sobel(grey, axis=1))
    return length
