"""Answers and votes from a file of any format, and answers into one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.formats import (
    FORMATS,
    csv_parquet,
    emotion_counts,
    json_file,
    label_studio,
    mdns,
)
from emorank.answers.formats.mdns import CUT, Cut
from emorank.answers.tabular import check_file, csv_rows
from emorank.errors import VotesError

WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": csv_parquet.write_csv,
    "parquet": csv_parquet.write_parquet,
    "json": json_file.write_json,
    "label-studio": label_studio.write_label_studio,
}


@dataclass(frozen=True)
class Source:
    """What a file or a rating project holds.

    Attributes:
        format: one of `FORMATS`, or "project".
        named: whether a rater's name means the same person on every image.
    """

    format: str
    content: pd.DataFrame | EmotionVotes
    named: bool = True


def read_file(path: Path, format: str | None = None, cut: Cut = CUT) -> Source:  # noqa: A002 - the word for it
    """Read a file of votes; its format is one of `FORMATS`, or None to look into it.

    `cut` is for MDNS, see `mdns.read_mdns`. A VotesError if the format is unknown or does not fit.
    """
    check_file(path)
    kind = format or recognise(path)
    if kind not in FORMATS:
        raise VotesError(f"{path}: format {kind!r}: expected one of {', '.join(FORMATS)}")
    try:
        return _read(path, kind, cut)
    except VotesError as error:
        # Readers of JSON do not have the file's name.
        raise error if str(path) in str(error) else VotesError(f"{path}: {error}") from None


def write_answers(answers: pd.DataFrame, path: Path | str, format: str | None = None) -> Path:  # noqa: A002 - the word for it
    """Write answers, from `answers_table`, whole or not at all.

    The ending says the format (.csv, .parquet, .json), unless `format` does: "csv", "parquet",
    "json" or "label-studio".

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
    """The format of a file, by its first bytes, its header or its structure."""
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


def _read(path: Path, kind: str, cut: Cut) -> Source:
    if kind in ("csv", "parquet"):
        return Source(kind, csv_parquet.read_table(path, kind == "parquet")[0])
    if kind in ("ferplus", "cremad"):
        layout = emotion_counts.FERPLUS if kind == "ferplus" else emotion_counts.CREMAD
        return Source(kind, emotion_counts.read_emotion_votes(path, layout), named=False)
    content = json_file.load(path)
    if _kind_of(content, path) != kind:
        raise VotesError(f"{path}: is {_kind_of(content, path)}, not {kind}")
    if kind == "mdns":
        return Source(kind, mdns.read_mdns(content, cut), named=False)
    if kind == "label-studio":
        return Source(kind, label_studio.read_label_studio(content))
    return Source(kind, json_file.read_json(content))
