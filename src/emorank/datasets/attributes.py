"""Attributes of persons: a table matched to a study's faces, its columns, groups and bands."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from emorank.datasets.manifest import read_table
from emorank.datasets.table import ATTRIBUTES
from emorank.errors import DatasetError, PlanError
from emorank.naming import each, image_name, person_name

Bands = tuple[float, ...]
AGES: Bands = (18, 25, 35, 50, 65)
# Words that the name of an attribute's column may contain.
WORDS = {
    "gender": {"gender", "sex"},
    "age": {"age", "ages"},
    "ethnicity": {"ethnicity", "eth", "ethnic", "race"},
    "skin": {"skin", "skintone", "tone"},
}
_UNKNOWN = {"", "na", "n/a", "nan", "none", "unknown", "?", "-"}
# A column with more different values than this is not split into groups.
_MOST_GROUPS = 12


def read_attributes(file: Path, faces: pd.DataFrame, id_column: str = "") -> pd.DataFrame:
    """Attributes of each image, from a table with a row per person or image.

    Each column is compared with the persons, the image ids, the file names, and the file names
    without ending; the column and the kind of name that match most images are used.

    Args:
        file: CSV or Parquet.
        faces: `image`, `person`.
        id_column: the column to match; if empty, any column whose values are all different.

    Returns:
        The file's other columns (string, <NA> where unknown), by `image`; only images that match.

    Raises:
        DatasetError: the file cannot be read, or nothing in it matches.
    """
    table = read_table(file).astype(pd.StringDtype()).rename(columns=lambda name: str(name).strip())
    if not table.columns.is_unique:
        raise DatasetError(f"{file}: a column is there twice: {', '.join(table.columns)}")
    table = table.apply(lambda column: column.str.strip())
    keys = _keys(faces)
    columns = _id_columns(file, table, id_column)
    ids = {
        (column, kind): each(table[column], person_name if kind == "person" else image_name)
        for column in columns
        for kind in keys
    }
    column, kind = max(ids, key=lambda pair: int(keys[pair[1]].isin(ids[pair].dropna()).sum()))
    key, own = keys[kind], ids[column, kind].dropna()
    if not key.isin(own).any():
        raise DatasetError(_no_match(file, table, columns, keys))
    if not own.is_unique:
        twice = own[own.duplicated()].iloc[0]
        raise DatasetError(f"{file}: '{twice}' is in several rows of the column '{column}'")
    rows = table.loc[own.index].drop(columns=column).set_axis(own.array).reindex(key.array)
    rows = rows.set_axis(faces["image"].array).rename_axis("image")
    rows = rows[key.isin(own).array]
    unknown = rows.apply(lambda values: values.str.lower().isin(_UNKNOWN))
    known: pd.DataFrame = rows.mask(unknown.astype(bool))
    return known


def attribute_columns(known: pd.DataFrame, by: Sequence[str], where: str) -> dict[str, str]:
    """The column of each attribute that is asked for; of all that are recognised if none is.

    Args:
        known: the attributes, a column each.
        by: attributes, or attribute and column, as "gender" or "gender=face_gender".
        where: the table's name for the error message.

    Raises:
        PlanError: there is no such column, several columns fit, or no attribute is recognised.
    """
    if by:
        return {
            name.strip(): _column(known, name.strip(), column.strip(), where)
            for name, _, column in (text.partition("=") for text in by)
        }
    candidates = {name: _candidates(known, name) for name in ATTRIBUTES}
    single = {name: columns[0] for name, columns in candidates.items() if len(columns) == 1}
    if not single:
        raise PlanError(
            f"{where} has no {', '.join(ATTRIBUTES)} of the persons; it has "
            f"{_listed(known.columns)}. Give a table of persons or images with --groups FILE, and "
            "name its columns with --by gender=COLUMN"
        )
    return single


def banded_groups(
    values: pd.Series, name: str, bands: Bands | None = None
) -> tuple[pd.Series, list[str] | None]:
    """The groups of an attribute and their order; numbers become bands.

    Words that differ only in capitals, blanks or the encoding of their letters are one group.

    Args:
        values: string, <NA> where unknown.
        name: of the attribute; ages have `AGES` where no bands are given.
        bands: lower ends of all bands except the first, ascending.

    Returns:
        The group of each value (string), and the order of the groups; None if it is alphabetical.

    Raises:
        PlanError: there are too many different values and no bands, or bands for words.
    """
    first: dict[str, str] = {}
    values = each(values, person_name)
    values = each(values, lambda word: first.setdefault(word.casefold(), word))
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64")
    strange = values[values.notna() & numbers.isna()]
    if bands is None and (len(strange) or numbers.isna().all()):
        if values.nunique() > _MOST_GROUPS:
            raise PlanError(
                f"{name}: expected groups, came {values.nunique()} different values such as "
                f"{_listed(values.dropna().unique())}; group them in the table first"
            )
        return values, None
    if len(strange):
        raise PlanError(f"{name}: bands are for numbers, and '{strange.iloc[0]}' is not a number")
    ends = bands or (AGES if name == "age" else None)
    if ends is None:
        if numbers.nunique() > _MOST_GROUPS:
            raise PlanError(
                f"{name}: {numbers.nunique()} different numbers are no groups; say where bands "
                f"begin, such as --bands {name}=10,20,30"
            )
        return values, [f"{value:g}" for value in sorted(numbers.dropna().unique())]
    labels = _labels(ends)
    place = np.searchsorted(ends, numbers.fillna(0).to_numpy(float), side="right")
    groups = pd.Series(np.array(labels)[place], index=values.index, dtype="string")
    return groups.mask(numbers.isna()), labels


def parse_bands(text: str) -> tuple[str, Bands]:
    """Read "age=18,25,35" as an attribute and the lower ends of its bands.

    Raises:
        PlanError: there is no name, or the numbers do not ascend.
    """
    name, _, numbers = text.partition("=")
    try:
        ends = tuple(float(number) for number in numbers.split(","))
    except ValueError:
        ends = ()
    if not name.strip() or not ends or list(ends) != sorted(set(ends)):
        raise PlanError(f"bands '{text}': expected ascending lower ends, such as age=18,25,35,50")
    return name.strip(), ends


def _labels(ends: Bands) -> list[str]:
    """The bands in words: "under 18", "18–24" (or "0.5 to below 1"), "65 and over"."""
    whole = all(end == int(end) for end in ends)
    between = [
        f"{low:g}–{high - 1:g}" if whole and high - low > 1 else f"{low:g} to below {high:g}"
        for low, high in pairwise(ends)
    ]
    return [f"under {ends[0]:g}", *between, f"{ends[-1]:g} and over"]


def _keys(faces: pd.DataFrame) -> dict[str, pd.Series]:
    images = each(faces["image"].astype("string"), image_name)
    paths = images.map(PurePosixPath)
    return {
        "person": each(faces["person"].astype("string"), person_name),
        "image": images,
        "file name": paths.map(lambda path: path.name).astype("string"),
        "file name without its ending": paths.map(lambda path: path.stem).astype("string"),
    }


def _id_columns(file: Path, table: pd.DataFrame, id_column: str) -> list[str]:
    if id_column and id_column not in table.columns:
        raise DatasetError(f"{file}: has no column '{id_column}'; it has {_listed(table.columns)}")
    columns = [id_column] if id_column else list(table.columns)
    if single := [c for c in columns if table[c].notna().any() and table[c].dropna().is_unique]:
        return single
    if id_column:
        ids = table[id_column].dropna()
        twice = ids[ids.duplicated()]
        what = f"'{twice.iloc[0]}' is in several rows" if len(twice) else "it is empty"
        raise DatasetError(
            f"{file}: the column '{id_column}' cannot tell rows apart: {what}; give every person "
            "or image one row"
        )
    raise DatasetError(
        f"{file}: expected a column of persons or images, each in one row; in every column "
        f"({_listed(table.columns)}) values are repeated or missing"
    )


def _no_match(
    file: Path, table: pd.DataFrame, columns: Sequence[str], keys: dict[str, pd.Series]
) -> str:
    present = {kind: key.dropna().unique() for kind, key in keys.items()}
    ours = "; ".join(f"{kind}: {_listed(own, 3)}" for kind, own in present.items() if len(own))
    theirs = "; ".join(f"{name}: {_listed(table[name].dropna(), 3)}" for name in columns[:5])
    return (
        f"{file}: no row is of a person or image of this study. Expected one of ({ours}); came "
        f"({theirs}). Name the column with --id, or write persons as the study does"
    )


def _column(known: pd.DataFrame, name: str, column: str, where: str) -> str:
    if column:
        if column not in known.columns:
            raise PlanError(f"{where} has no column '{column}'; it has {_listed(known.columns)}")
        return column
    candidates = _candidates(known, name)
    if len(candidates) == 1:
        return candidates[0]
    what = f"no column is '{name}'"
    if candidates:
        what = f"{len(candidates)} columns could be '{name}' ({_listed(candidates)})"
    raise PlanError(f"{where}: {what}; it has {_listed(known.columns)}; write --by {name}=COLUMN")


def _candidates(known: pd.DataFrame, name: str) -> list[str]:
    """Columns of this name; if there is none, those whose name contains it or a synonym."""
    same = [column for column in known.columns if column.lower() == name.lower()]
    if same:
        return same
    words = WORDS.get(name.lower(), {name.lower()})
    parts = {column: set(re.split(r"[^a-z0-9]+", column.lower())) for column in known.columns}
    return [column for column, inside in parts.items() if words & inside]


def _listed(values: Sequence[str] | pd.Index | pd.Series | np.ndarray, most: int = 8) -> str:
    """The first values for a message, each at most 40 characters."""
    some = [f"{value!s:.40}" for value in list(values)[:most]]
    return ", ".join(some) + (" …" if len(values) > most else "") or "none"
