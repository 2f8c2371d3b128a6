"""Changes of a picture that do not change the expression, and pictures between two expressions."""

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import UInt8
from PIL import Image

Pixels = UInt8[np.ndarray, "height width 3"]


def mirrored(rgb: Pixels) -> Pixels:
    """The picture with left and right swapped."""
    return np.ascontiguousarray(rgb[:, ::-1])


def shifted(rgb: Pixels, down: int, right: int) -> Pixels:
    """The picture moved by whole pixels; its edge is repeated at the border."""
    pad = max(abs(down), abs(right))
    wide = np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    height, width = rgb.shape[:2]
    top, left = pad - down, pad - right
    return np.ascontiguousarray(wide[top : top + height, left : left + width])


def brightened(rgb: Pixels, factor: float) -> Pixels:
    """The picture with every value multiplied by a factor, at most 255."""
    return np.clip(np.rint(rgb * factor), 0, 255).astype(np.uint8)


def recompressed(rgb: Pixels, quality: int) -> Pixels:
    """The picture after it was written as JPEG (quality 1 to 95) and read again."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format="JPEG", quality=quality)
    return np.array(Image.open(buffer).convert("RGB"))


def resized(rgb: Pixels, factor: float) -> Pixels:
    """The picture enlarged about its middle in a frame of the same size; edges as in `shifted`."""
    height, width = rgb.shape[:2]
    pad = max(height, width) // 8
    wide = Image.fromarray(np.pad(rgb, ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
    half_x, half_y = width / factor / 2, height / factor / 2
    x, y = pad + width / 2, pad + height / 2
    box = (x - half_x, y - half_y, x + half_x, y + half_y)
    return np.array(wide.resize((width, height), Image.Resampling.BICUBIC, box))


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "mirror": mirrored,
    "2 px left": partial(shifted, down=0, right=-2),
    "2 px right": partial(shifted, down=0, right=2),
    "2 px up": partial(shifted, down=-2, right=0),
    "2 px down": partial(shifted, down=2, right=0),
    "10 % darker": partial(brightened, factor=0.9),
    "10 % brighter": partial(brightened, factor=1.1),
    "JPEG, quality 60": partial(recompressed, quality=60),
    "1 % larger": partial(resized, factor=1.01),
    "2 % smaller": partial(resized, factor=0.98),
}
"""Changes that should not matter to how strongly a face expresses an emotion, by name."""


def dissolved(one: Pixels, other: Pixels, share: float) -> Pixels:
    """The weighted mean, pixel by pixel, of two pictures; `share` in [0, 1] is that of the other.

    Raises:
        ValueError: the sizes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"expected two pictures of one size, got {one.shape} and {other.shape}")
    return np.rint((1 - share) * one + share * other).astype(np.uint8)


def brightness(rgb: Pixels) -> float:
    """Mean luma in [0, 255] (ITU-R BT.601)."""
    return float((rgb.mean((0, 1)) * (0.299, 0.587, 0.114)).sum())
