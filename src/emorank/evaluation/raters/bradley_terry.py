"""Scores from pairs: the Bradley-Terry model, with a penalty that keeps every score finite.

The chance that face i is found stronger than face j is 1 / (1 + exp(s_j - s_i)); s are the scores,
in logits. A tie counts as half a win for both. The fit maximises the log-likelihood minus
`penalty` · Σ s², so a face that won all its pairs has a finite score, and faces that no chain of
pairs connects have scores that cannot be compared; each connected group has the mean 0.

Source: Bradley and Terry 1952, Biometrika 39, 324-345; Newton's method on a concave function.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

PENALTY = 0.1
"""As if scores were drawn from a normal distribution with the variance 5 (1 / (2 · 0.1))."""
_STEPS, _TOLERANCE = 100, 1e-10


@dataclass(frozen=True)
class BradleyTerry:
    """The model as fitted.

    Attributes:
        scores: in logits, the stronger the higher; each connected group has the mean 0.
        errors: standard errors of them, from the curvature; comparisons count as independent.
        group: of each face, the connected group that it belongs to, from 0; one group is best.
        comparisons: that each face took part in.
        converged: whether Newton's method came to rest.
    """

    scores: Float[np.ndarray, " face"]
    errors: Float[np.ndarray, " face"]
    group: Int[np.ndarray, " face"]
    comparisons: Int[np.ndarray, " face"]
    converged: bool


def bradley_terry(
    faces: int,
    first: Int[np.ndarray, " comparison"],
    second: Int[np.ndarray, " comparison"],
    wins: Float[np.ndarray, " comparison"],
    penalty: float = PENALTY,
) -> BradleyTerry:
    """Fit scores to comparisons.

    `first` and `second` number the faces of each comparison from 0; `wins` is 1 where the first was
    chosen, 0 where the second was, 0.5 for a tie. `penalty` is greater than 0.
    """
    if not penalty > 0:
        raise ValueError(f"penalty={penalty}: expected a number above 0")
    scores = np.zeros(faces)
    curvature = 2 * penalty * np.eye(faces)
    value, converged = _value(scores, first, second, wins, penalty), False
    for _ in range(_STEPS):
        slope, curvature = _derivatives(scores, first, second, wins, penalty)
        step = np.linalg.solve(curvature, slope)
        size = 1.0
        while _value(scores + size * step, first, second, wins, penalty) < value and size > 1e-6:
            size /= 2
        scores = scores + size * step
        value = _value(scores, first, second, wins, penalty)
        if np.abs(size * step).max(initial=0) < _TOLERANCE:
            converged = True
            break
    _, curvature = _derivatives(scores, first, second, wins, penalty)
    group = _groups(faces, first, second)
    # Scores are known up to a constant in each group, so errors are those of the centred scores.
    members = group[:, None] == group
    centre = np.eye(faces) - members / members.sum(axis=1, keepdims=True)
    spread = centre @ np.linalg.inv(curvature) @ centre.T if faces else curvature
    return BradleyTerry(
        scores=centre @ scores,
        errors=np.sqrt(np.maximum(np.diag(spread), 0)),
        group=group,
        comparisons=np.bincount(first, minlength=faces) + np.bincount(second, minlength=faces),
        converged=converged or not faces,
    )


def _value(
    scores: Float[np.ndarray, " face"],
    first: Int[np.ndarray, " comparison"],
    second: Int[np.ndarray, " comparison"],
    wins: Float[np.ndarray, " comparison"],
    penalty: float,
) -> float:
    """The penalised log-likelihood."""
    difference = scores[first] - scores[second]
    likely = wins * difference - np.logaddexp(0, difference)
    return float(likely.sum() - penalty * (scores**2).sum())


def _derivatives(
    scores: Float[np.ndarray, " face"],
    first: Int[np.ndarray, " comparison"],
    second: Int[np.ndarray, " comparison"],
    wins: Float[np.ndarray, " comparison"],
    penalty: float,
) -> tuple[Float[np.ndarray, " face"], Float[np.ndarray, "face face"]]:
    """The slope of the penalised log-likelihood, and minus its second derivative."""
    difference = scores[first] - scores[second]
    chance = 0.5 * (1 + np.tanh(difference / 2))
    slope = -2 * penalty * scores
    np.add.at(slope, first, wins - chance)
    np.add.at(slope, second, chance - wins)
    curvature = 2 * penalty * np.eye(len(scores))
    weight = chance * (1 - chance)
    for row, column, sign in (
        (first, first, 1), (second, second, 1), (first, second, -1), (second, first, -1),
    ):  # fmt: skip
        np.add.at(curvature, (row, column), sign * weight)
    return slope, curvature


def _groups(
    faces: int, first: Int[np.ndarray, " comparison"], second: Int[np.ndarray, " comparison"]
) -> Int[np.ndarray, " face"]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(first)), (first, second)), shape=(faces, faces))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)
