"""Pictures in every form in which people hold them, as upright 8-bit RGB."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from emorank import images
from emorank.errors import ImageError

Given = Any
"""A file's name, the bytes of one, an open file, a PIL image, or an array (see `rgb_of`)."""
_SHAPES = "(height, width), or (height, width, 1, 3 or 4)"
_EXPECTED = (
    "expected a picture (a file's name, bytes of a file, an open file, a PIL image, an array "
    f"{_SHAPES} of uint8 or of floats from 0 to 1)"
)


def is_one(given: Any) -> bool:
    """Whether something is one picture, and not many; a text is the name of one file."""
    if isinstance(given, np.ndarray):
        return given.ndim <= 3
    one = isinstance(given, str | Path | bytes | bytearray | memoryview | Image.Image)
    return one or hasattr(given, "read")


def each_of(given: Any) -> Iterable[Given]:
    """The pictures that are given, one or many.

    Raises:
        ImageError: it is neither.
    """
    if is_one(given):
        return (given,)
    if not isinstance(given, Iterable):
        raise ImageError("images", f"{_EXPECTED}, or any number of them; got {_what(given)}")
    return given


def name_of(given: Given, number: int) -> str:
    """What a picture is called: its file's name, or its place among the pictures, from 0."""
    if isinstance(given, str | Path):
        return str(given)
    name = getattr(given, "filename", None) or getattr(given, "name", None)
    return name if isinstance(name, str) and name else str(number)


def is_small(given: Given) -> bool:
    """Whether a picture may be read beside others: a file or an array within `images.SMALL`.

    Open files and PIL images may not: reading them changes them.
    """
    if isinstance(given, np.ndarray):
        return given.nbytes <= images.SMALL.memory
    return isinstance(given, str | Path) and images.is_small(given)


def rgb_of(given: Given, name: str) -> UInt8[np.ndarray, "height width 3"]:
    """A picture as upright 8-bit RGB.

    Arrays are grey (height, width) or (height, width, 1), RGB or RGBA (height, width, 3 or 4); of
    uint8, or of floats in [0, 1]. What is transparent is laid on white.

    Raises:
        ImageError: it is no picture, cannot be read, or is beyond `images.LIMITS`.
    """
    if isinstance(given, str | Path):
        return images.read(given)
    if isinstance(given, bytes | bytearray | memoryview):
        return images.decode(bytes(given), name)
    if isinstance(given, Image.Image):
        return images.from_pillow(given, name)
    if isinstance(given, np.ndarray):
        return _rgb_of_array(given, name)
    if hasattr(given, "read"):
        data = given.read(images.LIMITS.bytes + 1)
        if not isinstance(data, bytes):
            raise ImageError(name, "is open as text; open it as bytes: open(name, 'rb')")
        return images.decode(data, name)
    raise ImageError(name, f"{_EXPECTED}; got {_what(given)}")


def _rgb_of_array(array: np.ndarray, name: str) -> UInt8[np.ndarray, "height width 3"]:
    came = f"got {array.shape} of {array.dtype}"
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    if not (grey or (array.ndim == 3 and array.shape[2] in (3, 4))) or 0 in array.shape:
        first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
        way = "; put the channels last: array.transpose(1, 2, 0)" if first else ""
        raise ImageError(name, f"expected an array {_SHAPES}, {came}{way}")
    if array.shape[0] * array.shape[1] > images.LIMITS.pixels:
        raise ImageError(name, f"has more than the {images.LIMITS.pixels:,} pixels allowed")
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # NaN is neither
            raise ImageError(
                name, f"expected floats from 0 to 1, got {low:g} to {high:g}; divide by 255, say"
            )
        array = (array * 255).round().astype(np.uint8)
    elif array.dtype != np.uint8:
        raise ImageError(name, f"expected uint8 or floats from 0 to 1, {came}")
    if grey:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.shape[2] == 4:
        return images.from_pillow(Image.fromarray(array, "RGBA"), name)
    return np.ascontiguousarray(array)


def _what(given: Any) -> str:
    return f"{type(given).__module__}.{type(given).__qualname__}".removeprefix("builtins.")
