"""What the tables say of each frame, and how it is drawn: box, person, emotion, level, bar."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from emorank.film.curves import SMOOTH
from emorank.film.decoder import Frame, whole
from emorank.framing import BOX
from emorank.ranking.contrast import THRESHOLDS
from emorank.report.style import COLOURS_OF_EMOTIONS
from emorank.vocabulary import NONE, Emotion

Picture = UInt8[np.ndarray, "height width 3"]
FULL = THRESHOLDS[-1] + 4.0
"""Log-odds that fill the bar."""
_CALM, _GROUND, _PAPER = "#7A838D", (20, 24, 28), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Marks:
    """The rows of a film's table by frame.

    Attributes:
        rows: those with a face, in the order of frames.
        every: each so many-th frame was read; those between show what the one before did.
    """

    rows: pd.DataFrame
    every: int = 1

    def of(self, frame: int) -> list[dict[str, Any]]:
        """The faces of a frame; none where the frame was not looked at."""
        read = frame // self.every * self.every
        first, end = self.rows["frame"].searchsorted([read, read + 1])
        some = self.rows.iloc[first:end].to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in some]


def marks_of(frames: pd.DataFrame, every: int) -> Marks:
    """The rows of the table `frames` by frame."""
    known = frames[frames["track"].notna()]
    return Marks(known.sort_values("frame", kind="stable", ignore_index=True), every)


def annotated(frames: Iterator[Frame], marks: Marks) -> Iterator[tuple[float, Picture]]:
    """Each frame that can be decoded, with what was read in it."""
    for frame in whole(frames):
        yield frame.time, draw_marks(frame.rgb(), marks.of(frame.number))


def said_of(row: dict[str, Any]) -> tuple[str, str, float]:
    """The emotion, the level ("" if there is none) and the log-odds (NaN) of a row, smooth."""
    smooth = f"{SMOOTH}_expressed" in row and not pd.isna(row[f"{SMOOTH}_expressed"])
    emotion = row[f"{SMOOTH}_expressed" if smooth else "predicted"]
    level = row.get(f"{SMOOTH}_rank") if smooth else row.get("rank")
    odds = row.get(f"{SMOOTH}_log_odds", np.nan) if smooth else np.nan
    return str(emotion), "" if pd.isna(level) else str(level), float(odds)


def words_of(row: dict[str, Any]) -> str:
    """ "Person 1: Happy, Strong"."""  # noqa: D210 - a quotation
    emotion, level, _ = said_of(row)
    word = Emotion(emotion).label
    said = "no expression" if level == NONE else f"{word}, {level}" if level else word
    return f"Person {row['track']}: {said}"


def draw_marks(rgb: Picture, rows: list[dict[str, Any]], more: str = "") -> Picture:
    """The frame with a box around each face, words above it and a bar of its intensity below.

    `more` is added to the words.
    """
    if not rows:
        return rgb
    image = Image.fromarray(rgb)
    pen = ImageDraw.Draw(image)
    unit = max(image.size) / 640  # of all lines and letters
    font = _font(round(13 * max(unit, 0.8)))
    for row in rows:
        emotion, level, odds = said_of(row)
        colour = _CALM if level == NONE else COLOURS_OF_EMOTIONS[Emotion(emotion)]
        box = [float(row[name]) for name in BOX]
        pen.rectangle(box, outline=colour, width=max(2, round(2.5 * unit)))
        _write(pen, image.size, box, words_of(row) + more, colour, font)
        if np.isfinite(odds):
            _bar(pen, box, odds, colour, unit)
    return np.asarray(image)


def _write(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: list[float],
    words: str,
    colour: str,
    font: Any,
) -> None:
    """Words above the box, within the picture."""
    left, top, right, bottom = pen.textbbox((0, 0), words, font=font)
    wide, high = right - left + 12, bottom + 5
    x = min(max(box[0], 0), max(size[0] - wide, 0))
    y = box[1] - high if box[1] >= high else max(box[1], 0)
    pen.rectangle((x, y, x + wide, y + high), fill=_GROUND)
    pen.rectangle((x, y, x + 4, y + high), fill=colour)
    pen.text((x + 8 - left, y + 2 - top / 2), words, fill=_PAPER, font=font)


def _bar(pen: ImageDraw.ImageDraw, box: list[float], odds: float, colour: str, unit: float) -> None:
    """From None on the left to Strong on the right, with a line where each level begins."""
    left, right = box[0], max(box[2], box[0] + 8)
    top, high = box[3] + 2 * unit, max(5.0, 6 * unit)
    wide = right - left
    pen.rectangle((left, top, right, top + high), fill=_GROUND)
    share = min(max(odds / FULL, 0.0), 1.0)
    if share:
        pen.rectangle((left, top, left + share * wide, top + high), fill=colour)
    for threshold in THRESHOLDS[1:]:
        x = left + wide * threshold / FULL
        pen.line((x, top, x, top + high), fill=_PAPER, width=max(1, round(unit)))


@lru_cache(8)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)
