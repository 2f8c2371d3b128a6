"""Somebody else's scores or ranks of expression intensity, from a file."""

import math
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import SKIP, parse_answer
from emorank.answers.names import check_images, full_names
from emorank.answers.tabular import BLANK, Offenders, Rows, check_file, quoted, table_rows
from emorank.errors import VotesError
from emorank.vocabulary import LEVELS, NONE

COLUMNS = ("image", "score", "level", "rank")
_BLANK = {*BLANK, "none"}


def read_scores(path: Path | str, images: Collection[str]) -> pd.DataFrame:
    """Read the scores of a CSV or Parquet file: one row an image.

    Args:
        path: the file; the ending `.parquet` says Parquet, any other CSV. Columns `image`, and
            `score` (a number, the greater the stronger), or `level` or `rank` (None, Minimal,
            Average, Strong, or 0 to 3), or both; others are ignored. An empty cell, or "NaN", is a
            score that is missing.
        images: those that may be scored.

    Returns:
        `image` (string), `score` (float64), `level` (Int64), in the order of the file. Without a
        column of scores the level is the score.

    Raises:
        VotesError: a column is missing, an image is unknown or there twice, a score is no finite
            number, a level is none of these, or no image has a score.
    """
    path = Path(path)
    check_file(path)
    parquet = path.suffix.lower() == ".parquet"
    header, rows = table_rows(path, lambda name: name.strip().lower() in COLUMNS, parquet)
    places = {name.strip().lower(): i for i, name in enumerate(header)}
    if "image" not in places or not {"score", "level", "rank"} & set(places):
        raise VotesError(
            f"{path}: expected the columns image and score, level or rank; "
            f"came {', '.join(map(quoted, header[:8]))}"
        )
    table = _table(path, {name: places[name] for name in COLUMNS if name in places}, rows)
    table["image"] = table["image"].map(full_names(table["image"], images)).astype("string")
    check_images(path, table["image"], images)
    offenders = Offenders()
    for name in table.loc[table["image"].duplicated(), "image"]:
        offenders.add("image that is there twice", quoted(name))
    offenders.raise_if_any(f"{path}: expected one row an image")
    if table["score"].isna().all():
        raise VotesError(f"{path}: not one image has a score")
    return table


def _table(path: Path, places: dict[str, int], rows: Rows) -> pd.DataFrame:
    scores = []
    for line, row in rows:
        cells = {name: row[i].strip() if i < len(row) else "" for name, i in places.items()}
        words = [cells[name] for name in ("level", "rank") if cells.get(name)]
        level = _level(path, line, words[0]) if words else None
        score = _score(path, line, cells["score"]) if "score" in cells else level
        scores.append((cells["image"], score, level))
    table = pd.DataFrame(scores, columns=["image", "score", "level"])
    return table.astype({"image": "string", "score": "float64", "level": "Int64"})


def _score(path: Path, line: int, cell: str) -> float | None:
    if cell.lower() in _BLANK:
        return None
    with suppress(ValueError):
        if math.isfinite(score := float(cell)):
            return score
    raise VotesError(f"{path}: line {line}: {quoted(cell)} is no finite number")


def _level(path: Path, line: int, cell: str) -> int | None:
    # None is a level, although an empty score may be written in the same way.
    if cell.lower() in _BLANK and cell.lower() != NONE.lower():
        return None
    try:
        answer = parse_answer(cell)
    except VotesError as error:
        raise VotesError(f"{path}: line {line}: {error}") from None
    if answer == SKIP:
        raise VotesError(f"{path}: line {line}: {quoted(cell)} is no level; leave the cell empty")
    return LEVELS.index(answer)
