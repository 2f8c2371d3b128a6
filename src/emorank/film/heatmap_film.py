"""A film with the heatmap of each face over it: where its expression shows, frame by frame."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from emorank import faces, heatmaps
from emorank.film.decoder import Frame, whole
from emorank.film.look import POINTS
from emorank.film.marks import Marks, Picture, draw_marks, said_of
from emorank.framing import framed
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.vocabulary import Emotion

CALMER = 0.15
"""Seconds over which heatmaps are averaged, for the eye only: a film of single ones flickers."""
CALMER_SCALE = 1.0
"""The same for the relevance that has the darkest colour."""
_GAP = 0.5  # seconds without the face after which the average begins anew
_HELD = 200_000_000  # bytes of frames that wait for a batch


@dataclass
class _Average:
    """The heatmap of a person, averaged over the last frames."""

    time: float = -math.inf
    emotion: str = ""
    plane: Float[np.ndarray, "side side"] = field(default_factory=lambda: np.zeros((0, 0)))
    full: float = 0.0

    def add(self, time: float, emotion: str, plane: Float[np.ndarray, "side side"]) -> None:
        full = heatmaps.scale(plane).full
        past = time - self.time
        if past > _GAP or emotion != self.emotion:
            self.plane, self.full = plane, full
        else:
            old = math.exp(-past / CALMER)
            self.plane = old * self.plane + (1 - old) * plane
            slow = math.exp(-past / CALMER_SCALE)
            self.full = slow * self.full + (1 - slow) * full
        self.time, self.emotion = time, emotion


def heated(
    frames: Iterator[Frame], marks: Marks, network: EmotionNetwork
) -> Iterator[tuple[float, Picture]]:
    """Each frame with the heatmap of each of its faces, and what was read in it.

    The heatmap is that of "why this expression, and not neutral", by the network's preset for
    people, for the emotion that the smooth curves name. It is averaged over `CALMER` seconds. A
    frame between those that were read shows the heatmap of the one before.
    """
    averages: dict[int, _Average] = {}
    for some in _parts(frames, marks, network.batch):
        pairs = [
            (frame, row)
            for frame in some
            if frame.number % marks.every == 0
            for row in marks.of(frame.number)
        ]
        maps = _maps(pairs, network)
        for frame in some:
            rgb = frame.rgb()
            rows = marks.of(frame.number)
            for row in rows:
                average = averages.setdefault(int(row["track"]), _Average())
                if (plane := maps.get((frame.number, int(row["face"])))) is not None:
                    average.add(frame.time, said_of(row)[0], plane)
                if average.full > 0:
                    rgb = over_face(rgb, _points(row), average.plane, average.full, network.width)
            yield frame.time, draw_marks(rgb, rows)


def _parts(frames: Iterator[Frame], marks: Marks, batch: int) -> Iterator[list[Frame]]:
    """Frames with about a batch of faces, or as many as may wait."""
    some: list[Frame] = []
    seen = size = 0
    for frame in whole(frames):
        some.append(frame)
        size += frame.picture.nbytes if isinstance(frame.picture, np.ndarray) else 0
        seen += len(marks.of(frame.number)) if frame.number % marks.every == 0 else 0
        if seen >= batch or size >= _HELD or len(some) >= 4 * batch:
            yield some
            some, seen, size = [], 0, 0
    if some:
        yield some


def _maps(
    pairs: list[tuple[Frame, dict[str, Any]]], network: EmotionNetwork
) -> dict[tuple[int, int], Float[np.ndarray, "side side"]]:
    """The relevance of each face, its channels summed, by frame and number of the face."""
    found = {}
    for start in range(0, len(pairs), network.batch):
        some = pairs[start : start + network.batch]
        pixels = [framed(f.rgb(), _points(r), network.size, network.width) for f, r in some]
        emotions = [Emotion(said_of(row)[0]) for _, row in some]
        heat = Measured(network, pixels, emotions, neutral=True).heatmap.sum(axis=1)
        for (frame, row), plane in zip(some, heat, strict=True):
            found[frame.number, int(row["face"])] = plane.astype(np.float64)
    return found


def _points(row: dict[str, Any]) -> Float[np.ndarray, "5 2"]:
    return np.array([row[name] for name in POINTS], np.float32).reshape(5, 2)


def over_face(
    rgb: UInt8[np.ndarray, "height width 3"],
    points: Float[np.ndarray, "5 2"],
    plane: Float[np.ndarray, "side side"],
    full: float,
    width: float = 1.0,
) -> UInt8[np.ndarray, "height width 3"]:
    """The picture with a heatmap laid over the face that it is of, turned as the face is.

    What the network sees is grey below it; the greater the relevance, the more opaque its colour.

    Args:
        rgb: the picture.
        points: landmarks of the face in it.
        plane: relevance of the aligned face, channels summed.
        full: the relevance from which colours are darkest.
        width: of the aligned face's frame, in usual crops.
    """
    side = len(plane)
    matrix = faces.frame_of(points, side, width)
    corners = np.array([(0, 0), (side, 0), (0, side), (side, side)]) - matrix[:, 2]
    placed = corners @ np.linalg.inv(matrix[:, :2]).T
    low = np.clip(np.floor(placed.min(0)), 0, rgb.shape[1::-1]).astype(int)
    high = np.clip(np.ceil(placed.max(0)), 0, rgb.shape[1::-1]).astype(int)
    if (high <= low).any():
        return rgb
    layer = heatmaps.glass(plane, full)
    ones = np.full((side, side), 255, np.uint8)
    shift = matrix[:, :2] @ low + matrix[:, 2]
    onto = np.column_stack([matrix[:, :2], shift]).ravel().tolist()
    colours, inside = (
        np.asarray(
            Image.fromarray(one).transform(
                tuple((high - low).tolist()),
                Image.Transform.AFFINE,
                onto,
                Image.Resampling.BILINEAR,
            ),
            np.float64,
        )
        for one in (layer, ones)
    )
    result = rgb.copy()
    cut = result[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    grey = (cut @ np.array([0.299, 0.587, 0.114]))[..., None]
    share = colours[..., 3:] / 255
    mixed = share * colours[..., :3] + (1 - share) * grey
    within = inside[..., None] / 255
    result[low[1] : high[1], low[0] : high[0]] = (within * mixed + (1 - within) * cut).round()
    return result
