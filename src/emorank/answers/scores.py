"""Somebody else's scores or ranks of expression intensity, from a file."""

import math
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from emorank.answers.tabular import Rows, check_file, csv_rows, parquet_rows, quoted
from emorank.errors import VotesError
from emorank.vocabulary import LEVELS, NONE, Rank

COLUMNS = ("image", "score", "level", "rank")
_BLANK = {"", "nan", "none", "na", "n/a", "null", "<na>"}
_SHOWN = 5


def read_scores(path: Path | str, images: Collection[str]) -> pd.DataFrame:
    """Read the scores of a CSV or Parquet file: one row an image.

    Args:
        path: the file; the ending `.parquet` says Parquet, any other CSV. Columns `image`, and
            `score` (a number, the greater the stronger), or `level` or `rank` (None, Minimal,
            Average, Strong, or 0 to 3), or both; others are ignored. An empty score, or "NaN", is
            one that was not given.
        images: those that may be scored.

    Returns:
        `image` (string), `score` (float64), `level` (Int64), in the order of the file. Without a
        column of scores the level is the score.

    Raises:
        VotesError: a column is missing, an image is unknown or there twice, a score is no finite
            number, a level is none of these, or nothing was scored at all.
    """
    path = Path(path)
    check_file(path)
    parquet = path.suffix.lower() == ".parquet"
    header, rows = parquet_rows(path, _wanted) if parquet else csv_rows(path)
    place = {name.strip().lower(): i for i, name in enumerate(header)}
    if "image" not in place or not {"score", "level", "rank"} & set(place):
        raise VotesError(
            f"{path}: expected the columns image and score, level or rank; "
            f"came {', '.join(map(quoted, header[:8]))}"
        )
    table = _table(path, place, rows)
    _check_images(path, table["image"], images)
    if table["score"].isna().all():
        raise VotesError(f"{path}: not one image has a score")
    return table


def _wanted(name: str) -> bool:
    return name.strip().lower() in COLUMNS


def _table(path: Path, place: dict[str, int], rows: Rows) -> pd.DataFrame:
    found = []
    for line, row in rows:
        cells = {
            name: row[i].strip() if i < len(row) else ""
            for name, i in place.items()
            if name in COLUMNS
        }
        words = [cells[name] for name in ("level", "rank") if cells.get(name)]
        level = _level(path, line, words[0]) if words else None
        score = _score(path, line, cells["score"]) if "score" in cells else level
        found.append((cells["image"], score, level))
    table = pd.DataFrame(found, columns=["image", "score", "level"])
    return table.astype({"image": "string", "score": "float64", "level": "Int64"})


def _score(path: Path, line: int, cell: str) -> float | None:
    if cell.lower() in _BLANK:
        return None
    try:
        score = float(cell)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise VotesError(f"{path}: line {line}: {quoted(cell)} is no finite number")
    return score


def _level(path: Path, line: int, cell: str) -> int | None:
    if cell.lower() in {"0", "0.0", NONE.lower()}:
        return LEVELS.index(NONE)
    if cell.lower() in _BLANK:
        return None
    try:
        return int(Rank.parse(cell.removesuffix(".0")))
    except VotesError as error:
        raise VotesError(f"{path}: line {line}: {error}") from None


def _check_images(path: Path, named: pd.Series, images: Collection[str]) -> None:
    for what, wrong in (
        ("the study does not have", named[~named.isin(list(images))]),
        ("are there twice", named[named.duplicated()]),
    ):
        if len(wrong):
            names = ", ".join(quoted(str(name)) for name in wrong.unique()[:_SHOWN])
            raise VotesError(f"{path}: {len(wrong)} images {what}, such as {names}")
