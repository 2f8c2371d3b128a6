"""Relevance as colours: blue below zero, white at zero, red above it.

Here relevance is scaled for the eye, and only here; what is stored stays as it was computed.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

# Darkest at the ends, exactly white in the middle; told apart with every kind of colour vision.
COLOURS = (
    (0x08, 0x30, 0x6B),
    (0x21, 0x71, 0xB5),
    (0x9E, 0xCA, 0xE1),
    (0xFF, 0xFF, 0xFF),
    (0xFC, 0x92, 0x72),
    (0xCB, 0x18, 0x1D),
    (0x67, 0x00, 0x0D),
)
# A few pixels hold most of the relevance: a scale up to the greatest value leaves the rest white.
PERCENTILE = 99.5

Plane = Float[np.ndarray, "height width"]
Pixels = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Scale:
    """A symmetric colour scale: darkest from |relevance| `full` on, up to the `greatest`."""

    full: float
    greatest: float

    def __str__(self) -> str:
        return (
            f"zero is white, ±{self.full:.2g} and beyond darkest ({PERCENTILE:g} % of the values "
            f"lie within); greatest |R| {self.greatest:.2g}"
        )


def scale(relevance: Float[np.ndarray, "*axes"]) -> Scale:
    """The scale of a relevance map, over all its values at once; (0, 0) if all are zero."""
    size = np.abs(np.nan_to_num(relevance))
    greatest = float(size.max(initial=0.0))
    full = float(np.percentile(size, PERCENTILE)) if size.size else 0.0
    return Scale(full or greatest, greatest)


def colours(plane: Plane, full: float) -> Pixels:
    """The colour of each value, from -full (blue) over 0 (white) to full (red)."""
    place = np.nan_to_num(plane) / full if full > 0 else np.zeros(plane.shape)
    stops = np.linspace(-1, 1, len(COLOURS))
    table = np.array(COLOURS, dtype=float)
    channels = [np.interp(place, stops, table[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def overlay(image: Pixels, plane: Plane, full: float) -> Pixels:
    """The heatmap over the image in grey, the more opaque the greater |relevance|."""
    grey = image @ np.array([0.299, 0.587, 0.114])
    alpha = _opacity(plane, full)
    mixed = alpha * colours(plane, full) + (1 - alpha) * grey[..., None]
    result: Pixels = mixed.round().astype(np.uint8)
    return result


def glass(plane: Plane, full: float) -> UInt8[np.ndarray, "height width 4"]:
    """The heatmap of `overlay` without the image: red, green, blue and opacity."""
    opacity = (255 * _opacity(plane, full)).round().astype(np.uint8)
    return np.concatenate([colours(plane, full), opacity], axis=-1)


def strip(image: Pixels, relevance: Float[np.ndarray, "3 height width"]) -> bytes:
    """The image, its overlay and its heatmap (channels summed) side by side, as JPEG."""
    total = relevance.sum(axis=0)
    full = scale(total).full
    gap = np.full((len(image), max(1, len(image) // 56), 3), 255, np.uint8)
    row = [image, gap, overlay(image, total, full), gap, colours(total, full)]
    return jpeg(np.concatenate(row, axis=1))


def summed_overlay(image: Pixels, relevance: Float[np.ndarray, "3 height width"] | None) -> Pixels:
    """The heatmap (channels summed) over the image, on its own scale; the image without one."""
    if relevance is None:
        return image
    total = relevance.sum(axis=0)
    return overlay(image, total, scale(total).full)


def _opacity(plane: Plane, full: float) -> Float[np.ndarray, "height width 1"]:
    size = np.abs(np.nan_to_num(plane)) / full if full > 0 else np.zeros(plane.shape)
    return np.asarray(np.minimum(size, 1)[..., None] ** 0.5)


def jpeg(pixels: Pixels) -> bytes:
    """A picture as JPEG: heatmaps are noisy, so that a PNG would be four times as large."""
    return _encoded(pixels, "JPEG", quality=88, subsampling=0)


def png(pixels: UInt8[np.ndarray, "height width channels"]) -> bytes:
    """A picture, RGB or RGB and opacity, as PNG."""
    return _encoded(pixels, "PNG")


def _encoded(pixels: np.ndarray, form: str, **options: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()
