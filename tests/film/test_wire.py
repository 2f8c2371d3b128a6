"""What the process that decodes says is heard, and not believed more than it must be."""

import io
import json
import os
import struct

import numpy as np
import pytest

from emorank.film.wire import SilenceError, hear, say


def heard(data: bytes, pixels: int = 100, seconds: float = 5.0):
    """What is heard of bytes that come through a pipe, which then ends."""
    there, here = os.pipe()
    os.write(here, data)
    os.close(here)
    with os.fdopen(there, "rb", buffering=0) as file:
        return hear(file, seconds, pixels)


def said(**words) -> bytes:
    text = json.dumps(words).encode()
    return struct.pack("<I", len(text)) + text


def test_words_and_pixels_arrive():
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    file = io.BytesIO()
    say(file, {"frame": 7}, rgb[:, ::-1])
    words, pixels = heard(file.getvalue())
    assert words["frame"] == 7
    np.testing.assert_array_equal(pixels, rgb[:, ::-1])
    assert heard(said(end=3)) == ({"end": 3}, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",  # the process has ended
        said(frame=1)[:-2],
        struct.pack("<I", 4_000_000_000),
        struct.pack("<I", 5) + b"hello",
        struct.pack("<I", 90_000) + b"[" * 60_000,
        struct.pack("<I", 50_000) + b"[" * 50_000,
        struct.pack("<I", 2) + b"[]",
        said(size=[11, 10]) + bytes(330),  # more pixels than a frame may have
        said(size=[-2, -2]) + bytes(12),
        said(size=[0, 9]),
        said(size="ab"),
        said(size=[1, 2, 3]),
        said(size=[2, 2]) + bytes(11),
    ],
)
def test_nonsense_ends_the_film(data):
    with pytest.raises(EOFError):
        heard(data)


def test_silence_is_noticed():
    there, here = os.pipe()
    with os.fdopen(there, "rb", buffering=0) as file, pytest.raises(SilenceError):
        hear(file, 0.05, 100)
    os.close(here)
