"""Whether differences are more than chance: the sign-flip test, and Holm's correction."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

DRAWS = 100_000
"""Patterns of signs: all are tried if there are no more than this, else so many are drawn."""

_DIGITS = 9  # sums of the same terms in another order may differ in the last bits
_BATCH = 10_000


def sign_flip(differences: Float[np.ndarray, " person"], rng: np.random.Generator) -> float:
    """Test whether differences, one for each person, are centred on zero; returns p, two-sided.

    If the two estimators were alike, each person's difference might as well have the other sign: p
    is the share of sign patterns whose sum is at least as far from zero as the observed one. Where
    there are more patterns than `DRAWS` (17 persons or more), some are drawn, and the observed one
    counts among them.

    Raises:
        ValueError: there is no difference, or one is not finite.

    Source: Fisher 1935, The Design of Experiments, section 21; Phipson and Smyth 2010, SAGMB 9, 39.
    """
    from scipy.stats import permutation_test

    d = np.asarray(differences, np.float64)
    if d.ndim != 1 or not len(d) or not np.isfinite(d).all():
        raise ValueError(f"expected one finite difference for each person, got {differences!r}")
    if len(d) == 1:  # both signs are equally far from zero; SciPy asks for two values or more
        return 1.0
    result = permutation_test(
        (d,),
        lambda values, axis: np.abs(values.sum(axis=axis)).round(_DIGITS),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=DRAWS,
        batch=_BATCH,
        rng=rng,
    )
    return float(result.pvalue)


def tries_all_signs(persons: int) -> bool:
    """Whether the sign-flip test over so many persons tries every pattern of signs."""
    return bool(2**persons <= DRAWS)


def least_p(persons: int) -> float:
    """The least p that the sign-flip test over so many persons can give."""
    return min(1.0, 2.0 ** (1 - persons)) if tries_all_signs(persons) else 1 / (DRAWS + 1)


def holm(p: Sequence[float]) -> list[float]:
    """Correct p-values for their number, in the order given.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65–70.
    """
    values: np.ndarray[Any, Any] = np.asarray(p, np.float64)
    order = values.argsort(kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)).clip(max=1)
    corrected = np.empty(len(values))
    corrected[order] = stepped
    return corrected.tolist()
