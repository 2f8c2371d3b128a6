"""A film's table as curves of persons, thinned to what an eye can see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from emorank.ranking.contrast import THRESHOLDS, levels
from emorank.vocabulary import LEVELS, Emotion

LEAST = -3.0
"""Log-odds below which a curve is not drawn any further: nothing is expressed there."""
_SMOOTH, _CHANCE = "smooth_", "p_"


@dataclass(frozen=True, eq=False)
class Person:
    """How strongly a person of a film expresses each emotion.

    Attributes:
        track: its number in the tables.
        time: seconds, ascending; when the person is seen, with one NaN in each gap.
        curves: for each emotion, smooth log-odds against neutral; NaN where `time` is. Of a network
            that does not know neutral they are probabilities.
        first, last: seconds.
        frames: in how many the person is seen.
    """

    track: int
    time: Float[np.ndarray, " moment"]
    curves: dict[str, Float[np.ndarray, " moment"]]
    first: float
    last: float
    frames: int

    @property
    def name(self) -> str:
        """For people: "Person 1"."""
        return f"Person {self.track}"

    @property
    def strongest(self) -> tuple[list[str], Float[np.ndarray, " moment"]]:
        """The emotion that is highest at each moment, and its value; "" and NaN in a gap."""
        if not self.curves:
            return [""] * len(self.time), np.full(len(self.time), np.nan)
        matrix = np.stack([*self.curves.values()])
        seen = np.isfinite(matrix).any(0)
        place = np.where(np.isfinite(matrix), matrix, -np.inf).argmax(0)
        names = list(self.curves)
        words = [names[k] if there else "" for k, there in zip(place, seen, strict=True)]
        return words, np.where(seen, matrix[place, np.arange(len(place))], np.nan)


def has_levels(frames: pd.DataFrame) -> bool:
    """Whether the table has log-odds against neutral, which have levels."""
    return "smooth_log_odds" in frames


def level_of(log_odds: float) -> str:
    """The word of `LEVELS` for log-odds; "" where there are none."""
    return LEVELS[int(levels(np.array([log_odds], np.float64))[0])] if np.isfinite(log_odds) else ""


def top(persons: Sequence[Person]) -> float:
    """Where the axis of log-odds ends: above the highest curve, and some way above Strong."""
    highest = [float(np.nanmax(curve)) for one in persons for curve in one.curves.values()]
    return max([THRESHOLDS[-1] + 2.0, *(value + 0.6 for value in highest)])


def persons_of(
    frames: pd.DataFrame, gap: float, points: int | None = None, least: float = LEAST
) -> list[Person]:
    """The persons of a film, in the order of their numbers.

    Args:
        frames: as `emorank watch` writes them: `time`, `track`, and `smooth_EMOTION`,
            `smooth_score` and `smooth_log_odds`, or else `p_EMOTION`.
        gap: seconds without the face after which a curve is broken.
        points: of a curve at most, about. In a longer film each point is the highest value of equal
            spans of time, so that no short expression is lost.
        least: values below are raised to it.
    """
    rows = frames[frames["track"].notna()]
    prefix = _SMOOTH if has_levels(frames) else _CHANCE
    emotions = [e for e in Emotion if e != Emotion.NEUTRAL and f"{prefix}{e}" in rows]
    scale = _temperature(rows) if prefix == _SMOOTH else 1.0
    track = rows["track"].to_numpy(np.float64).astype(np.int64)
    every = rows["time"].to_numpy(np.float64)
    values = rows[[f"{prefix}{e}" for e in emotions]].to_numpy(np.float64) / scale
    span = 0.0
    if points and len(every):
        span = (float(frames["time"].max()) - float(frames["time"].min())) / points
    found = []
    for number in np.unique(track):
        own = np.flatnonzero(track == number)
        own = own[np.argsort(every[own], kind="stable")]
        time, curves = thinned(every[own], values[own], gap, span)
        curves = np.maximum(curves, least)  # NaN stays
        found.append(
            Person(
                int(number), time, {str(e): curves[:, k] for k, e in enumerate(emotions)},
                float(every[own[0]]), float(every[own[-1]]), len(own),
            )
        )  # fmt: skip
    return found


def thinned(
    time: Float[np.ndarray, " frame"],
    values: Float[np.ndarray, "frame emotion"],
    gap: float,
    span: float,
) -> tuple[Float[np.ndarray, " moment"], Float[np.ndarray, "moment emotion"]]:
    """The highest values in each span of time, and a NaN in each gap.

    A span of 0, or one that holds hardly more than a frame, leaves the values as they are.
    """
    if not len(time):
        return time, values
    steps = np.diff(time)
    whole = not len(steps) or span < 2 * float(np.median(steps))
    pieces = np.split(np.arange(len(time)), np.flatnonzero(steps > gap) + 1)
    times, highs = [], []
    for number, piece in enumerate(pieces):
        if number:
            times.append(np.full(1, np.nan))
            highs.append(np.full((1, values.shape[1]), np.nan))
        if whole:
            times.append(time[piece])
            highs.append(values[piece])
            continue
        starts = np.flatnonzero(np.diff(time[piece] // span, prepend=-np.inf))
        sizes = np.diff(starts, append=len(piece))
        times.append(np.add.reduceat(time[piece], starts) / sizes)
        highs.append(np.maximum.reduceat(values[piece], starts, axis=0))
    return np.concatenate(times), np.concatenate(highs)


def _temperature(rows: pd.DataFrame) -> float:
    """Of the contrast, whose log-odds are its scores over it."""
    score, odds = (float(rows[f"smooth_{name}"].abs().sum()) for name in ("score", "log_odds"))
    return score / odds if score and odds else 1.0
