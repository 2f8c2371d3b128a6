"""A CSV or Parquet table of images, for data sets that have no file here of their own.

Columns: `image` (path relative to the table's folder) and `emotion`, and optionally `person`,
`sequence`, `frame` (whole number), `intensity` (0 to 1), `gender`, `age`, `ethnicity` and `skin`.
Other columns are ignored.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from emorank import delimited
from emorank.datasets import folder_walk
from emorank.datasets.table import (
    ATTRIBUTES,
    COLUMNS,
    Card,
    Dataset,
    Problem,
    dataset,
    finder,
    inside,
)
from emorank.errors import DatasetError
from emorank.naming import each, image_name, whole
from emorank.vocabulary import Emotion

CARD = Card(
    name="manifest",
    title="A table of images",
    licence="Unknown; see where the images come from",
    citation="",
    url="",
    cropped=False,
)

# What programs write where a number is missing. Among words they stay: a person may be called NA.
_BLANK = {"nan", "na", "n/a", "null", "none", "<na>"}
_NAMES = ("manifest.parquet", "manifest.csv", "manifest.tsv")
_SUFFIXES = {".csv", ".tsv", ".parquet"}


def recognise(root: Path) -> bool:
    """Whether this is a CSV, TSV or Parquet file, or a folder with one named manifest."""
    if root.is_file():
        return root.suffix.lower() in _SUFFIXES
    return _inside(root) is not None


def load(root: Path, cropped: bool = False) -> Dataset:
    """Read the table; images that are missing become problems.

    Args:
        root: the table, or a folder that holds `manifest.csv` or `manifest.parquet`.
        cropped: whether the images show faces already cropped and aligned.

    Raises:
        DatasetError: the table cannot be read, lacks a column, names an unknown emotion, lists an
            image twice, or lists one outside its folder.
    """
    file = root if root.is_file() else _inside(folder_walk.require_folder(root, "manifest.csv"))
    if file is None:
        raise DatasetError(
            f"{root}: expected manifest.csv or manifest.parquet in it; found neither; give the "
            "path of the table itself if it has another name"
        )
    table = _clean(read_table(file), file)
    problems, find = [], finder(file.parent)
    names: dict[str, str] = {}
    for image in table["image"]:
        try:
            inside(file.parent, image)
            name = find(image)
            if name is not None:
                inside(file.parent, name)
        except DatasetError as error:
            raise DatasetError(f"{file}: {error}") from error
        if name is None:
            problems.append(Problem(image, "is listed in the table, but there is no such file"))
        else:
            names[image] = name
    present = table[table["image"].isin(names)]
    present = present.assign(image=present["image"].map(names))
    return dataset(replace(CARD, cropped=cropped), file.parent, present, problems)


def _inside(root: Path) -> Path | None:
    files = (folder_walk.child(root, name) for name in _NAMES)
    return next((file for file in files if file is not None and file.is_file()), None)


def read_table(file: Path) -> pd.DataFrame:
    """A CSV or Parquet file by its ending; cells of CSV are text, missing where empty.

    A header cell without a word and one that repeats another are numbered, as pandas does it.

    Raises:
        DatasetError: it cannot be read, or a row is longer than the header.
    """
    if file.suffix.lower() == ".parquet":
        try:
            return pd.read_parquet(file)
        except (OSError, ValueError) as error:  # pyarrow's are ValueErrors
            raise _unreadable(f"{file}: {str(error).splitlines()[0]}") from error
    header, lines = delimited.table(file, _unreadable)
    if not header:
        raise _unreadable(f"{file}: is empty")
    cells = []
    for number, row in lines:
        if any(row[len(header) :]):
            raise _unreadable(f"{file}: line {number} has more cells than the header")
        row += [""] * (len(header) - len(row))
        cells.append([cell or None for cell in row[: len(header)]])
    # As text: a person called 007 keeps the zeros, and one called NA stays a person.
    return pd.DataFrame(cells, columns=_numbered(header), dtype=str)


def _unreadable(reason: str) -> DatasetError:
    return DatasetError(f"{reason}; expected CSV in UTF-8 with a header, or Parquet")


def _numbered(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for place, word in enumerate(header):
        earlier = header[:place].count(word)
        name = word or f"Unnamed: {place}"
        names.append(f"{name}.{earlier}" if word and earlier else name)
    return names


def _clean(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    table = table.rename(columns={name: str(name).strip().lower() for name in table.columns})
    if missing := [name for name in ("image", "emotion") if name not in table.columns]:
        raise DatasetError(
            f"{file}: lacks the column {' and '.join(missing)}; found "
            f"{', '.join(map(str, table.columns))[:200]}; expected image and emotion, and "
            f"optionally person, sequence, frame, intensity, {', '.join(ATTRIBUTES)}"
        )
    if not table.columns.is_unique:
        raise DatasetError(f"{file}: a column is there twice: {', '.join(table.columns)}")
    clean = pd.DataFrame(index=table.index)
    for name in [name for name in (*COLUMNS, *ATTRIBUTES) if name in table.columns]:
        number = name in ("frame", "intensity")
        clean[name] = _numbers(table[name], name, file) if number else _text(table[name])
    if clean["image"].isna().any():
        raise DatasetError(f"{file}: {int(clean['image'].isna().sum())} rows have no image")
    # Written in one way, so that a/./b and a//b are the same image.
    clean["image"] = each(clean["image"], image_name)
    clean["emotion"] = clean["emotion"].map(_emotions(clean["emotion"], file), na_action="ignore")
    twice = clean.loc[clean["image"].duplicated(), "image"]
    if len(twice):
        raise DatasetError(
            f"{file}: image '{twice.iloc[0]}' is listed more than once ({len(twice)} repeated "
            "rows); give every image one row"
        )
    return clean


def _emotions(words: pd.Series, file: Path) -> dict[str, str]:
    emotions, unknown = {}, []
    for word in words.dropna().unique():
        try:
            emotions[word] = Emotion.parse(word).value
        except DatasetError:
            unknown.append(word)
    if unknown:
        rows = int(words.isin(unknown).sum())
        raise DatasetError(
            f"{file}: {rows} rows name an unknown emotion ({', '.join(unknown[:5])[:100]}); "
            f"expected {', '.join(Emotion)} or a usual synonym, or nothing where it is unknown"
        )
    return emotions


def _numbers(values: pd.Series, name: str, file: Path) -> pd.Series:
    try:
        return pd.to_numeric(values.map(_number)).astype(COLUMNS[name])
    except (ValueError, TypeError, OverflowError) as error:
        what = "whole numbers" if name == "frame" else "numbers from 0 to 1"
        raise DatasetError(f"{file}: column {name} must hold {what} ({error})") from error


def _number(cell: object) -> object:
    """A cell without the words that stand for no number."""
    return None if isinstance(cell, str) and cell.strip().lower() in _BLANK else cell


def _text(values: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        # A column with persons 1, 2 and an empty cell is read as 1.0 and 2.0.
        values = values.astype(COLUMNS["frame"])
    return each(values.astype(COLUMNS["image"]).str.strip(), whole)
