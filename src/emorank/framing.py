"""Frame photographs for a network: the face, the middle or the whole, at one size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8

from emorank import faces, images
from emorank.errors import ImageError, of_one_image

Item = TypeVar("Item")

CROPS = ("none", "center", "face")
BOX = ("box_left", "box_top", "box_right", "box_bottom")


@dataclass(frozen=True)
class View:
    """One face of a photograph, or the whole photograph, as a network sees it.

    Attributes:
        number: of the face in the photograph, from 1, the nearest first.
        box: of the face in the photograph: left, top, right, bottom; None if no face was searched.
    """

    image: Path
    number: int
    pixels: UInt8[np.ndarray, "side side 3"]
    box: tuple[float, float, float, float] | None = None


Picture = Path | str | View | UInt8[np.ndarray, "height width 3"]
"""A file, a framed face, or the pixels of a photograph."""


@dataclass
class Views:
    """The views of images, read while they are iterated over; `excluded` fills on the way.

    Args:
        images: files, arrays (height, width, 3) of uint8 or framed views; one of them, or any
            number. An array is called by its place among them, from 0.
        size: side in pixels.
        crop: "face": every face, aligned; "center": the middle, proportions kept; "none": the
            whole, stretched to a square.
        excluded: where the error of each image goes that cannot be used.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Raises:
        ImageError: an image cannot be used, if `strict`.
    """

    images: Picture | Iterable[Picture]
    size: int
    crop: str
    excluded: list[ImageError] = field(default_factory=list)
    nearest: bool = False
    strict: bool = False

    def __iter__(self) -> Iterator[View]:
        for number, image in enumerate(self._each()):
            try:
                with of_one_image(_name(image, number)):
                    yield from self._of(image, number)
            except ImageError as error:
                if self.strict:
                    raise
                # A new one: the traceback of the first holds the picture in memory.
                self.excluded.append(ImageError(error.file, error.reason))

    def batches(self, most: int) -> Iterator[list[View]]:
        """The views some at a time, so that memory does not grow with their number."""
        return batches(self, most)

    def _each(self) -> Iterable[Picture]:
        images = self.images
        alone = isinstance(images, Path | str | View) or getattr(images, "ndim", 0) == 3
        return (images,) if alone else images  # type: ignore[return-value]

    def _of(self, image: Picture, number: int) -> Iterator[View]:
        if isinstance(image, View):
            expected, pixels = (self.size, self.size, 3), image.pixels
            if pixels.shape != expected or pixels.dtype != np.uint8:
                raise ImageError(
                    image.image,
                    f"expected a face framed as {expected} of uint8, got {pixels.shape} of "
                    f"{pixels.dtype}",
                )
            yield image
            return
        if isinstance(image, np.ndarray):
            path, rgb = Path(_name(image, number)), image
            if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
                raise ImageError(
                    path,
                    "expected an array (height, width, 3) of uint8, got "
                    f"{rgb.shape} of {rgb.dtype}",
                )
        else:
            path = Path(image)
            rgb = images.read(path)
        if self.crop in ("center", "none"):
            resize = images.center if self.crop == "center" else images.resize
            yield View(path, 1, resize(rgb, self.size))
            return
        every = faces_in(rgb, path)
        for number, face in enumerate(every[:1] if self.nearest else every, start=1):
            yield View(path, number, framed(rgb, face.landmarks, self.size), face.box)


def _name(image: Picture, number: int) -> str:
    """What an image is called; an array by its place among the images."""
    if isinstance(image, np.ndarray):
        return str(number)
    return str(image.image if isinstance(image, View) else image)


def batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items some at a time, as lists."""
    items = iter(items)
    while batch := list(islice(items, most)):
        yield batch


def framed(
    rgb: UInt8[np.ndarray, "height width 3"], landmarks: Any, size: int
) -> UInt8[np.ndarray, "side side 3"]:
    """The network's view of an image: cropped to the face where landmarks are given."""
    if landmarks is None:
        return images.resize(rgb, size)
    return faces.crop(rgb, np.asarray(landmarks, np.float32).reshape(5, 2), size)


def faces_in(rgb: UInt8[np.ndarray, "height width 3"], image: Path | str) -> tuple[faces.Face, ...]:
    """At least one face, nearest first; raises ImageError if there is none."""
    if result := faces.find(rgb):
        return result
    raise ImageError(image, "no face was found")
