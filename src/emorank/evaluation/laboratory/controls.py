"""Ranks that are known to be bad: a laboratory that lets one of them pass cannot be believed."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from emorank.evaluation.laboratory.perturbation import Pixels, brightness
from emorank.vocabulary import LEVELS, Rank

_BYTES = 8


def constant(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """Every face is as strong as every other: Average."""
    return _ranked(np.full(len(pixels), 0.5))


def random(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """A number drawn from the bytes of the picture: the same picture, the same number."""
    digests = [hashlib.sha256(rgb.tobytes()).digest()[:_BYTES] for rgb in pixels]
    drawn = [int.from_bytes(digest) / 256**_BYTES for digest in digests]
    return _ranked(np.array(drawn, np.float64))


def bright(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """The mean brightness of the picture, whatever the face does."""
    return _ranked(np.array([brightness(rgb) / 255 for rgb in pixels], np.float64))


def _ranked(score: Float[np.ndarray, " face"]) -> pd.DataFrame:
    """A third of the range each for Minimal, Average, Strong."""
    level = np.minimum(1 + (score * len(Rank)).astype(np.int64), len(LEVELS) - 1)
    return pd.DataFrame({"level": pd.array(level, dtype="Int64"), "score": score})


CONTROLS: dict[str, Callable[[Sequence[Pixels]], pd.DataFrame]] = {
    "constant": constant,
    "random": random,
    "brightness": bright,
}
