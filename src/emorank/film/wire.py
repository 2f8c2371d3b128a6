"""How the process that decodes a film speaks: JSON after its length, then the pixels of a frame."""

import json
import select
import struct
import time
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import UInt8

_LENGTH = struct.Struct("<I")
_MOST = 100_000  # bytes of JSON at once
_PART = 1 << 20


class SilenceError(Exception):
    """Nothing came for too long."""


def say(
    file: BinaryIO, words: dict[str, Any], rgb: UInt8[np.ndarray, "height width 3"] | None = None
) -> None:
    """Say something, with the pixels of a frame if there are any."""
    if rgb is not None:
        words = words | {"size": rgb.shape[:2]}
    text = json.dumps(words).encode()
    file.write(_LENGTH.pack(len(text)) + text)
    if rgb is not None:
        file.write(np.ascontiguousarray(rgb).data)
    file.flush()


def hear(
    file: BinaryIO, seconds: float, pixels: int
) -> tuple[dict[str, Any], UInt8[np.ndarray, "height width 3"] | None]:
    """What is said next, with pixels if it has some.

    It is not believed more than it must be: a film may have taken the process over.

    Args:
        file: whose pipe it comes through.
        seconds: how long it may be silent.
        pixels: that a frame may have at most.

    Raises:
        SilenceError: nothing came for so long.
        EOFError: the process has ended, or what it says has no sense.
    """
    (length,) = _LENGTH.unpack(_bytes(file, _LENGTH.size, seconds))
    if length > _MOST:
        raise EOFError
    try:
        words = json.loads(_bytes(file, length, seconds))
        size = words.get("size")
        height, width = (0, 0) if size is None else (int(side) for side in size)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise EOFError from error
    if size is None:
        return words, None
    if not (0 < height * width <= pixels and min(height, width) > 0):
        raise EOFError
    flat = np.frombuffer(_bytes(file, height * width * 3, seconds), np.uint8)
    return words, flat.reshape(height, width, 3)


def _bytes(file: BinaryIO, count: int, seconds: float) -> bytearray:
    all_of_it = bytearray(count)
    into, place = memoryview(all_of_it), 0
    while place < count:
        part = _some(file, min(count - place, _PART), seconds)
        into[place : place + len(part)] = part
        place += len(part)
    return all_of_it


def _some(file: BinaryIO, most: int, seconds: float) -> bytes:
    until = time.monotonic() + seconds
    while not select.select([file], [], [], max(0.0, until - time.monotonic()))[0]:
        if time.monotonic() >= until:
            raise SilenceError
    if not (part := file.read(most)):
        raise EOFError
    return part
