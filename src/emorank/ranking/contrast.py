"""A rank by the contrast of an expression to neutral: "this expression, and not none".

The score is the logit of the expressed emotion less the logit of neutral. Relevance conserves it:
the relevance of the pixels for this question sums to it, up to what biases take. Over the
temperature of the network it is the log-odds of the emotion where only this one and neutral are
possible, and its levels are steps of that probability.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logit

CUTS = (0.5, 0.8, 0.98)
"""The probability where Minimal, Average and Strong begin (docs/ranking.md: how well they do)."""
THRESHOLDS = tuple(float(logit(cut)) for cut in CUTS)
"""The same as log-odds."""
STRONG = 0.75
"""Where Strong begins, on the way from neutral faces (0) to full expressions (1)."""


def levels(log_odds: Float[np.ndarray, " face"]) -> Int[np.ndarray, " face"]:
    """The level of each face by its place in `LEVELS`; None, 0, where neutral is more probable."""
    return np.asarray((np.asarray(log_odds)[:, None] >= THRESHOLDS).sum(1))


def from_probabilities(
    shares: Float[np.ndarray, "face emotion"], neutral: Float[np.ndarray, " face"]
) -> Float[np.ndarray, "face emotion"]:
    """The logit of each emotion less that of neutral, from their probabilities.

    A probability below the least that float32 holds with all its digits counts as that least; NaN
    stays NaN.
    """
    least = np.finfo(np.float32).tiny
    known, calm = (
        np.log(np.maximum(np.asarray(values, np.float64), least)) for values in (shares, neutral)
    )
    return np.asarray(known - calm[:, None])


def temperature(neutral: Float[np.ndarray, " value"], full: Float[np.ndarray, " face"]) -> float:
    """The temperature that lets Strong begin three quarters of the way to full expressions.

    Networks differ in how far apart their logits are, and in what they call neutral: a contrast
    that is much for one is little for another. Their contrasts of faces whose strength is known
    make them comparable. The medians count. It is at least 1, unless then not even half of the full
    expressions were Strong.

    Args:
        neutral: contrasts of faces that express nothing, of each expression.
        full: contrasts of full expressions, each of its own; as of all faces here, of persons that
            the network did not learn from.

    Returns:
        1 where there are no such faces, or where the network takes most full expressions for
        neutral.
    """
    if not len(neutral) or not len(full):
        return 1.0
    low, high = float(np.median(neutral)), float(np.median(full))
    if high <= 0:
        return 1.0
    strong = low + STRONG * (high - low)
    return min(max(strong, THRESHOLDS[-1]), high) / THRESHOLDS[-1]
