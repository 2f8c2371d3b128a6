"""A rank by the contrast of an expression to neutral: "this expression, and not none".

The score is the logit of the expressed emotion less the logit of neutral. Relevance conserves it:
the relevance of the pixels for this question sums to it, up to what biases take. Over the
temperature of the network it is the log-odds of the emotion where only this one and neutral are
possible, and its levels are steps of that probability.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax, logit

CUTS = (0.5, 0.8, 0.98)
"""The probability where Minimal, Average and Strong begin (docs/ranking.md: how well they do)."""
THRESHOLDS = tuple(float(logit(cut)) for cut in CUTS)
"""The same as log-odds."""
_TEMPERATURES = (0.05, 20.0)  # where the best one is sought


def levels(log_odds: Float[np.ndarray, " face"]) -> Int[np.ndarray, " face"]:
    """The level of each face by its place in `LEVELS`; None, 0, where neutral is more probable."""
    return np.asarray((np.asarray(log_odds)[:, None] >= THRESHOLDS).sum(1))


def temperature(
    logits: Float[np.ndarray, "face classes"], label: Int[np.ndarray, " face"]
) -> float:
    """The temperature that makes the probabilities of a network most likely (Guo et al. 2017).

    Give faces that the network did not learn from. Where it names all of them rightly, any small
    temperature would do: then it is 1.
    """
    from scipy.optimize import minimize_scalar

    logits = np.asarray(logits, np.float64)
    rows = np.arange(len(logits))
    if not len(logits) or (logits.argmax(1) == label).all():
        return 1.0

    def loss(log: float) -> Any:
        return -log_softmax(logits / np.exp(log), axis=1)[rows, label].mean()

    low, high = np.log(_TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))
