"""Events and levels of a film as ELAN and BORIS read them."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank import delimited
from emorank.files import replacing
from emorank.film.curves import SMOOTH
from emorank.film.tracks import gap_between, pieces
from emorank.vocabulary import LEVELS, NONE

Row = Sequence[object]


def elan(frames: pd.DataFrame, events: pd.DataFrame) -> Iterator[Row]:
    """Rows of annotations: tier, begin, end (seconds), annotation; the header first.

    "track 1 happy" is the tier of the events of one expression, which are named by the level at the
    apex; "track 1 level" that of the level in each frame. So annotations of a tier do not overlap,
    as ELAN wants it. An annotation ends where the next frame begins.
    """
    yield ("Tier", "Begin Time", "End Time", "Annotation")
    step = _step(frames)
    for event in events.to_dict("records"):
        tier = f"track {event['track']} {event['emotion']}"
        words = f"{event['emotion']} {event['rank']} {event['score']:.2f}"
        yield (tier, _seconds(event["onset"]), _seconds(event["offset"] + step), words)
    for track, begin, end, words in levels(frames):
        yield (f"track {track} level", _seconds(begin), _seconds(end + step), words)


def levels(frames: pd.DataFrame) -> Iterator[tuple[int, float, float, str]]:
    """Each stretch of a track with one expression at one level: track, first and last time, words.

    Where nothing is expressed there is none.
    """
    if f"{SMOOTH}_rank" not in frames:
        return
    seen = frames[frames["track"].notna() & frames[f"{SMOOTH}_rank"].notna()]
    time, track = seen["time"].to_numpy(), seen["track"].to_numpy(np.int64)
    words = (seen[f"{SMOOTH}_expressed"] + " " + seen[f"{SMOOTH}_rank"]).to_numpy(object)
    shown = seen[f"{SMOOTH}_rank"].to_numpy(object) != NONE
    for piece in pieces(track, time, gap_between(np.unique(frames["time"].to_numpy()))):
        for rows in np.split(piece, np.flatnonzero(words[piece][1:] != words[piece][:-1]) + 1):
            if shown[rows[0]]:
                yield int(track[rows[0]]), time[rows[0]], time[rows[-1]], str(words[rows[0]])


def boris(frames: pd.DataFrame, events: pd.DataFrame) -> Iterator[Row]:
    """Rows of state events: time, subject, code, modifier, comment; the header first.

    These are the columns of BORIS's import from a spreadsheet. Each event is two rows, its start
    and its stop, with the same subject (the track), code (the emotion) and modifier (the level at
    the apex).
    """
    yield ("time", "subject", "code", "modifier", "comment")
    yield from boris_events(frames, events)


def boris_events(frames: pd.DataFrame, events: pd.DataFrame) -> list[list[Any]]:
    """The same without the header, in the order of time."""
    step = _step(frames)
    rows: list[list[Any]] = []
    for event in events.to_dict("records"):
        about = [f"track {event['track']}", event["emotion"], event["rank"]]
        score = f"apex {event['apex']:.3f} s, score {event['score']:.2f}"
        rows.append([round(event["onset"], 3), *about, score])
        rows.append([round(event["offset"] + step, 3), *about, ""])
    return sorted(rows, key=lambda row: row[0])


def boris_project(
    name: str, film: Path, about: dict[str, Any], frames: pd.DataFrame, events: pd.DataFrame
) -> dict[str, Any]:
    """A project of BORIS (format 7.0) with the film as its one observation.

    Args:
        name: of the observation.
        film: its file; a folder of frames becomes an observation without a film.
        about: what the film says of itself (`decoder.Decoding.about`).
        frames: the table.
        events: the table.
    """
    rate = float(about.get("rate") or 0)
    length = float(about.get("seconds") or (frames["time"].max() if len(frames) else 0))
    file = str(film.absolute())
    emotions = sorted(set(events["emotion"]))
    modifiers = {"0": {"name": "level", "type": 0, "values": list(LEVELS[1:])}}
    media = film.is_file()
    observation = {
        "file": {"1": [file]} if media else [],
        "type": "MEDIA" if media else "LIVE",
        "date": "1970-01-01T00:00:00",
        "description": "expressions named and ranked by emorank",
        "time offset": 0.0,
        "events": boris_events(frames, events),
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "scan_sampling_time": 0,
        "media_info": {
            "length": {file: length},
            "fps": {file: rate},
            "hasVideo": {file: True},
            "hasAudio": {file: False},
            "offset": {"1": 0.0},
        }
        if media
        else {"offset": {}},
    }
    return {
        "time_format": "hh:mm:ss",
        "project_date": "1970-01-01T00:00:00",
        "project_name": name,
        "project_description": "",
        "project_format_version": "7.0",
        "subjects_conf": {
            str(place): {"key": "", "name": f"track {track}", "description": ""}
            for place, track in enumerate(sorted(set(events["track"])))
        },
        "behaviors_conf": {
            str(place): {
                "type": "State event", "key": emotion[0], "code": emotion, "description": "",
                "color": "", "category": "", "modifiers": modifiers, "excluded": "",
                "coding map": "",
            }
            for place, emotion in enumerate(emotions)
        },
        "observations": {name: observation},
        "behavioral_categories": [],
        "behavioral_categories_config": {},
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }  # fmt: skip


def write_elan(folder: Path, film: Path, about: dict[str, Any], tables: "Pair") -> None:
    """Write `elan.csv`."""
    delimited.write(folder / "elan.csv", elan(*tables))


def write_boris(folder: Path, film: Path, about: dict[str, Any], tables: "Pair") -> None:
    """Write `boris.csv` and the project `film.boris`."""
    delimited.write(folder / "boris.csv", boris(*tables))
    project = boris_project(folder.name, film, about, *tables)
    with replacing(folder / "film.boris") as partial:
        partial.write_text(json.dumps(project, indent=1), encoding="utf-8")


Pair = tuple[pd.DataFrame, pd.DataFrame]
LABELS: dict[str, Callable[[Path, Path, dict[str, Any], Pair], None]] = {
    "elan": write_elan,
    "boris": write_boris,
}
"""Each writes the labels of a film into a folder: its path, what it says of itself, tables."""


def _step(frames: pd.DataFrame) -> float:
    """Seconds from frame to frame."""
    steps = np.diff(np.unique(frames["time"].to_numpy()))
    return float(np.median(steps)) if len(steps) else 0.04


def _seconds(time: float) -> str:
    return f"{time:.3f}"
