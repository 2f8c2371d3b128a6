"""Films whose truth is known: the sample's persons, pasted into frames."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from PIL import Image

from emorank.datasets import sample

WIDTH, HEIGHT, RATE = 320, 240, 25
STEPS = (0, 0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0)  # of an expression that comes and goes
SAMPLE = sample.load()


def face(person: str, emotion: str = "neutral", frame: int = 1) -> np.ndarray:
    """A face of the sample, uint8 (224, 224, 3); frame 0 of an emotion is the neutral face."""
    if frame == 0:
        emotion, frame = "neutral", 1
    return np.asarray(Image.open(SAMPLE.root / f"faces/{person}_{emotion}_{frame}.jpg"))


def between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """A dissolve."""
    return np.round(one + share * (other.astype(float) - one)).astype(np.uint8)


def scene(*placed: tuple[np.ndarray, int, int, int], grey: int = 120) -> np.ndarray:
    """A frame with faces: picture, left, top, side; later ones lie before earlier ones."""
    frame = np.full((HEIGHT, WIDTH, 3), grey, np.uint8)
    canvas = Image.fromarray(frame)
    for picture, left, top, side in placed:
        canvas.paste(Image.fromarray(picture).resize((side, side)), (left, top))
    return np.asarray(canvas)


def write_film(
    path: Path,
    frames: Sequence[np.ndarray],
    rate: int = RATE,
    pts: Sequence[int] | None = None,
    **options: str,
) -> Path:
    """Frames as a film of H.264; `pts` are times in units of 1/rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18"} | options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = number if pts is None else pts[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rise_and_fall(person: str, emotion: str, each: int = 4) -> list[np.ndarray]:
    """Faces from neutral to the peak of an expression and back, `each` frames from one to the next.

    Before and after that neutral lasts as long as a step.
    """
    pictures = [face(person, emotion, step) for step in STEPS]
    pairs = pairwise(pictures)
    return [between(a, b, k / each) for a, b in pairs for k in range(each)]
