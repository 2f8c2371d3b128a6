"""When each expression of each person comes, is strongest, and goes: onset, apex, offset."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from emorank.film.curves import SMOOTH
from emorank.film.tracks import gap_between, pieces
from emorank.ranking.contrast import THRESHOLDS, levels
from emorank.vocabulary import LEVELS

BEGINS = THRESHOLDS[0]
"""Log-odds above which an expression is shown: there it is as probable as neutral."""
COUNTS = THRESHOLDS[1]
"""Log-odds that it must reach to be an event: there Average begins."""
SHORTEST = 0.2
"""Seconds; what is shorter is no event."""
COLUMNS = (
    *("event", "track", "emotion", "onset", "apex", "offset", "duration"),
    *("onset_frame", "apex_frame", "offset_frame", "score", "log_odds", "rank", "mean_log_odds"),
    *("begins_before", "goes_on"),
)


def events(
    frames: pd.DataFrame,
    emotions: list[str],
    temperature: float,
    *,
    shortest: float = SHORTEST,
) -> pd.DataFrame:
    """A row for each expression that comes and goes, in the order of onsets.

    An event of an emotion is a stretch of a track in which its smooth log-odds against neutral stay
    above `BEGINS` and somewhere reach `COUNTS`, of at least `shortest` seconds, in which it is at
    its apex the highest of all emotions. Its onset is the first frame of the stretch, its apex the
    one with the highest value, its offset the last one. A stretch ends where the face is not seen
    for a second. Two thresholds keep a curve that trembles at one of them from making many events.

    Source: onset, apex and offset are those of the Facial Action Coding System (Ekman, Friesen &
    Hager 2002, Investigator's Guide): when a movement begins, is strongest, and has ended; how
    the thresholds are chosen is ours (docs/film.md).

    Args:
        frames: as `curves.with_curves` gives them.
        emotions: those with curves.
        temperature: of the contrast.
        shortest: seconds.

    Returns:
        `COLUMNS`: times in seconds; `score` and `log_odds` at the apex, `rank` a word of `LEVELS`;
        `begins_before` and `goes_on` say that the face was seen with the expression from its first
        frame, or to its last, so that the onset or offset itself is not in the film.
    """
    rows = np.flatnonzero(frames["track"].notna().to_numpy())
    track = frames["track"].to_numpy(np.float64, na_value=np.nan)[rows].astype(np.int64)
    time = frames["time"].to_numpy(np.float64)
    curves = frames[[f"{SMOOTH}_{one}" for one in emotions]].to_numpy(np.float64) / temperature
    found: list[dict[str, Any]] = []
    for piece in pieces(track, time[rows], gap_between(np.unique(time))):
        some = rows[piece]
        for k, emotion in enumerate(emotions):
            for first, last in stretches(curves[some, k]):
                about = _event(frames, some, curves, k, first, last)
                if about and about["duration"] >= shortest:
                    found.append({"track": int(track[piece[0]]), "emotion": emotion} | about)
    found.sort(key=lambda one: (one["onset"], one["track"], one["emotion"]))
    table = pd.DataFrame(
        [{"event": number} | one for number, one in enumerate(found, start=1)], columns=[*COLUMNS]
    )
    score = table["log_odds"].astype(np.float64) * temperature
    words = {"emotion": "string", "rank": "string", "begins_before": "bool", "goes_on": "bool"}
    whole = ("event", "track", "onset_frame", "apex_frame", "offset_frame")
    kinds = words | dict.fromkeys(whole, "int64")
    return table.assign(score=score).astype({name: kinds.get(name, "float64") for name in COLUMNS})


def stretches(
    log_odds: Float[np.ndarray, " frame"], begins: float = BEGINS, counts: float = COUNTS
) -> list[tuple[int, int]]:
    """First and last place of each stretch above `begins` that somewhere reaches `counts`."""
    above: Bool[np.ndarray, " frame"] = log_odds >= begins
    edges: Int[np.ndarray, " edge"] = np.flatnonzero(np.diff(above, prepend=False, append=False))
    pairs = zip(edges[::2], edges[1::2] - 1, strict=True)
    return [(int(a), int(b)) for a, b in pairs if log_odds[a : b + 1].max() >= counts]


def _event(
    frames: pd.DataFrame,
    rows: Int[np.ndarray, " frame"],
    curves: Float[np.ndarray, "row emotion"],
    emotion: int,
    first: int,
    last: int,
) -> dict[str, Any] | None:
    """What is said of a stretch of the `rows` of a track; None where another emotion is higher."""
    inside = rows[first : last + 1]
    curve = curves[inside, emotion]
    apex = int(curve.argmax())
    if curves[inside[apex]].argmax() != emotion:
        return None
    time, frame = frames["time"].to_numpy()[inside], frames["frame"].to_numpy()[inside]
    return {
        "onset": time[0],
        "apex": time[apex],
        "offset": time[-1],
        "duration": time[-1] - time[0],
        "onset_frame": frame[0],
        "apex_frame": frame[apex],
        "offset_frame": frame[-1],
        "log_odds": curve[apex],
        "mean_log_odds": curve.mean(),
        "rank": LEVELS[int(levels(curve[apex : apex + 1])[0])],
        "begins_before": first == 0,
        "goes_on": last == len(rows) - 1,
    }
