"""Scores along the frames of a sequence: smoothed, and less what the person shows when neutral.

The frames of one person know more than each alone: noise differs from frame to frame, an expression
does not; and what a network sees in the person's resting face (brows that look angry, say) is in
all of them. Both functions take scores of any kind for which only differences count, such as the
contrast to neutral.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import solveh_banded

PERIOD = 8.0
"""Swings with this period, in the units of the times, are halved; shorter ones nearly vanish."""
LOW = 0.2
"""The share of a person's frames that are taken to be neutral where nobody says which are."""


def smooth(
    score: Float[np.ndarray, " frame"],
    time: Float[np.ndarray, " frame"],
    period: float = PERIOD,
) -> Float[np.ndarray, " frame"]:
    """The smooth curve nearest to the scores of one sequence, at its times.

    It has the least Σ (score − curve)² + λ Σ (second derivative)², λ from `period`: a straight line
    stays as it is, so that a rise is not flattened at its ends. Times may be irregular and in any
    order. Where a score is NaN (no face was found) the curve is drawn through the gap; fewer than
    two scores come back as they are.

    Source: Whittaker 1923, Proceedings of the Edinburgh Mathematical Society 41, 63–75; its gain is
    that of the Kalman smoother of an integrated random walk.

    Raises:
        ValueError: times are not finite, or two are equal; or the period is not positive.
    """
    score, time = np.asarray(score, np.float64), np.asarray(time, np.float64)
    if not period > 0:
        raise ValueError(f"the period is {period}; expected a positive number")
    order = np.argsort(time)
    y, t = score[order], time[order]
    known = np.isfinite(y)
    steps = np.diff(t)
    if not np.isfinite(t).all() or (steps <= 0).any():
        raise ValueError("expected a finite time for each frame of a sequence, no two equal")
    if known.sum() < 2:
        return score.copy()
    if len(t) < 3:
        return score.copy()
    steps = steps / np.median(steps)
    stiffness = (period / np.median(np.diff(t)) / (2 * np.pi)) ** 4
    # The second derivative at each inner time from its neighbours, by its share of the time.
    before, after = steps[:-1], steps[1:]
    width = np.sqrt((before + after) / 2)
    first, last = width * 2 / (before * (before + after)), width * 2 / (after * (before + after))
    middle = -(first + last)
    bands = np.zeros((3, len(t)))  # upper: two off the diagonal, one off, the diagonal
    bands[2, :-2] += first**2
    bands[2, 1:-1] += middle**2
    bands[2, 2:] += last**2
    bands[1, 1:-1] += first * middle
    bands[1, 2:] += middle * last
    bands[0, 2:] += first * last
    bands *= stiffness
    bands[2] += known
    curve = np.empty_like(score)
    curve[order] = solveh_banded(bands, np.where(known, y, 0.0))
    return curve


def own_neutral(
    score: Float[np.ndarray, " frame"], neutral: Bool[np.ndarray, " frame"] | None = None
) -> float:
    """What a person's frames score when the person shows nothing.

    It is the median of the frames that are `neutral`; where no such frame is known, the score below
    which the share `LOW` of all frames is, which supposes that some of them are near to neutral.
    NaN where no frame has a score.
    """
    score = np.asarray(score, np.float64)
    known = np.isfinite(score)
    if neutral is not None and (calm := known & neutral).any():
        return float(np.median(score[calm]))
    return float(np.quantile(score[known], LOW)) if known.any() else float("nan")
