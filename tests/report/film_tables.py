"""Tables of films as `emorank watch` writes them, made up, with any number of persons."""

import numpy as np
import pandas as pd

from emorank.ranking.contrast import levels
from emorank.vocabulary import LEVELS, Emotion

EXPRESSED = [str(emotion) for emotion in Emotion if emotion != Emotion.NEUTRAL]


def frames_and_events(
    seconds: float, rate: float, shown: dict[int, list[tuple[str, float, float]]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `frames` and `events`; of each track: emotion, time and log-odds of each apex.

    Everybody is there from the beginning to the end; an expression takes a second.
    """
    time = np.arange(round(seconds * rate)) / rate
    parts = [pd.DataFrame({"frame": np.arange(len(time)), "time": time}).assign(track=pd.NA)]
    events = []
    for track, apexes in shown.items():
        curves = dict.fromkeys(EXPRESSED, np.full(len(time), -6.0))
        for emotion, apex, odds in apexes:
            curves[emotion] = np.maximum(curves[emotion], odds - 12 * np.abs(time - apex))
            half = odds / 12
            events.append((track, emotion, apex - half, apex, apex + half, odds))
        matrix = np.stack([*curves.values()], axis=1)
        highest = matrix.max(axis=1)
        own = pd.DataFrame({f"smooth_{name}": curve for name, curve in curves.items()})
        parts.append(
            own.assign(
                frame=np.arange(len(time)), time=time, track=track, face=1,
                box_left=20.0 * track, box_top=10.0, box_right=20.0 * track + 16, box_bottom=30.0,
                smooth_expressed=np.array(EXPRESSED, object)[matrix.argmax(axis=1)],
                smooth_rank=[LEVELS[level] for level in levels(highest)],
                smooth_score=2 * highest, smooth_log_odds=highest,
                **{f"smooth_{name}": 2 * curve for name, curve in curves.items()},
            )
        )  # fmt: skip
    names = ["track", "emotion", "onset", "apex", "offset", "log_odds"]
    found = pd.DataFrame(sorted(events, key=lambda one: one[2]), columns=names)
    found = found.astype(dict.fromkeys(names[2:], "float64"))
    found = found.assign(
        event=range(1, len(found) + 1), begins_before=False, goes_on=False,
        apex_frame=(found["apex"] * rate).round().astype(int),
        rank=[LEVELS[int(levels(np.array([odds]))[0])] for odds in found["log_odds"]],
    )  # fmt: skip
    table = pd.concat(parts[1:] or parts, ignore_index=True)
    columns = {f"smooth_{name}" for name in ("log_odds", "score")} - set(table)
    table = table.assign(**dict.fromkeys(columns, np.nan), track=table["track"].astype("Int64"))
    return table.sort_values(["frame", "track"], ignore_index=True), found
