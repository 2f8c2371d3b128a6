"""What is seen in one frame: its faces, framed, their size and sharpness, and a small picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from emorank import faces, images
from emorank.errors import ImageError, of_one_image
from emorank.files import replacing
from emorank.film.decoder import Frame
from emorank.framing import OTHER_WIDTHS, View, framed
from emorank.reading import identity

POINTS = tuple(
    f"{point}_{axis}"
    for point in ("eye_left", "eye_right", "nose", "mouth_left", "mouth_right")
    for axis in "xy"
)
"""Where the landmarks are in the frame, in pixels; left and right are those of the picture."""
SHARPNESS_SIDE = 112
"""Side in pixels of the aligned face whose sharpness is measured."""
SAVED_SIDE = 224
"""Side in pixels of the pictures of faces that are written."""
THUMBNAIL = 8
"""Side in pixels of the small picture of a frame that shows where a new shot begins."""


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face in a frame.

    Attributes:
        view: as the network sees it.
        person: the crop that the identity network sees.
        points: its landmarks in the frame.
        size: between the eyes, in pixels of the frame.
        blur: variance of the Laplacian, as `sharpness` measures it.
    """

    view: View
    person: UInt8[np.ndarray, "side side 3"]
    points: Float32[np.ndarray, "5 2"]
    size: float
    blur: float


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame, looked at; `reason` says why it cannot be used, if so."""

    number: int
    time: float
    image: str
    faces: tuple[SeenFace, ...] = ()
    thumbnail: UInt8[np.ndarray, "side side 3"] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Looker:
    """Finds and frames the faces of frames; may be used in several threads.

    Attributes:
        film: how the film is called in tables.
        size: side in pixels of what the network sees, `width` its width in usual crops.
        crops: of each face, a key of `OTHER_WIDTHS`.
        most: faces of a frame, the nearest ones; None for all.
        save: folder where each face is written as a picture (`face_file`); None for nowhere.
    """

    film: str
    size: int
    width: float = 1.0
    crops: int = 1
    most: int | None = None
    save: Path | None = None

    def look(self, frame: Frame) -> Seen:
        """What is seen in a frame."""
        image = str(frame.picture) if isinstance(frame.picture, Path) else self.film
        if frame.picture is None:
            return Seen(frame.number, frame.time, image, reason=frame.reason)
        try:
            with of_one_image(image):
                rgb = frame.rgb()
                found = faces.find(rgb, nearest=self.most == 1)[: self.most]
                seen = tuple(self._face(rgb, face, n, image) for n, face in enumerate(found, 1))
                self._save(rgb, frame.number, found)
                small = images.shrink(rgb, (THUMBNAIL, THUMBNAIL))
        except ImageError as error:
            return Seen(frame.number, frame.time, image, reason=error.reason)
        return Seen(frame.number, frame.time, image, seen, small)

    def _face(
        self, rgb: UInt8[np.ndarray, "h w 3"], face: faces.Face, number: int, image: str
    ) -> SeenFace:
        points = face.landmarks
        pixels, *others = (
            framed(rgb, points, self.size, self.width * factor)
            for factor in (1.0, *OTHER_WIDTHS[self.crops])
        )
        usual = (self.size, self.width) == (SHARPNESS_SIDE, 1.0)
        return SeenFace(
            View(Path(image), number, pixels, face.box, tuple(others)),
            faces.crop(rgb, points, identity.SIDE, width=identity.WIDTH),
            points,
            float(np.linalg.norm(points[1] - points[0])),
            sharpness(pixels if usual else faces.crop(rgb, points, SHARPNESS_SIDE)),
        )

    def _save(
        self, rgb: UInt8[np.ndarray, "h w 3"], frame: int, found: Sequence[faces.Face]
    ) -> None:
        for number, face in enumerate(found if self.save else (), start=1):
            picture = Image.fromarray(faces.crop(rgb, face.landmarks, SAVED_SIDE))
            with replacing(Path(self.save or ".") / face_file(frame, number)) as partial:
                picture.save(partial, "JPEG", quality=95)


def face_file(frame: int, face: int) -> str:
    """The name of the picture of a face."""
    return f"{frame:07}_{face}.jpg"


def sharpness(rgb: UInt8[np.ndarray, "height width 3"]) -> float:
    """The variance of the Laplacian of a picture's grey levels, 0 to 255: the less, the blurrier.

    Source: Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy, ICPR 3,
    314–317, measure LAPV; grey as in ITU-R BT.601.
    """
    grey = rgb @ np.array([0.299, 0.587, 0.114])
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * inner).var())
