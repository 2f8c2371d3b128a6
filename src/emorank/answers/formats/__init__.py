"""Files of votes, in and out; what a file is, its content says, not its name.

| format         | in                                                   | out |
|----------------|------------------------------------------------------|-----|
| `csv`          | one row an answer; votes; the sheet of Table 5       | yes |
| `parquet`      | the same                                             | yes |
| `json`         | answers                                              | yes |
| `label-studio` | an export of Label Studio                            | yes |
| `mdns`         | intensity ratings 0–4, by a cut                      |     |
| `ferplus`      | counts of emotion votes                              |     |
| `cremad`       | counts of emotion votes                              |     |
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.formats import emotion_counts, json_file, label_studio, mdns
from emorank.answers.formats.csv_parquet import read_table, write_csv, write_parquet
from emorank.answers.formats.mdns import CUT, Cut
from emorank.answers.tabular import check_file, csv_rows
from emorank.answers.votes import is_project
from emorank.errors import VotesError, needing

FORMATS = ("csv", "parquet", "json", "label-studio", "mdns", "ferplus", "cremad")
WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "json": json_file.write_json,
    "label-studio": label_studio.write_label_studio,
}


@dataclass(frozen=True)
class Reading:
    """What was read from a file.

    Attributes:
        format: one of `FORMATS`, or "project" for a rating project.
        content: the table of answers, or votes on which emotion is expressed.
        named: whether a rater's name stands for the same person on every image.
    """

    format: str
    content: pd.DataFrame | EmotionVotes
    named: bool = True


def read(path: Path | str, format: str | None = None, cut: Cut = CUT) -> Reading:  # noqa: A002 - the word for it
    """Read a file of votes, whatever it is.

    Args:
        path: the file, or the folder of a rating project.
        format: one of `FORMATS`, for a file that is not recognised; None to look into it.
        cut: of MDNS, see `mdns.read_mdns`.

    Raises:
        VotesError: the file is of no known format or not a valid one; nothing is taken from it.
    """
    path = Path(path)
    if is_project(path):
        with needing("web", "a rating project"):
            from emorank.room.overview import answers
            from emorank.room.project import open_project
        return Reading("project", answers(open_project(path)))
    check_file(path)
    kind = format or recognise(path)
    if kind not in FORMATS:
        raise VotesError(f"{path}: format {kind!r}: expected one of {', '.join(FORMATS)}")
    try:
        return _read(path, kind, cut)
    except VotesError as error:
        # Readers of content do not know the file's name.
        raise error if str(path) in str(error) else VotesError(f"{path}: {error}") from None


def read_answers(path: Path | str, format: str | None = None, cut: Cut = CUT) -> pd.DataFrame:  # noqa: A002 - the word for it
    """The answers in a file of any format that holds some.

    Args:
        path: the file.
        format: None to look into it.
        cut: of MDNS: the lowest ratings that count as Minimal, Average, Strong.

    Raises:
        VotesError: as `read`, and for votes on emotions, which are no answers.
    """
    content = read(path, format, cut).content
    if isinstance(content, EmotionVotes):
        raise VotesError(
            f"{path}: holds votes on which emotion is expressed, not on how strongly; see "
            f"emorank rate summary"
        )
    return content


def write_answers(answers: pd.DataFrame, path: Path | str, format: str | None = None) -> Path:  # noqa: A002 - the word for it
    """Write answers, whole or not at all.

    Args:
        answers: from `answers_table`.
        path: its ending says the format: .csv, .parquet, .json.
        format: "csv", "parquet", "json" or "label-studio" instead.

    Raises:
        VotesError: the ending says no format.
    """
    path = Path(path)
    kind = format or path.suffix.lower().removeprefix(".")
    if kind not in WRITERS:
        raise VotesError(f"{path}: expected an ending .csv, .parquet or .json, or a format")
    WRITERS[kind](answers, path)
    return path


def recognise(path: Path) -> str:
    """The format of a file, by its first bytes, its header or its structure.

    Raises:
        VotesError: it is none that is known.
    """
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"{", b"[")):
        return _kind_of(json_file.load(path), path)
    if start.startswith(b"SQLite format 3\0"):
        raise VotesError(f"{path}: is a database; export its answers to a file first")
    layout = emotion_counts.layout_of(csv_rows(path)[0])
    if layout is not None:
        return "ferplus" if layout is emotion_counts.FERPLUS else "cremad"
    return "csv"


def _kind_of(content: Any, path: Path) -> str:
    if json_file.are_answers(content):
        return "json"
    if label_studio.is_label_studio(content):
        return "label-studio"
    if label_studio.is_minimal(content):
        raise VotesError(f"{path}: is JSON-MIN, which lacks the skips; export 'JSON' instead")
    if mdns.is_mdns(content):
        return "mdns"
    raise VotesError(
        f"{path}: is JSON of no known kind; expected answers, an export of Label Studio, or the "
        f"ratings of MDNS"
    )


def _read(path: Path, kind: str, cut: Cut) -> Reading:
    if kind in ("csv", "parquet"):
        return Reading(kind, read_table(path, parquet=kind == "parquet"))
    if kind in ("ferplus", "cremad"):
        layout = emotion_counts.FERPLUS if kind == "ferplus" else emotion_counts.CREMAD
        return Reading(kind, emotion_counts.read_emotion_votes(path, layout), named=False)
    content = json_file.load(path)
    if _kind_of(content, path) != kind:
        raise VotesError(f"{path}: is {_kind_of(content, path)}, not {kind}")
    if kind == "mdns":
        return Reading(kind, mdns.read_mdns(content, cut), named=False)
    if kind == "label-studio":
        return Reading(kind, label_studio.read_label_studio(content))
    return Reading(kind, json_file.read_json(content))
