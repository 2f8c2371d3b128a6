"""Frame photographs for a network: the face, the middle or the whole, at one size."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8

from emorank import faces, images
from emorank.ahead import in_order
from emorank.errors import EmorankError, ImageError, of_one_image
from emorank.given_pictures import Given, each_of, is_small, name_of, rgb_of

_LOG = logging.getLogger(__name__)
Item = TypeVar("Item")

CROPS = ("none", "center", "face")
OTHER_WIDTHS = {1: (), 3: (0.9, 1.14)}
"""For each number of crops of a face: how wide those beside the usual one are, in usual crops."""
BOX = ("box_left", "box_top", "box_right", "box_bottom")


@dataclass(frozen=True)
class View:
    """One face of a photograph, or the whole photograph, as a network sees it.

    Attributes:
        number: of the face in the photograph, from 1, the nearest first.
        box: of the face in the photograph: left, top, right, bottom; None if no face was searched.
        others: the same face in other crops.
    """

    image: Path
    number: int
    pixels: UInt8[np.ndarray, "side side 3"]
    box: tuple[float, float, float, float] | None = None
    others: tuple[UInt8[np.ndarray, "side side 3"], ...] = ()


Picture = View | Given
"""A framed face, or a picture in any form of `given_pictures`."""


@dataclass
class Views:
    """The views of images, read while they are iterated over; `excluded` fills on the way.

    A list of images is read a few ahead, in threads (`ahead`).

    Args:
        images: pictures in any form of `given_pictures` (files, bytes, PIL images, arrays …) or
            framed views; one of them, or any number. What has no name is called by its place, from
            0.
        size: side in pixels.
        crop: "face": every face, aligned; "center": the middle, proportions kept; "none": the
            whole, stretched to a square.
        excluded: where the error of each image goes that cannot be used.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.
        names: of the images, where they have none of their own.
        width: of the frame, in usual crops.
        crops: of each face, a key of `OTHER_WIDTHS`; more than one only of aligned faces.

    Raises:
        ImageError: an image cannot be used, if `strict`; or the images are no pictures.
    """

    images: Picture | Iterable[Picture]
    size: int
    crop: str
    excluded: list[ImageError] = field(default_factory=list)
    nearest: bool = False
    strict: bool = False
    names: Iterable[str] | None = None
    width: float = 1.0
    crops: int = 1

    def __post_init__(self) -> None:
        self._left_out: int | None = None  # before the first pass

    def __iter__(self) -> Iterator[View]:
        if self._left_out is None:
            self._left_out = len(self.excluded)
        elif isinstance(self.images, Iterator) or isinstance(self.names, Iterator):
            raise EmorankError("the images came one by one and are used up; give them as a list")
        del self.excluded[self._left_out :]
        each = (self.images,) if isinstance(self.images, View) else each_of(self.images)
        names = None if self.names is None else iter(self.names)
        named = (
            (image, _name(image, number) if names is None else str(next(names, number)))
            for number, image in enumerate(each)
        )
        # Pictures that come one by one may not be there yet; those of a list are read ahead.
        many = isinstance(each, Sequence)
        for views in in_order(self._seen, list(named), _small) if many else map(self._seen, named):
            if isinstance(views, ImageError):
                _LOG.info("left out: %s", views)
                self.excluded.append(views)
            else:
                yield from views

    def batches(self, most: int) -> Iterator[list[View]]:
        """The views some at a time, so that memory does not grow with their number."""
        return batches(self, most)

    def _seen(self, named: tuple[Picture, str]) -> list[View] | ImageError:
        """The views of an image with its name, or why it cannot be used."""
        try:
            with of_one_image(named[1]):
                return list(self._of(*named))
        except ImageError as error:
            if self.strict:
                raise
            # A new one: the traceback of the first holds the picture in memory.
            return ImageError(error.file, error.reason)

    def _of(self, image: Picture, name: str) -> Iterator[View]:
        path = Path(name)
        if isinstance(image, View):
            expected, pixels = (self.size, self.size, 3), image.pixels
            if pixels.shape != expected or pixels.dtype != np.uint8:
                raise ImageError(
                    path,
                    f"expected a face framed as {expected} of uint8, got {pixels.shape} of "
                    f"{pixels.dtype}",
                )
            if len(image.others) < self.crops - 1:
                raise ImageError(path, f"was framed once, expected {self.crops} crops of the face")
            yield image
            return
        rgb = rgb_of(image, name)
        if self.crop in ("center", "none"):
            whole = self.crop == "none"
            pixels = (
                framed(rgb, None, self.size, self.width) if whole else images.center(rgb, self.size)
            )
            yield View(path, 1, pixels)
            return
        for number, face in enumerate(faces_in(rgb, path, nearest=self.nearest), start=1):
            pixels, *others = (
                framed(rgb, face.landmarks, self.size, self.width * factor)
                for factor in (1.0, *OTHER_WIDTHS[self.crops])
            )
            yield View(path, number, pixels, face.box, tuple(others))


def _small(named: tuple[Picture, str]) -> bool:
    return not isinstance(named[0], View) and is_small(named[0])


def _name(image: Picture, number: int) -> str:
    return str(image.image) if isinstance(image, View) else name_of(image, number)


def batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items some at a time, as lists."""
    items = iter(items)
    while batch := list(islice(items, most)):
        yield batch


def framed(
    rgb: UInt8[np.ndarray, "height width 3"], landmarks: Any, size: int, width: float = 1.0
) -> UInt8[np.ndarray, "side side 3"]:
    """The network's view of an image: cropped to the face where landmarks are given.

    `width` is that of the frame in usual crops. A whole image counts as a usual crop: in a wider
    frame its outermost pixels are repeated around it.
    """
    if landmarks is None:
        inner = min(size, round(size / width))
        before = (size - inner) // 2
        around = (before, size - inner - before)
        return np.pad(images.resize(rgb, inner), (around, around, (0, 0)), mode="edge")
    return faces.crop(rgb, np.asarray(landmarks, np.float32).reshape(5, 2), size, width=width)


def faces_in(
    rgb: UInt8[np.ndarray, "height width 3"], image: Path | str, *, nearest: bool = False
) -> tuple[faces.Face, ...]:
    """Every face or the nearest one, nearest first; raises ImageError if there is none."""
    if result := faces.find(rgb, nearest=nearest):
        return result
    raise ImageError(image, "no face was found")
