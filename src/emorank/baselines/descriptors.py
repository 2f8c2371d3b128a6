"""Descriptors of a framed face for the estimators: vectors of fixed length.

All are computed from 8-bit grey pixels at a fixed size, so a descriptor depends on the picture
alone and can be stored under the picture's digest.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from emorank.baselines.scattering import SIDE, scatter
from emorank.errors import needing

Pixels = UInt8[np.ndarray, "side side 3"]
Vector = Float32[np.ndarray, " length"]

# Part of the cache's name; raise it when a descriptor changes.
VERSION = 3
CONVOLUTIONS = "convolutions"  # of VGG-16; not in `DESCRIPTORS`, see `Faces.convolutions`
LBP_CODES, LBP_CELLS = 59, 8


def grey(pixels: Pixels, side: int) -> UInt8[np.ndarray, "side side"]:
    """Luminance, resized by area, its histogram equalised to reduce the effect of lighting."""
    full = np.asarray(Image.fromarray(pixels).convert("L"), np.float32)
    edges = np.arange(side + 1)[:, None] * len(full) / side
    reached = np.clip(edges - np.arange(len(full)), 0, 1)  # of each pixel up to each edge
    mean = np.diff(reached, axis=0).astype(np.float32) * side / len(full)
    luminance = np.round(mean @ full @ mean.T).astype(np.uint8)
    ranks = np.cumsum(np.bincount(luminance.ravel(), minlength=256))
    above = ranks - ranks[luminance.min()]  # the darkest level becomes black, the brightest white
    levels = np.round(255 * above / max(above[-1], 1)).clip(0)
    return np.asarray(levels[luminance], np.uint8)


def appearance(pixels: Pixels) -> Vector:
    """The grey pixels themselves at 48×48, in [0, 1]."""
    return grey(pixels, 48).ravel().astype(np.float32) / 255


def hog(pixels: Pixels) -> Vector:
    """Histograms of oriented gradients: 8 orientations, cells of 16 of 128 pixels, 2×2 blocks.

    Source: Dalal and Triggs 2005, CVPR.
    """
    with needing("compare", "comparing ranks with other estimators"):
        from skimage.feature import hog as oriented
    return np.asarray(oriented(grey(pixels, 128), 8, (16, 16), (2, 2), "L2-Hys"), np.float32)


def lbp(pixels: Pixels) -> Vector:
    """Histograms of uniform local binary patterns in 8×8 cells of 128×128 pixels.

    Source: Ahonen, Hadid and Pietikäinen 2006, PAMI 28(12), 2037–2041.
    """
    with needing("compare", "comparing ranks with other estimators"):
        from skimage.feature import local_binary_pattern
    patterns: Any = local_binary_pattern
    codes = np.asarray(patterns(grey(pixels, 128), 8, 1, "nri_uniform"), np.int64)
    rows, columns = np.indices(codes.shape) * LBP_CELLS // len(codes)
    flat = (rows * LBP_CELLS + columns) * LBP_CODES + codes
    counts = np.bincount(flat.ravel(), minlength=LBP_CELLS**2 * LBP_CODES)
    # With square roots the Euclidean distance of two histograms is their Hellinger distance.
    return np.asarray(np.sqrt(counts / (codes.size / LBP_CELLS**2)), np.float32)


def scattering(pixels: Pixels) -> Vector:
    """The scattering transform of 64×64 pixels: 3 scales, 8 orientations, 2 orders, 217 of 8×8."""
    return scatter(grey(pixels, SIDE).astype(np.float32) / 255).ravel().astype(np.float32)


DESCRIPTORS: dict[str, Callable[[Pixels], Vector]] = {
    "appearance": appearance,
    "hog": hog,
    "lbp": lbp,
    "scattering": scattering,
}
