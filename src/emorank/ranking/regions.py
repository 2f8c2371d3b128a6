"""Regions of the face in the crop of `faces.TEMPLATE`, and which of them each emotion moves.

The boxes lie around the points of the template (eyes at 0.32 of the side, nose tip at 0.55, corners
of the mouth at 0.78), so they are right for faces cropped by it only. Regions may overlap.
"""

import numpy as np
from jaxtyping import Float

from emorank.vocabulary import Emotion

REGIONS: dict[str, tuple[float, float, float, float]] = {
    # left, top, right, bottom, as shares of the side of the crop
    "brows": (0.10, 0.06, 0.90, 0.26),
    "eyes": (0.12, 0.24, 0.88, 0.42),
    "nose": (0.34, 0.36, 0.66, 0.64),
    "mouth": (0.22, 0.64, 0.78, 0.96),
}

MOVED: dict[Emotion, tuple[str, ...]] = {
    # by the action units (AU) of the prototypes in Ekman, Friesen and Hager 2002, Facial Action
    # Coding System, Investigator's Guide, table 10-1 (EMFACS); contempt: Ekman and Friesen 1986
    Emotion.ANGER: ("brows", "eyes", "mouth"),  # AU 4, 5, 7, 23, 24
    Emotion.CONTEMPT: ("mouth",),  # AU 14
    Emotion.DISGUST: ("nose", "mouth"),  # AU 9, 10, 16, 17
    Emotion.FEAR: ("brows", "eyes", "mouth"),  # AU 1, 2, 4, 5, 20, 25
    Emotion.HAPPY: ("eyes", "mouth"),  # AU 6, 12
    Emotion.SADNESS: ("brows", "mouth"),  # AU 1, 4, 15, 17
    Emotion.SURPRISE: ("brows", "eyes", "mouth"),  # AU 1, 2, 5, 26
}


def coverage(height: int, width: int) -> Float[np.ndarray, "regions {height} {width}"]:
    """How much of each cell of a grid over the crop lies in each region, 0 to 1."""
    return np.stack(
        [
            np.outer(_overlap(top, bottom, height), _overlap(left, right, width))
            for left, top, right, bottom in REGIONS.values()
        ]
    )


def _overlap(start: float, end: float, cells: int) -> Float[np.ndarray, "{cells}"]:
    """The share of each of some equal cells of [0, 1] that lies between start and end."""
    edges = np.arange(cells + 1) / cells
    inside = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
    share: np.ndarray = np.clip(inside * cells, 0, 1)
    return share
