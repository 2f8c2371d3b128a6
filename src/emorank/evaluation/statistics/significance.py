"""Whether two estimators differ over persons: the sign-flip test, and Holm's correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

EXACT = 16  # persons up to which every pattern of signs is tried: 65 536 of them
DRAWS = 100_000
_CHUNK = 4096


@dataclass(frozen=True)
class SignFlip:
    """What the test found.

    Attributes:
        mean: of the differences.
        p: two-sided.
        exact: whether every pattern of signs was tried; else some were drawn.
        least: the least p that so many persons can give.
    """

    mean: float
    p: float
    exact: bool
    least: float


def sign_flip(
    differences: Float[np.ndarray, " person"], rng: np.random.Generator, draws: int = DRAWS
) -> SignFlip:
    """Test whether differences, one for each person, are centred on zero.

    If the two estimators were alike, each person's difference might as well have the other sign:
    p is the share of sign patterns whose sum is as far from zero as the one that was seen.

    Args:
        differences: one for each person, at least one.
        rng: draws the patterns where there are too many to try them all.
        draws: how many.

    Source: Fisher 1935, The Design of Experiments, section 21; the pattern seen is counted among
    those drawn (Phipson and Smyth 2010, SAGMB 9, 39).
    """
    d = np.asarray(differences, np.float64)
    if d.ndim != 1 or not len(d) or not np.isfinite(d).all():
        raise ValueError(f"expected one finite difference a person, came {differences!r}")
    # Sums of the same terms in another order may differ in the last bits.
    limit = abs(d.sum()) - 1e-9 * max(1.0, np.abs(d).sum())
    if len(d) <= EXACT:
        patterns = (np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1
        hits = (np.abs((1 - 2 * patterns) @ d) >= limit).mean()
        return SignFlip(float(d.mean()), float(hits), True, min(1.0, 2.0 ** (1 - len(d))))
    hits = 1
    for start in range(0, draws, _CHUNK):
        signs = rng.choice([-1.0, 1.0], (min(_CHUNK, draws - start), len(d)))
        hits += int((np.abs(signs @ d) >= limit).sum())
    return SignFlip(float(d.mean()), hits / (draws + 1), False, 1 / (draws + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction for several tests, in the order given.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65–70.
    """
    values: np.ndarray[Any, Any] = np.asarray(p, np.float64)
    order = values.argsort(kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)).clip(max=1)
    corrected = np.empty(len(values))
    corrected[order] = stepped
    return corrected.tolist()
