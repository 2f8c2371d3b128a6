"""A camera that shows rendered faces of the shipped sample, for tests and benchmarks.

Each scene is one emotion of one person: the resting face becomes the peak and the resting face
again, while the head moves a little. Chromium reads such a film in the place of a camera.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from emorank import images
from emorank.datasets import sample

SIZE = (640, 480)
FACE = 260  # side of the picture in the frame; the face in it is about two thirds as wide
FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # nobody is there to be asked
)


def scene(
    person: str, emotion: str, frames: int, size: tuple[int, int] = SIZE, face: int = FACE
) -> Iterator[np.ndarray]:
    """The frames of one scene, uint8 (height, width, 3)."""
    keys = _pictures(person, emotion)
    for number in range(frames):
        # Rest, rise, hold the peak, fall: a quarter of the time each.
        quarter = 4 * number / frames
        strength = np.interp(quarter, [0, 0.6, 2, 3, 4], [0, 0, 1, 1, 0]) * (len(keys) - 1)
        low = min(int(strength), len(keys) - 2)
        mixed = Image.blend(keys[low], keys[low + 1], strength - low)
        turn = 2 * np.pi * number / frames
        yield _placed(mixed, size, face, (0.04 * np.sin(turn), 0.03 * np.sin(2 * turn)))


def write_y4m(path: Path, frames: Iterable[np.ndarray], rate: int = 30) -> Path:
    """Write frames of one even size as a film that Chromium takes for its camera (I420)."""
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            height, width = frame.shape[:2]
            if number == 0:
                file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420\n".encode())
            planes = np.asarray(Image.fromarray(frame).convert("YCbCr"), np.float32)
            halves = planes[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
            light = 16 + planes[..., 0] * (219 / 255)
            colour = 128 + (halves - 128) * (224 / 255)
            file.write(b"FRAME\n" + light.round().astype(np.uint8).tobytes())
            file.write(colour.round().astype(np.uint8).transpose(2, 0, 1).tobytes())
    return path


@cache
def _pictures(person: str, emotion: str) -> list[Image.Image]:
    """The person at rest, then the emotion as it grows."""
    data = sample.load()
    table = data.table[data.table["person"] == person]
    rest = table[table["emotion"] == "neutral"].head(1)
    grows = table[table["emotion"] == emotion].sort_values("frame")
    names = [*rest["image"], *grows["image"]]
    return [Image.fromarray(images.read(data.root / name)) for name in names]


def _placed(
    picture: Image.Image, size: tuple[int, int], face: int, shift: tuple[float, float]
) -> np.ndarray:
    """A picture before a blurred wall of itself, moved by a share of its side."""
    wall = picture.resize(size).filter(ImageFilter.GaussianBlur(40))
    soft = Image.new("L", (face, face), 0)
    soft.paste(255, (12, 12, face - 12, face - 12))
    left, top = (
        (whole - face) // 2 + round(by * face) for whole, by in zip(size, shift, strict=True)
    )
    wall.paste(picture.resize((face, face)), (left, top), soft.filter(ImageFilter.GaussianBlur(6)))
    return np.asarray(wall)
