"""The process that decodes one film: FFmpeg may crash on a hostile file, and nobody else with it.

    python -m emorank.film.decode_film FILM EVERY START

`decoder.py` starts it and hears what it says on its standard output (`wire.py`).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.stream import Disposition

from emorank.child_process import bound_memory, die_with_parent
from emorank.film.wire import say
from emorank.images import LIMITS

FORMATS = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "h264", "hevc"),
    *("flv", "asf", "ogg", "gif", "mxf", "dv", "yuv4mpegpipe", "m4v", "ivf", "nut", "rm"),
    *("wav", "mp3", "flac", "aac", "aiff", "amr", "ac3"),  # to say that there is only sound
)
"""What is opened. Playlists, which name other files and addresses, are not among them."""
MEMORY = 3_000_000_000
"""Bytes that decoding may take: three pictures of the largest size, and FFmpeg's own."""
NO_FILM = "is no film that can be read"
_USUAL_RATE = 25.0
_EARLY = 1.0  # seconds that may lack at the end of a film


class _UnusableError(Exception):
    """The film cannot be read; says why."""


def main() -> None:
    """Decode the film of the command line."""
    path, every, start = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    die_with_parent()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no pixel
    bound_memory(MEMORY)
    av.logging.set_level(av.logging.PANIC)
    try:
        _decode(path, every, start, output)
    except _UnusableError as error:
        say(output, {"error": str(error)})
    except MemoryError:
        say(output, {"error": "needs more memory than a film may take"})
    except BrokenPipeError:
        os._exit(0)  # whoever asked has stopped


def _decode(path: str, every: int, start: int, output: BinaryIO) -> None:
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except FFmpegError as error:
        raise _UnusableError(f"{NO_FILM} ({error.strerror or error})") from None
    with container:
        stream = _stream(container)
        rate = float(stream.average_rate or stream.guessed_rate or 0) or _USUAL_RATE
        seconds = _seconds(container, stream)
        frames = max(0, int(stream.frames or round((seconds or 0) * rate)))
        context = stream.codec_context
        about = {"width": context.width, "height": context.height, "codec": context.name}
        say(output, about | {"rate": rate, "frames": frames, "seconds": seconds})
        number, last = 0, -1 / rate
        begun = (container.start_time or 0) / av.time_base
        try:
            for frame, reason in _frames(container, stream):
                time = last + 1 / rate
                if frame is not None and frame.pts is not None and frame.time_base:
                    told = float(frame.pts * frame.time_base) - begun
                    time = told if told > last else time
                told_of = {"frame": number, "time": time}
                if number < start:
                    pass
                elif frame is None or frame.is_corrupt:
                    say(output, told_of | {"reason": reason or "its data are damaged"})
                elif number % every == 0:
                    say(output, told_of, _upright(frame, stream))
                number, last = number + 1, time
        except FFmpegError as error:
            say(output, {"end": number, "early": str(error.strerror or error)})
            return
        if not number:
            raise _UnusableError(f"{NO_FILM}: no frame could be decoded")
        lacks = (seconds or 0) - (last + 1 / rate)
        early = f"{lacks:.1f} s are missing at its end" if lacks > _EARLY else None
        say(output, {"end": number, "early": early})


def _stream(container: Any) -> Any:
    """The stream of pictures, which is not the picture on the cover of a song."""
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        has = "holds only sound" if container.streams.audio else "holds no pictures"
        raise _UnusableError(f"{has}; expected a film")
    stream = videos[0]
    context = stream.codec_context
    if context is None:
        raise _UnusableError("its pictures are in a format that FFmpeg does not decode here")
    _check_size(context.width, context.height)
    context.thread_count = 1  # so that an error is that of the frame at hand
    context.options = {"max_pixels": str(LIMITS.pixels)}
    return stream


def _check_size(width: int, height: int) -> None:
    if width * height > LIMITS.pixels:
        raise _UnusableError(
            f"has frames of {width}×{height} px; expected at most {LIMITS.pixels:,} pixels"
        )
    if 0 < min(width, height) < LIMITS.side or (0 in (width, height) and width != height):
        raise _UnusableError(f"has frames of {width}×{height} px, too small for a face")


def _seconds(container: Any, stream: Any) -> float | None:
    """How long the pictures last, if the film says so."""
    told = 0.0
    if stream.duration and stream.time_base:
        told = float(stream.duration * stream.time_base)
    elif container.duration:
        told = container.duration / av.time_base
    return told if told > 0 else None  # a damaged film may say anything


def _frames(container: Any, stream: Any) -> Iterator[tuple[Any, str | None]]:
    """Each frame in the order in which it is shown, or why it cannot be decoded."""
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except FFmpegError as error:
            yield None, str(error.strerror or error)
            continue
        for frame in frames:
            yield frame, None


def _upright(frame: Any, stream: Any) -> np.ndarray:
    """The frame as people see it: its pixels square, turned as the film says."""
    _check_size(frame.width, frame.height)
    shape = float(stream.sample_aspect_ratio or 1)
    width = round(frame.width * shape) if 0.25 <= shape <= 4 else frame.width
    rgb = frame.to_ndarray(format="rgb24", width=width, height=frame.height)
    return turned(rgb, _matrix(frame))


def _matrix(frame: Any) -> tuple[int, int, int, int] | None:
    """The numbers a, b, c, d of the display matrix: (x, y) goes to (a x + c y, b x + d y)."""
    with suppress(KeyError, ValueError, TypeError):
        data = frame.side_data.get(Type.DISPLAYMATRIX)
        if data is not None:
            nine = np.frombuffer(bytes(data), np.int32, 9)
            return int(nine[0]), int(nine[1]), int(nine[3]), int(nine[4])
    return None


def turned(rgb: np.ndarray, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
    """Pixels turned by quarters and mirrored as near as may be to a display matrix."""
    if matrix is None:
        return rgb
    a, b, c, d = matrix
    across, down = (c, b) if abs(b) + abs(c) > abs(a) + abs(d) else (a, d)
    if (across, down) == (c, b):
        rgb = rgb.transpose(1, 0, 2)
    return rgb[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1]


if __name__ == "__main__":
    main()
