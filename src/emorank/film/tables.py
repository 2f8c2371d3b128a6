"""The two tables of a film: every frame's faces, and events."""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank import delimited
from emorank.errors import PlanError
from emorank.files import replacing
from emorank.film.curves import with_curves
from emorank.film.events import events
from emorank.film.look import THUMBNAIL
from emorank.film.measure import unpacked
from emorank.film.tracks import gap_between, shots, tracks
from emorank.framing import BOX, batches
from emorank.reading.identity import NUMBERS
from emorank.reading.journal import Record

FORMATS = ("parquet", "csv")
FRAMES, EVENTS = "frames", "events"
"""Names of the tables, without the ending."""
FIRST = ("frame", "time", "shot", "sequence", "track")
"""The columns of `frames` before those of `emorank rank`."""
_AT_ONCE = 2_000  # records that become a part of the table


@dataclass(frozen=True, eq=False)
class Tables:
    """What is said of a film.

    Attributes:
        frames: `FIRST`, the columns of `RankedFace.row`, landmarks, `size`, `blur`, the curves.
        events: as `events.events`; without a row where the network does not know neutral.
        broken: number, time and reason of each frame that cannot be used.
    """

    frames: pd.DataFrame
    events: pd.DataFrame
    broken: list[dict[str, Any]]


def tables_of(
    name: str,
    records: Iterable[Record],
    face: dict[str, Any],
    temperature: float,
    *,
    smoothed: bool = True,
) -> Tables:
    """The tables of a film from its records.

    Args:
        name: of the film, with which `sequence` begins.
        records: of its frames, as `measure.measure` writes them.
        face: the row of any face, as `measure.Reading.column_row` makes it.
        temperature: of the contrast.
        smoothed: smooth the curves along each track.
    """
    table, looks, thumbnails, broken = _read(records, face)
    there = table["face"].notna().to_numpy()
    frame, time = table["frame"].to_numpy(), table["time"].to_numpy()
    number = np.unique(frame, return_inverse=True)[1]
    shot = shots(thumbnails)[number] if len(table) else np.zeros(0, np.int64)
    box = table[list(BOX)].to_numpy(np.float64)
    given = np.zeros(len(table), np.int64)
    given[there] = tracks(
        frame[there], time[there], shot[there], box[there], looks, gap_between(np.unique(time))
    )
    track = pd.Series(given, dtype="Int64").mask(~there)
    sequence = (name + "/" + track.astype("string")).astype("string")
    table = table.assign(shot=shot, track=track, sequence=sequence)
    table = table[[*FIRST, *(column for column in table if column not in FIRST)]]
    if "p_neutral" not in table:
        return Tables(table, events(table.iloc[:0], [], 1.0), broken)
    table, emotions = with_curves(table, temperature, smoothed=smoothed)
    return Tables(table, events(table, emotions, temperature), broken)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all; Parquet or CSV, by the ending."""
    if path.suffix == ".csv":
        delimited.write(path, delimited.rows_of(table))
        return
    with replacing(path) as partial:
        table.to_parquet(partial, index=False)


def read(folder: Path, name: str) -> pd.DataFrame:
    """A table of a film's folder, whichever format it has.

    Raises:
        PlanError: it is not there.
    """
    for ending in FORMATS:
        path = folder / f"{name}.{ending}"
        if path.is_file():
            return pd.read_parquet(path) if ending == "parquet" else _from_csv(path)
    raise PlanError(f"{folder}: holds no table '{name}'; expected the folder of a watched film")


def _from_csv(path: Path) -> pd.DataFrame:
    """A table from CSV, in which "None" is a level and only an empty cell is missing."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _read(
    records: Iterable[Record], face: dict[str, Any]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """The rows, the looks of the faces, the small picture of each frame, the broken frames."""
    parts, looks, thumbnails, broken = [], [], [], []
    columns = ["frame", "time", *face]
    for some in batches(records, _AT_ONCE):
        rows: list[dict[str, Any]] = []
        for record in some:
            if "reason" in record:
                broken.append({name: record[name] for name in ("frame", "time", "reason")})
            if "reason" in record or "end" in record:
                continue
            about = {name: record[name] for name in ("frame", "time", "image")}
            rows += [one["row"] | about for one in record["faces"]] or [about]
            looks += [unpacked(one["person"]) for one in record["faces"]]
            thumbnails.append(np.frombuffer(b64decode(record["thumbnail"]), np.uint8))
        parts.append(_typed(pd.DataFrame(rows, columns=columns), face))
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else _typed(pd.DataFrame(columns=columns), face)
    )
    side = (-1, THUMBNAIL, THUMBNAIL, 3)
    return (
        table,
        np.array(looks, np.float32).reshape(-1, NUMBERS),
        np.array(thumbnails, np.uint8).reshape(side),
        broken,
    )


def _typed(table: pd.DataFrame, face: dict[str, Any]) -> pd.DataFrame:
    """The columns with the kinds that they have whatever is missing in them."""
    kinds: dict[str, str] = {"frame": "int64", "time": "float64", "image": "string"}
    for name, value in face.items():
        if name in kinds:
            continue
        if isinstance(value, str) or name.endswith("rank"):
            kinds[name] = "string"
        elif isinstance(value, bool | np.bool_):
            kinds[name] = "boolean"
        elif isinstance(value, int | np.integer):
            kinds[name] = "Int64"
        else:
            kinds[name] = "float64"
    return table.astype(kinds)
