"""Pictures with their times as a WebM film: VP9, with the sound of the film that they are from.

VP9 and Opus are free formats, their encoders (libvpx, libopus) BSD-licensed. The FFmpeg in PyAV's
wheel could write H.264 too, by libx264, which is GPL-licensed: emorank does not use it.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from emorank.cores import threads_of
from emorank.errors import ImageError, MissingExtraError
from emorank.files import replacing
from emorank.film.decoder import environment_of_children

MOST = 1920
"""Pixels of the longer side; larger pictures are made smaller."""
_TICK = Fraction(1, 1000)  # as WebM counts time
_FAST = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "30", "b": "0"}
_SOUND_SECONDS = 3600.0

Timed = tuple[float, UInt8[np.ndarray, "height width 3"]]


def write_webm(path: Path, pictures: Iterable[Timed], film: Path | None = None) -> bool:
    """Write pictures at their times (seconds, ascending) as a film, whole or not at all.

    Args:
        path: of the film.
        pictures: read one at a time; the first one's size is that of the film.
        film: whose sound goes with them.

    Returns:
        Whether there is sound in it.

    Raises:
        ImageError: there is no picture.
        MissingExtraError: what writes films is not installed.
    """
    with replacing(path) as partial:
        _write_silent(partial, pictures, path)
        if film is None:
            return False
        whole = path.with_name(f".{path.name}.{os.getpid()}.sound.partial")
        try:
            if heard := _add_sound(film, partial, whole):
                whole.replace(partial)
        finally:
            whole.unlink(missing_ok=True)
    return heard


def _write_silent(partial: Path, pictures: Iterable[Timed], path: Path) -> None:
    try:
        import av
    except ImportError:
        raise MissingExtraError("film", "writing a film") from None
    last = -1
    with av.open(str(partial), "w", format="webm") as container:
        stream: Any = None
        for time, rgb in pictures:
            if stream is None:
                width, height = _size(rgb)
                stream = container.add_stream("libvpx-vp9", rate=30, options=dict(_FAST))
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.codec_context.time_base = _TICK
                stream.codec_context.thread_count = threads_of(1)
            last = max(last + 1, round(time * 1000))
            frame = av.VideoFrame.from_ndarray(_of_size(rgb, width, height), format="rgb24")
            frame.pts, frame.time_base = last, _TICK
            container.mux(stream.encode(frame))
        if stream is None:
            raise ImageError(path, "there is no picture to write")
        container.mux(stream.encode())


def _size(rgb: UInt8[np.ndarray, "height width 3"]) -> tuple[int, int]:
    """Width and height of the film: even, the longer one at most `MOST`."""
    height, width = rgb.shape[:2]
    factor = min(1.0, MOST / max(height, width))
    return max(2, round(width * factor) // 2 * 2), max(2, round(height * factor) // 2 * 2)


def _of_size(
    rgb: UInt8[np.ndarray, "height width 3"], width: int, height: int
) -> UInt8[np.ndarray, "new_height new_width 3"]:
    if 0 <= rgb.shape[0] - height < 2 and 0 <= rgb.shape[1] - width < 2:
        return np.ascontiguousarray(rgb[:height, :width])
    return np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR))


def _add_sound(film: Path, silent: Path, whole: Path) -> bool:
    """Let a process join them, which may crash on a hostile film."""
    command = [sys.executable, "-m", "emorank.film.add_sound"]
    try:
        done = subprocess.run(
            [*command, str(film.absolute()), str(silent.absolute()), str(whole.absolute())],
            env=environment_of_children(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=_SOUND_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
