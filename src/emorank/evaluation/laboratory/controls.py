"""Ranks that are known to be bad: if one of them passes, no verdict can be believed."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from emorank.evaluation.laboratory.perturbation import Pixels, brightness
from emorank.vocabulary import LEVELS, Rank

_BYTES = 8


def constant(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """The same score for every face, and the rank Average."""
    return _ranked(np.full(len(pixels), 0.5))


def random(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """A random number that depends on the bytes of the picture alone."""
    digests = [hashlib.sha256(rgb.tobytes()).digest()[:_BYTES] for rgb in pixels]
    numbers = [int.from_bytes(digest) / 256**_BYTES for digest in digests]
    return _ranked(np.array(numbers, np.float64))


def bright(pixels: Sequence[Pixels]) -> pd.DataFrame:
    """The mean brightness of the picture."""
    return _ranked(np.array([brightness(rgb) / 255 for rgb in pixels], np.float64))


def _ranked(score: Float[np.ndarray, " face"]) -> pd.DataFrame:
    """The levels Minimal, Average and Strong for the thirds of the range."""
    level = np.minimum(1 + (score * len(Rank)).astype(np.int64), len(LEVELS) - 1)
    return pd.DataFrame({"level": pd.array(level, dtype="Int64"), "score": score})


CONTROLS: dict[str, Callable[[Sequence[Pixels]], pd.DataFrame]] = {
    "constant": constant,
    "random": random,
    "brightness": bright,
}
