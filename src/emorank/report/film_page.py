"""The page of a film: one HTML file in which the film plays beside its timeline."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from markupsafe import Markup

from emorank.files import replacing
from emorank.ranking.contrast import THRESHOLDS
from emorank.report.film_curves import LEAST, Person, has_levels, level_of, persons_of, top
from emorank.report.page import environment, fill
from emorank.report.style import COLOURS_OF_EMOTIONS, COLOURS_OF_LEVELS
from emorank.vocabulary import LEVELS, Emotion

NUMBERS = 600_000
"""So many values of curves the page of a long film holds, about three characters each."""
BOXES = 100_000
"""So many boxes; of more, every second is left out, or more."""
SHOWN = 12
"""Persons that are shown at first: those who are seen longest."""
_NONE = "No expression of the persons and emotions chosen above reaches the level Average."
_PAGE_LIGHT = 0.009  # luminance of #12181e (WCAG 2.2)
_SCRIPTS = ("start", "player", "curves", "lists", "end")


@dataclass(frozen=True)
class Version:
    """A file of the film that a browser may be able to play.

    Attributes:
        label: "as it is", "annotated".
        url: relative to the page.
        boxes: whether the page may draw boxes over it.
    """

    label: str
    url: str
    boxes: bool = False


@dataclass(frozen=True, eq=False)
class FilmPage:
    """What the page of a film shows.

    Attributes:
        name: of the film.
        seconds: how long it is.
        frames, events: as `emorank watch` writes them.
        gap: seconds without a face after which a curve is broken.
        size: width and height of a frame, in pixels.
        faces: JPEGs of apexes, by the event's number.
        stills: JPEGs of single frames, with their times, ascending.
        versions: the best one first.
        tables: files of the tables beside the page.
        note: what must be said above everything, for instance that faces are simulated.
    """

    name: str
    seconds: float
    frames: pd.DataFrame
    events: pd.DataFrame
    gap: float
    size: tuple[int, int]
    faces: Mapping[int, bytes] = field(default_factory=dict)
    stills: Sequence[tuple[float, bytes]] = ()
    versions: Sequence[Version] = ()
    tables: Sequence[str] = ()
    note: str = ""


def write_film_page(film: FilmPage, path: Path) -> Path:
    """Write the page, whole or not at all."""
    html = film_page(film).encode("utf-8", "backslashreplace")
    with replacing(path) as partial:
        partial.write_bytes(html)
    return path


def film_page(film: FilmPage) -> str:
    """The page as HTML; curves, faces and single frames are in it."""
    persons = persons_of(film.frames, film.gap, _points(film.frames))
    data = json.dumps(_data(film, persons), allow_nan=False, separators=(",", ":"))
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    about = {
        "name": film.name,
        "note": film.note,
        "summary": _summary(film, persons),
        "legend": _legend(film),
        "none": _NONE if has_levels(film.frames) else "There are no events without levels.",
        "tables": _tables(film),
        "seconds": f"{film.seconds:.1f}",
        "length": _clock(film.seconds),
    }
    return str(
        fill(
            "templates/film/film.html.j2",
            film=about,
            data=Markup(_in_script(data)),  # noqa: S704 - no tag can begin in it
            script=Markup(script),  # noqa: S704 - our own
            digests=Markup(f"'sha256-{digest}'"),  # noqa: S704 - of letters and digits
        )
    )


def _script() -> str:
    loader = environment(html=False)
    parts = [loader.get_template(f"templates/film/{one}.js").render() for one in _SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _in_script(text: str) -> str:
    """JSON that ends no script and begins no comment of HTML."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _points(frames: pd.DataFrame) -> int:
    persons = max(1, frames["track"].nunique())
    return max(200, NUMBERS // (7 * persons))


def _data(film: FilmPage, persons: Sequence[Person]) -> dict[str, Any]:
    known = has_levels(film.frames)
    there = set(film.events["emotion"])
    possible = {emotion for one in persons for emotion in one.curves}
    step = _step(film.frames)
    spans = [_median(np.diff(one.time)) for one in persons]
    longest = sorted(persons, key=lambda one: -one.frames)[:SHOWN]
    boxes = _boxes(film)
    return {
        "seconds": round(film.seconds, 3),
        "hold": round(1000 * max([2.5 * step, *(1.5 * span for span in spans)])),
        "least": LEAST if known else 0,
        "most": round(top(persons), 2) if known else 1,
        "thresholds": [round(value, 4) for value in THRESHOLDS] if known else [],
        "levels": [{"word": w, "colour": COLOURS_OF_LEVELS[w]} for w in (LEVELS if known else ())],
        "emotions": {
            str(e): {
                "label": e.label, "light": COLOURS_OF_EMOTIONS[e],
                "dark": on_dark(COLOURS_OF_EMOTIONS[e]), "possible": e in possible,
                "shown": e in there or not there,
            }
            for e in Emotion if e != Emotion.NEUTRAL
        },
        "persons": [_person(one, boxes.get(one.track), one in longest) for one in persons],
        "events": [_event(row, film.faces) for row in film.events.to_dict("records")],
        "stills": [{"time": round(time, 3), "data": _uri(data)} for time, data in film.stills],
        "versions": [vars(one) for one in film.versions],
    }  # fmt: skip


def on_dark(colour: str) -> str:
    """The colour, mixed with as much white as makes it 3.5 times as light as the dark page."""
    rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    for white in np.linspace(0, 1, 41):
        mixed = rgb + white * (255 - rgb)
        share = mixed / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        if linear @ (0.2126, 0.7152, 0.0722) + 0.05 >= 3.5 * (_PAGE_LIGHT + 0.05):
            break
    return "#{:02X}{:02X}{:02X}".format(*mixed.round().astype(int))


def _person(
    person: Person, boxes: Int[np.ndarray, "frame 5"] | None, shown: bool
) -> dict[str, Any]:
    times = [None if math.isnan(t) else round(1000 * t) for t in person.time.tolist()]
    curves = {
        emotion: [None if math.isnan(v) else round(100 * v) for v in curve.tolist()]
        for emotion, curve in person.curves.items()
    }
    placed = np.zeros((0, 5), np.int64) if boxes is None else boxes
    return {
        "track": person.track, "first": round(person.first, 3), "last": round(person.last, 3),
        "shown": shown, "times": times, "curves": curves,
        "boxTimes": placed[:, 0].tolist(), "boxes": placed[:, 1:].ravel().tolist(),
    }  # fmt: skip


def _event(row: Mapping[Any, Any], faces: Mapping[int, bytes]) -> dict[str, Any]:
    face = faces.get(row["event"])
    return {
        "track": int(row["track"]),
        "emotion": str(row["emotion"]),
        "level": level_of(row["log_odds"]),
        "strength": round(float(row["log_odds"]), 2),
        **{side: round(float(row[side]), 3) for side in ("onset", "apex", "offset")},
        "begins_before": bool(row["begins_before"]),
        "goes_on": bool(row["goes_on"]),
        "face": None if face is None else _uri(face),
    }


def _boxes(film: FilmPage) -> dict[int, Int[np.ndarray, "frame 5"]]:
    """Of each person: the time in ms, and the box in thousandths of the frame."""
    names = ["box_left", "box_top", "box_right", "box_bottom"]
    rows = film.frames[film.frames["track"].notna()]
    if not set(names) <= set(rows) or not all(film.size):
        return {}
    rows = rows[rows["frame"] % (_step_of(rows["frame"]) * math.ceil(len(rows) / BOXES)) == 0]
    width, height = film.size
    scale = 1000 / np.array([width, height, width, height])
    boxes = rows[names].to_numpy(np.float64) * scale
    times = 1000 * rows["time"].to_numpy(np.float64)
    numbers = np.column_stack([times, np.clip(boxes, 0, 1000)]).round().astype(np.int64)
    track = rows["track"].to_numpy(np.int64)
    return {int(one): numbers[track == one] for one in np.unique(track)}


def _step_of(frames: pd.Series) -> int:
    """Each so many-th frame was read."""
    steps = np.diff(np.unique(frames.to_numpy(np.int64)))
    return int(np.gcd.reduce(steps)) if len(steps) else 1


def _step(frames: pd.DataFrame) -> float:
    """Seconds from one frame to the next."""
    return _median(np.diff(np.unique(frames["time"].to_numpy(np.float64))))


def _median(steps: Float[np.ndarray, " step"]) -> float:
    """Of those that are finite; 0.04 s, as of 25 frames a second, where there is none."""
    known = steps[np.isfinite(steps)]
    return float(np.median(known)) if len(known) else 0.04


def _uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _summary(film: FilmPage, persons: Sequence[Person]) -> str:
    frames, events = film.frames["frame"].nunique(), len(film.events)
    read = f"{_clock(film.seconds)}, {_count(frames, 'frame')} read"
    if not persons:
        return f"{read}; no face was found."
    return f"{read}, {_count(len(persons), 'person')}, {_count(events, 'event')}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _legend(film: FilmPage) -> str:
    if has_levels(film.frames):
        return (
            "Curves: smooth log-odds of each emotion against neutral. Filled: events, from onset "
            "to offset; the dot is the apex. ≤ and ≥: the face was seen with the expression from "
            "its first frame, or to its last."
        )
    return "Curves: the probability of each emotion. This network does not know neutral: no levels."


def _tables(film: FilmPage) -> str:
    files = " and ".join(film.tables)
    beside = f" {files} beside this page hold every frame and every column." if files else ""
    return f"What is chosen above, as files.{beside}"


def _clock(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.{1 + (seconds < 1)}f} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
