"""Single pictures of a film: the faces at the apexes, and frames from its beginning to its end.

They are kept beside the tables, so that figure and page are made again without the film.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from PIL import Image

from emorank.errors import ImageError
from emorank.files import replacing
from emorank.film.decoder import Decoding, whole
from emorank.film.films import Film
from emorank.framing import BOX
from emorank.progress import Progress, silent

FOLDER = "stills"
FRAMES = 48
"""So many frames stand for a film that the browser cannot play."""
SIDE, WIDE = 112, 400
"""Pixels of a face's side, and of a frame's longer side."""
_SIZE = "size.json"
_AROUND = 0.08  # of the box's longer side, on each side of the face

Picture = UInt8[np.ndarray, "height width 3"]


def apex_file(frame: int, track: int) -> str:
    """The name of the picture of a face."""
    return f"apex_{frame}_{track}.jpg"


def frame_file(frame: int) -> str:
    """The name of the picture of a frame."""
    return f"frame_{frame}.jpg"


def take_stills(
    film: Film,
    folder: Path,
    frames: pd.DataFrame,
    events: pd.DataFrame,
    progress: Progress = silent,
) -> None:
    """Put what is missing into `folder`/stills; the film is decoded as far as needed, once.

    Args:
        film: to decode; if it is not there any more, nothing is added.
        folder: of the film's results.
        frames: the table.
        events: those whose apexes are wanted.
        progress: is told how many frames have been decoded.
    """
    numbers = np.unique(frames["frame"].to_numpy(np.int64))
    wanted: dict[int, tuple[list[int], bool]] = {
        int(number): ([], True) for number in spaced(numbers, FRAMES)
    }
    for track, apex in events[["track", "apex_frame"]].itertuples(index=False):
        wanted.setdefault(int(apex), ([], False))[0].append(int(track))
    below = folder / FOLDER
    missing = {
        number: (tracks, frame)
        for number, (tracks, frame) in wanted.items()
        if any(not (below / apex_file(number, t)).exists() for t in tracks)
        or (frame and not (below / frame_file(number)).exists())
    }
    if not missing:
        return
    boxes = frames[frames["frame"].isin(list(missing)) & frames["track"].notna()]
    placed = {
        (int(r["frame"]), int(r["track"])): [r[b] for b in BOX] for r in boxes.to_dict("records")
    }
    first, last = min(missing), max(missing)
    try:
        for frame in Decoding(film, max(1, math.gcd(*missing)), first):
            progress(frame.number - first, last - first + 1)
            for one in whole([frame] if frame.number in missing else []):
                tracks, shown = missing[frame.number]
                rgb = one.rgb()
                _remember_size(below, rgb)
                for track in tracks:
                    _put(
                        below / apex_file(frame.number, track),
                        cut(rgb, placed[frame.number, track]),
                    )
                if shown:
                    _put(below / frame_file(frame.number), small(rgb, WIDE))
            if frame.number >= last:
                break
    except ImageError:
        return  # the film is gone, or is another now: what is there has to do


def size_of(folder: Path) -> tuple[int, int]:
    """Width and height of the film's frames as they are seen; (0, 0) if no frame was kept."""
    try:
        width, height = json.loads((folder / FOLDER / _SIZE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0, 0
    return int(width), int(height)


def _remember_size(folder: Path, rgb: Picture) -> None:
    if not (folder / _SIZE).exists():
        with replacing(folder / _SIZE) as partial:
            partial.write_text(json.dumps([rgb.shape[1], rgb.shape[0]]), encoding="ascii")


def spaced(numbers: Iterable[int] | np.ndarray, most: int) -> np.ndarray[Any, Any]:
    """At most so many of the numbers, evenly apart, the first among them."""
    known: np.ndarray[Any, Any] = np.asarray(numbers)
    places = np.linspace(0, len(known), min(most, len(known)), endpoint=False).astype(int)
    return np.asarray(known[places])


def cut(rgb: Picture, box: list[float]) -> Picture:
    """The square around a face, or the part of it that is in the picture, `SIDE` pixels wide."""
    left, top, right, bottom = box
    height, width = rgb.shape[:2]
    side = min(max(right - left, bottom - top, 2) * (1 + 2 * _AROUND), width, height)
    x = min(max((left + right - side) / 2, 0), width - side)
    y = min(max((top + bottom - side) / 2, 0), height - side)
    square = Image.fromarray(rgb).crop((round(x), round(y), round(x + side), round(y + side)))
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def small(rgb: Picture, longest: int) -> Picture:
    """The picture, its longer side at most so many pixels."""
    image = Image.fromarray(rgb)
    image.thumbnail((longest, longest), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _put(path: Path, pixels: Picture) -> None:
    with replacing(path) as partial:
        Image.fromarray(pixels).save(partial, "JPEG", quality=80, optimize=True)
