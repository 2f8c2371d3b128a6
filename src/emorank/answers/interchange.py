"""Answers and votes from a file of any format, and answers into one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from emorank import delimited
from emorank.answers.declared import UNSAID, Declared
from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.formats import (
    FORMATS,
    csv_parquet,
    emotion_counts,
    json_file,
    label_studio,
    mdns,
)
from emorank.answers.names import warn_of_similar
from emorank.answers.tabular import check_file, csv_rows
from emorank.errors import VotesError

WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": csv_parquet.write_csv,
    "parquet": csv_parquet.write_parquet,
    "json": json_file.write_json,
    "label-studio": label_studio.write_label_studio,
}


# The formats with words or numbers of people's own.
DECLARABLE = ("csv", "parquet", "label-studio", "mdns")


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


def read_file(
    path: Path,
    format: str | None = None,  # noqa: A002 - the word for it
    declared: Declared = UNSAID,
) -> Source:
    """Read a file of votes; its format is one of `FORMATS`, or None to look into it.

    Raises:
        VotesError: the format is unknown or does not fit, nothing of this kind can be declared of
            it, or there is no answer in the file.
    """
    check_file(path)
    kind = format or recognise(path)
    if kind not in FORMATS:
        raise VotesError(f"{path}: format {kind!r}: expected one of {', '.join(FORMATS)}")
    check_declared(kind, declared)
    try:
        source = _read(path, kind, declared)
        if not len(source.content):
            raise VotesError("holds no answer")
    except VotesError as error:
        # Readers of JSON do not have the file's name.
        raise error if str(path) in str(error) else VotesError(f"{path}: {error}") from None
    if isinstance(source.content, pd.DataFrame):
        warn_of_similar(source.content["rater"].unique())
    return source


def check_declared(kind: str, declared: Declared) -> None:
    """Raise a VotesError if something is declared that has no meaning in a format."""
    if declared.control and kind != "label-studio":
        raise VotesError(f"--control is for an export of Label Studio; this is {kind}")
    if (declared.words or declared.cut) and kind not in DECLARABLE:
        raise VotesError(
            f"--map and --cut are for {', '.join(DECLARABLE)}; this is {kind}, whose answers have "
            "one meaning"
        )


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
        start = file.read(4096)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"SQLite format 3\0"):
        raise VotesError(f"{path}: is a database; export its answers to a file first")
    if start.decode(delimited.encoding_of(path), "ignore").lstrip().startswith(("{", "[")):
        return _kind_of(json_file.load(path), path)
    header = csv_rows(path)[0]
    if {"annotation_id", "annotator"} <= {*header}:
        raise VotesError(f"{path}: is Label Studio's CSV, which lacks the skips; export 'JSON'")
    layout = emotion_counts.layout_of(header)
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


def _read(path: Path, kind: str, declared: Declared) -> Source:
    if kind in ("csv", "parquet"):
        return Source(kind, csv_parquet.read_table(path, kind == "parquet", declared=declared)[0])
    if kind in ("ferplus", "cremad"):
        layout = emotion_counts.FERPLUS if kind == "ferplus" else emotion_counts.CREMAD
        return Source(kind, emotion_counts.read_emotion_votes(path, layout), named=False)
    content = json_file.load(path)
    if _kind_of(content, path) != kind:
        raise VotesError(f"{path}: is {_kind_of(content, path)}, not {kind}")
    if kind == "mdns":
        return Source(kind, mdns.read_mdns(content, declared), named=False)
    if kind == "label-studio":
        return Source(kind, label_studio.read_label_studio(content, declared))
    return Source(kind, json_file.read_json(content))
