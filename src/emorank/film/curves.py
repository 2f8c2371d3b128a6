"""The smooth curve of each expression along each track, less what a person shows at rest."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.special import logit

from emorank.film.tracks import gap_between, pieces
from emorank.ranking.contrast import levels
from emorank.ranking.temporal import own_neutral, smooth
from emorank.reading.along_sequences import contrasts
from emorank.vocabulary import LEVELS

PERIOD = 0.5
"""Swings of so many seconds are halved; an expression that comes and goes takes longer."""
LONG = 10.0
"""Seconds of a track in which a person is supposed to have been at rest for a fifth."""
REST = -float(logit(0.8))
"""Log-odds to which a resting face is taken down: there neutral is at 0.8."""
SMOOTH = "smooth"
"""Columns of the smooth curve begin with it."""


def with_curves(
    frames: pd.DataFrame, temperature: float, *, smoothed: bool = True
) -> tuple[pd.DataFrame, list[str]]:
    """Add the curves to the table of a film's frames, and say of which emotions there are any.

    The contrast of each emotion to neutral (docs/ranking.md) is smoothed along each track. In a
    track of at least `LONG` seconds the level below which a fifth of it lies counts as the person's
    own neutral level; what this has above `REST` is taken out, so that a face that looks angry at
    rest is not angry all the time.

    Args:
        frames: rows with `track`, `time` and `p_EMOTION`, neutral among them; missing without a
            face.
        temperature: of the contrast, over which it is the log-odds.
        smoothed: False: the curves are what each frame alone shows, and nothing is taken out.

    Returns:
        The table with `smooth_EMOTION` (the contrast, as `score`), `smooth_expressed` (the emotion
        that is highest), `smooth_rank`, `smooth_score`, `smooth_log_odds` (of this one) and
        `own_neutral` (what was taken out of this one, 0 if nothing).
    """
    measured, emotions = contrasts(frames)
    curves = np.full(measured.shape, np.nan)
    taken = np.zeros(measured.shape)
    rows = np.flatnonzero(frames["track"].notna().to_numpy())
    track = frames["track"].to_numpy(np.float64, na_value=np.nan)[rows].astype(np.int64)
    time = frames["time"].to_numpy(np.float64)
    gap = gap_between(np.unique(time))
    for piece in pieces(track, time[rows], gap):
        some = rows[piece]
        curves[some] = measured[some]
        if smoothed and len(some) > 1:
            for k in range(len(emotions)):
                curves[some, k] = smooth(measured[some, k], time[some], PERIOD)
    if smoothed:
        for name in np.unique(track):
            own = rows[track == name]
            if _lasts(time[own], gap) >= LONG:
                levels_at_rest = np.array([own_neutral(curve) for curve in curves[own].T])
                taken[own] = np.maximum(levels_at_rest - REST * temperature, 0)
    curves -= taken
    return frames.assign(**_columns(curves, taken, emotions, temperature)), emotions


def _lasts(time: Float[np.ndarray, " face"], gap: float) -> float:
    """Seconds in which a face is seen."""
    steps = np.diff(np.sort(time))
    return float(steps[steps <= gap].sum())


def _columns(
    curves: Float[np.ndarray, "row emotion"],
    taken: Float[np.ndarray, "row emotion"],
    emotions: list[str],
    temperature: float,
) -> dict[str, Any]:
    seen = np.isfinite(curves).all(1) if emotions else np.zeros(len(curves), bool)
    highest: Int[np.ndarray, " row"] = np.zeros(len(curves), np.int64)
    highest[seen] = curves[seen].argmax(1)
    each = np.arange(len(curves)), highest
    score = np.where(seen, curves[each] if emotions else np.nan, np.nan)
    level = pd.Series(levels(score / temperature), dtype="Int64").mask(~seen)
    words = np.array([*emotions, None], dtype=object)
    named = pd.Series(words[np.where(seen, highest, len(emotions))])
    said: dict[str, Any] = {f"{SMOOTH}_{one}": curves[:, k] for k, one in enumerate(emotions)}
    return said | {
        f"{SMOOTH}_expressed": named.astype("string").array,
        f"{SMOOTH}_rank": level.map(lambda k: LEVELS[int(k)], na_action="ignore")
        .astype("string")
        .array,
        f"{SMOOTH}_score": score,
        f"{SMOOTH}_log_odds": score / temperature,
        "own_neutral": np.where(seen, taken[each] if emotions else np.nan, np.nan),
    }
