"""Where on a face the relevance lies: its share in each region, and where its greatest values are.

The regions are ellipses, defined once for the landmarks that all crops share (`faces.TEMPLATE`) and
transformed to the landmarks of each face; the outlines of a face itself are not measured.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, UInt8

from emorank import faces
from emorank.faces import TEMPLATE, similarity

# By region: centre x, y and half axes, in sides of a crop whose landmarks lie on TEMPLATE.
_ELLIPSES: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "brows": ((0.295, 0.205, 0.155, 0.065), (0.705, 0.205, 0.155, 0.065)),
    "eyes": ((0.300, 0.325, 0.125, 0.065), (0.700, 0.325, 0.125, 0.065)),
    "nose": ((0.500, 0.505, 0.130, 0.135),),
    "mouth": ((0.500, 0.790, 0.240, 0.125),),
}
_FACE = (0.500, 0.500, 0.470, 0.570)  # forehead to chin
FEATURES = tuple(_ELLIPSES)
REGIONS = (*FEATURES, "rest of the face", "outside")

Mask = Bool[np.ndarray, "side side"]
Plane = Float[np.ndarray, "side side"]


def face_masks(landmarks: Float[np.ndarray, "5 2"], side: int) -> dict[str, Mask]:
    """The pixels of each of `REGIONS`; every pixel is in exactly one.

    The landmarks are in pixels of the square image of `side` pixels.

    Raises:
        ValueError: they are not the landmarks of a face.
    """
    matrix = similarity(np.asarray(landmarks, np.float64), TEMPLATE)
    centres = np.arange(side) + 0.5
    points = np.stack(np.meshgrid(centres, centres), axis=-1)  # x, y
    x, y = np.moveaxis(points @ matrix[:, :2].T + matrix[:, 2], -1, 0)
    masks: dict[str, Mask] = {}
    free = np.ones((side, side), bool)
    for name, ellipses in _ELLIPSES.items():
        inside = np.logical_or.reduce([_inside(x, y, ellipse) for ellipse in ellipses])
        masks[name] = inside & free
        free &= ~inside
    face = _inside(x, y, _FACE)
    return masks | {"rest of the face": face & free, "outside": ~face & free}


def find_masks(image: UInt8[np.ndarray, "side side 3"], *, aligned: bool) -> dict[str, Mask] | None:
    """The facial regions of a square image; None where no face is found in it.

    `aligned`: its landmarks lie on `faces.TEMPLATE`, so that no face has to be found.
    """
    side = len(image)
    if aligned:
        return face_masks(TEMPLATE * side, side)
    nearest = faces.find(image, nearest=True)
    return face_masks(nearest[0].landmarks, side) if nearest else None


def _inside(x: Plane, y: Plane, ellipse: tuple[float, float, float, float]) -> Mask:
    centre_x, centre_y, across, down = ellipse
    result: Mask = ((x - centre_x) / across) ** 2 + ((y - centre_y) / down) ** 2 <= 1
    return result


def mass(relevance: Plane, masks: Mapping[str, Mask]) -> dict[str, float]:
    """The share of the positive relevance in each region (relevance mass accuracy).

    NaN if a map has no positive relevance. A map without structure gives a region its share of the
    area.

    Source: Arras, Osman, Samek 2022, Information Fusion 81, equation 3.
    """
    positive = np.clip(relevance, 0, None)
    whole = float(positive.sum())
    return {
        name: float(positive[mask].sum()) / whole if whole > 0 else float("nan")
        for name, mask in masks.items()
    }


def rank_accuracy(relevance: Plane, mask: Mask) -> float:
    """The share of the most relevant pixels, as many as the mask has, that lie within the mask.

    NaN for an empty mask. Chance is the mask's share of the area.

    Source: Arras, Osman, Samek 2022, equation 4.
    """
    count = int(mask.sum())
    if not count:
        return float("nan")
    top = np.argpartition(-relevance, count - 1, axis=None)[:count]
    return float(mask.ravel()[top].mean())


def features(masks: Mapping[str, Mask]) -> Mask:
    """The pixels of brows, eyes, nose and mouth together."""
    result: Mask = np.logical_or.reduce([masks[name] for name in FEATURES])
    return result
