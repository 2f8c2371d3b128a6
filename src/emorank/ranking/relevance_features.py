"""Features of a map of relevance that say how strongly an emotion is expressed.

Some are of regions of the face in the crop of `faces.TEMPLATE`. Their boxes lie around its points
(eyes at 0.32 of the side, nose tip at 0.55, corners of the mouth at 0.78), so they are right for
faces cropped by it only. Regions may overlap.
"""

import numpy as np
from jaxtyping import Float

from emorank.errors import RelevanceError
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

FEATURES: dict[str, str] = {
    "net": "sum of the relevance: how far the explained logit is from zero",
    "mass": "sum over the places with positive relevance, those that speak for the emotion",
    "balance": "net over the sum of absolute relevance, −1 to 1: how far the places agree",
    **{name: f"share of the mass in the region of the {name}" for name in REGIONS},
}
"""The name of each feature and what it is."""


def relevance_features(
    relevance: Float[np.ndarray, "batch channels height width"],
) -> Float[np.ndarray, "batch features"]:
    """The features of maps of relevance, in the order of `FEATURES`.

    The relevance of a place is the sum over its channels. `net` and `mass` are in units of the
    logit; the others are shares, which are 0 if the whole is 0. The relevance is signed, as
    computed, of pixels and colours or of the units of a layer.

    Raises:
        RelevanceError: relevance is not finite.
    """
    maps = np.asarray(relevance, np.float64)
    if not np.isfinite(maps).all():
        raise RelevanceError("expected finite relevance, got NaN or infinity; explain in float64")
    places = maps.sum(1)
    positive = np.clip(places, 0, None)
    net, mass = places.sum((1, 2)), positive.sum((1, 2))
    inside = np.einsum("bhw,rhw->br", positive, coverage(*places.shape[1:]))
    return np.column_stack(
        [net, mass, _share(net, np.abs(maps).sum((1, 2, 3))), _share(inside, mass[:, None])]
    )


def _share(part: Float[np.ndarray, "..."], whole: Float[np.ndarray, "..."]) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def region_shares(
    relevance: Float[np.ndarray, "channels height width"], frame: float = 1.0
) -> dict[str, float]:
    """The share of each region in what speaks for the emotion, 0 to 1; regions may overlap.

    The relevance is of the pixels of an aligned face, in a frame so wide in usual crops.
    """
    positive = np.clip(np.asarray(relevance, np.float64).sum(0), 0, None)
    height, width = positive.shape
    inside = np.einsum("hw,rhw->r", positive, coverage(height, width, frame))
    return dict(zip(REGIONS, _share(inside, np.asarray(positive.sum())).tolist(), strict=True))


def coverage(
    height: int, width: int, frame: float = 1.0
) -> Float[np.ndarray, "regions {height} {width}"]:
    """How much of each cell of a grid over the frame lies in each region, 0 to 1.

    The frame is so wide in usual crops, and has the usual crop in its middle.
    """
    boxes = 0.5 + (np.array(list(REGIONS.values())) - 0.5) / frame
    return np.stack(
        [
            np.outer(_overlap(top, bottom, height), _overlap(left, right, width))
            for left, top, right, bottom in boxes
        ]
    )


def _overlap(start: float, end: float, cells: int) -> Float[np.ndarray, "{cells}"]:
    """The share of each of some equal cells of [0, 1] that lies between start and end."""
    edges = np.arange(cells + 1) / cells
    inside = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
    return np.asarray(np.clip(inside * cells, 0, 1))
