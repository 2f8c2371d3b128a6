"""What a network sees of a photograph: a face cropped, the middle, or the whole; one size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from emorank import faces, images
from emorank.errors import ImageError

CROPS = ("none", "center", "face")
BOX = ("box_left", "box_top", "box_right", "box_bottom")


@dataclass(frozen=True)
class View:
    """One face of a photograph, or the photograph.

    Attributes:
        image: the file.
        number: of the face in it, from 1, the nearest first.
        pixels: framed.
        box: of the face in the photograph: left, top, right, bottom; None where none was sought.
    """

    image: Path
    number: int
    pixels: UInt8[np.ndarray, "side side 3"]
    box: tuple[float, float, float, float] | None = None


@dataclass
class Views:
    """The views of image files, read while they are iterated over; `excluded` fills on the way.

    Args:
        paths: image files.
        size: side in pixels.
        crop: "face": every face, aligned; "center": the middle, proportions kept; "none": the
            whole, stretched to a square.
        excluded: where the error of each image goes that cannot be used.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Raises:
        ImageError: an image cannot be used, if `strict`.
    """

    paths: Iterable[Path]
    size: int
    crop: str
    excluded: list[ImageError]
    nearest: bool = False
    strict: bool = False

    def __iter__(self) -> Iterator[View]:
        for path in self.paths:
            try:
                yield from self._of(path)
            except ImageError as error:
                if self.strict:
                    raise
                self.excluded.append(error)

    def batches(self, most: int) -> Iterator[list[View]]:
        """The views some at a time, so that memory does not grow with their number."""
        views = iter(self)
        while batch := list(islice(views, most)):
            yield batch

    def _of(self, path: Path) -> Iterator[View]:
        rgb = images.read(path)
        if self.crop == "center":
            yield View(path, 1, images.center(rgb, self.size))
            return
        if self.crop == "none":
            yield View(path, 1, images.resize(rgb, self.size))
            return
        found = faces_in(rgb, path)
        for number, face in enumerate(found[:1] if self.nearest else found, start=1):
            yield View(path, number, framed(rgb, face.landmarks, self.size), face.box)


def framed(
    rgb: UInt8[np.ndarray, "height width 3"], landmarks: Any, size: int
) -> UInt8[np.ndarray, "side side 3"]:
    """The network's view of an image: cropped to the face where landmarks are given."""
    if landmarks is None:
        return images.resize(rgb, size)
    return faces.crop(rgb, np.asarray(landmarks, np.float32).reshape(5, 2), size)


def faces_in(rgb: UInt8[np.ndarray, "height width 3"], image: Path | str) -> tuple[faces.Face, ...]:
    """At least one face, nearest first.

    Raises:
        ImageError: there is none.
    """
    found = faces.find(rgb)
    if not found:
        raise ImageError(image, "no face was found")
    return found
