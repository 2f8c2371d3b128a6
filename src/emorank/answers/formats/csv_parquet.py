"""Answers as CSV and Parquet: one row an answer."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emorank.answers.answers_table import COLUMNS, REQUIRED, answers_table, parse_answer
from emorank.answers.formats.cells import guarded, unguarded
from emorank.answers.tabular import Offenders, Rows, csv_rows, parquet_rows, quoted
from emorank.answers.votes import read_given
from emorank.errors import VotesError
from emorank.files import replacing

_NAMES = ("image", "emotion", "rater")
_FLAGS = {"": False, "0": False, "false": False, "no": False} | dict.fromkeys(
    ("1", "true", "yes"), True
)


def read_table(path: Path, parquet: bool) -> pd.DataFrame:
    """Read answers, votes or the sheet of Table 5.

    Columns are those of the table of answers in any order, of which `image`, `rater` and `answer`
    have to be there; others are ignored. Without `answer` it is a votes file (`read_given`). A
    blank answer is a missing one and is left out.

    Raises:
        VotesError: as `answers_table` and `read_votes`, with the lines of the offences.
    """
    header, rows = parquet_rows(path, _wanted) if parquet else csv_rows(path)
    names = [name.strip().lower() for name in header]
    if "answer" not in names:
        return answers_table(read_given(path)[0])
    doubled = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    missing = [name for name in REQUIRED if name not in names]
    if doubled or missing:
        what = f"twice the column {doubled[0]}" if doubled else f"no column {missing[0]}"
        raise VotesError(f"{path}: expected {', '.join(COLUMNS)}; there is {what}")
    return _checked(path, names, rows, parquet)


def write_csv(answers: pd.DataFrame, path: Path) -> None:
    """Write answers as CSV in UTF-8; no cell is a formula (see `cells`), missing ones are empty."""
    table = answers.astype("object").where(answers.notna(), "")
    for name in _NAMES:
        table[name] = table[name].map(guarded)
    table["repeat"] = table["repeat"].map({True: "true", False: "false"})
    table["at"] = [at.isoformat().replace("+00:00", "Z") if at else "" for at in table["at"]]
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        # With these line ends a carriage return in a name is quoted too (RFC 4180).
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(table[list(COLUMNS)].itertuples(index=False, name=None))


def write_parquet(answers: pd.DataFrame, path: Path) -> None:
    """Write answers as Parquet, with the dtypes of the table."""
    with replacing(path) as partial:
        answers[list(COLUMNS)].to_parquet(partial, index=False)


def _wanted(name: str) -> bool:
    name = name.strip().lower()
    return name in (*COLUMNS, "rank") or (name[:1] == "a" and name[1:].isdecimal())


def _checked(path: Path, names: Sequence[str], rows: Rows, parquet: bool) -> pd.DataFrame:
    places = {name: names.index(name) for name in COLUMNS if name in names}
    unit, offenders = "row" if parquet else "line", Offenders()
    answers = []
    for number, row in rows:
        if len(row) != len(names):
            offenders.add(
                "wrong number of columns", f"{unit} {number} has {len(row)}, not {len(names)}"
            )
            continue
        cells: dict[str, object] = {
            name: row[i] if parquet else unguarded(row[i]) for name, i in places.items()
        }
        word = row[places["answer"]].strip()
        if not word:
            continue
        repeat = str(cells.get("repeat", "")).strip().lower()
        try:
            cells["answer"] = parse_answer(word)
            cells["repeat"] = _FLAGS[repeat]
        except (VotesError, KeyError):
            bad = word if repeat in _FLAGS else repeat
            offenders.add("unknown answer or repeat", f"{unit} {number} {quoted(bad)}")
            continue
        answers.append({name: cell if cell != "" else None for name, cell in cells.items()})
    offenders.raise_if_any(path)
    if not answers:
        raise VotesError(f"{path}: holds no answer; expected one row an answer")
    return answers_table(answers)


def write_sheet(sheet: pd.DataFrame, path: Path) -> None:
    """Write any sheet as its ending says: .csv (no cell is a formula), .parquet or .json.

    Raises:
        VotesError: another ending.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet", ".json"):
        raise VotesError(f"{path}: expected an ending .csv, .parquet or .json")
    with replacing(path) as partial:
        if kind == ".csv":
            safe = sheet.assign(**{name: sheet[name].map(_guarded) for name in sheet.columns})
            safe.to_csv(partial, index=False, lineterminator="\r\n")
        elif kind == ".parquet":
            # What is in attrs would be written too, if it can be.
            pd.DataFrame(sheet.to_dict("series")).to_parquet(partial, index=False)
        else:
            sheet.to_json(partial, orient="records", indent=1, force_ascii=False)


def _guarded(cell: Any) -> Any:
    return guarded(cell) if isinstance(cell, str) else cell
