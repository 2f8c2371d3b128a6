"""Answers as CSV and Parquet.

Three layouts are read; case and order of the columns do not matter, further columns are ignored:

| layout  | columns                                                            | a row is  |
|---------|--------------------------------------------------------------------|-----------|
| answers | `image`, `rater`, `answer`; the others of the table of answers     | an answer |
| votes   | `image`, `rater`, `rank`; the others of the table of answers       | a vote    |
| sheet   | `image`, `a1`, `a2` …, one for each rater, as in the paper's       | a unit    |
|         | Table 5; `emotion`                                                 |           |
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from emorank import delimited
from emorank.answers.answers_table import COLUMNS, REQUIRED, UNIT, answers_table
from emorank.answers.declared import UNSAID, Declared
from emorank.answers.tabular import BLANK, Offenders, is_name, quoted, table_rows
from emorank.errors import VotesError
from emorank.files import replacing
from emorank.naming import image_name, person_name, whole
from emorank.vocabulary import emotion_word

_RATER_COLUMN = re.compile(r"a\d+")
_FLAGS = {"": False, "0": False, "false": False, "no": False} | dict.fromkeys(
    ("1", "true", "yes"), True
)


@dataclass(frozen=True)
class Layout:
    """Which column of a table holds what.

    Attributes:
        places: of the columns of the table of answers; without the answer itself.
        answers: place of each answer in a row, with its rater where the column is one rater's.
        text: a cell as its writer meant it; of CSV its reader sees to that.
    """

    places: dict[str, int]
    answers: tuple[tuple[str | None, int], ...]
    text: Callable[[str], str] = str

    def cells(self, row: Sequence[str]) -> Iterator[dict[str, str]]:
        """The answers of a row, by the columns of the table of answers."""
        shared = {name: self.text(row[place]) for name, place in self.places.items()}
        for name in shared.keys() - {*REQUIRED}:
            if shared[name].strip().lower() in BLANK:
                shared[name] = ""
        for rater, place in self.answers:
            yield shared | ({"rater": rater} if rater else {}) | {"answer": row[place].strip()}


def read_table(
    path: Path,
    parquet: bool,
    images: Collection[str] | None = None,
    *,
    votes_only: bool = False,
    declared: Declared = UNSAID,
) -> tuple[pd.DataFrame, int]:
    """Read a table of any of the three layouts.

    CSV is text as `delimited.rows` reads it. A blank answer is missing and is left out, and so is
    one of the words in `BLANK`. Answers may be on `images` only; None admits any. `votes_only`
    refuses the layout "answers". `declared` says what words and numbers mean that are not ours.

    Returns:
        The table of answers in the order of the file, and how many answers were blank.

    Raises:
        VotesError: the file cannot be read, a column is missing or there twice, or rows have
            unknown answers, unknown images, no image or rater, or the second answer of a rater to
            a unit at the same showing; the message names the first lines of each kind.
    """
    header, rows = table_rows(path, _relevant, parquet)
    layout = _layout(path, [name.strip().lower() for name in header], parquet, votes_only)
    unit = "row" if parquet else "line"
    known = None if images is None else {image_name(image) for image in images}
    # A name is in many rows.
    image_of, person_of, emotion_of = cache(image_name), cache(person_name), cache(emotion_word)
    offenders, blank = Offenders(), 0
    first: dict[tuple[object, ...], int] = {}
    answers = []
    for number, row in rows:
        where = f"{unit} {number}"
        if len(row) != len(header):
            offenders.add("wrong number of columns", f"{where} has {len(row)}, not {len(header)}")
            continue
        for cells in layout.cells(row):
            if cells["answer"].lower() in BLANK:
                blank += 1
                continue
            answer = _answer(cells, where, known, offenders, declared)
            if answer is None:
                continue
            image, rater, emotion = cells["image"], cells["rater"], cells.get("emotion", "")
            shown = (image_of(image), emotion_of(emotion), person_of(rater), answer["repeat"])
            before = first.setdefault(shown, number)
            if before != number:
                offenders.add(
                    "second answer of a rater to an image",
                    f"{where} {quoted(rater)} on {quoted(image)}, first at {unit} {before}",
                )
            answers.append(answer)
    offenders.raise_if_any(f"{path}: not a valid votes file; no vote was taken from it")
    if not answers:
        raise VotesError(f"{path}: holds no vote ({blank} blank); expected one row a vote")
    return answers_table(answers), blank


def _answer(
    cells: dict[str, str],
    where: str,
    images: Collection[str] | None,
    offenders: Offenders,
    declared: Declared,
) -> dict[str, object] | None:
    """A row for the table of answers; None, with a note in `offenders`, if it is not valid."""
    if not is_name(cells["image"]) or not is_name(cells["rater"]):
        offenders.add("answer without an image or a rater", where)
        return None
    if images is not None and image_name(cells["image"]) not in images:
        offenders.add("unknown image", f"{where} {quoted(cells['image'])}")
    repeat = whole(cells.get("repeat", "").strip().lower())
    if repeat not in _FLAGS:
        offenders.add("repeat that is neither true nor false", f"{where} {quoted(repeat)}")
        return None
    try:
        answer = declared.answer(cells["answer"])
    except VotesError:
        expected = "expected Minimal, Average or Strong; None or Skip; or what --map names"
        offenders.add(f"unknown answer ({expected})", f"{where} {quoted(cells['answer'])}")
        return None
    values: dict[str, object] = {name: cell if cell != "" else None for name, cell in cells.items()}
    return values | {"answer": answer, "repeat": _FLAGS[repeat]}


def _layout(path: Path, names: Sequence[str], parquet: bool, votes_only: bool) -> Layout:
    text: Callable[[str], str] = str.strip if parquet else str
    column = "answer" if "answer" in names and not votes_only else "rank"
    raters = tuple((n.upper(), i) for i, n in enumerate(names) if _RATER_COLUMN.fullmatch(n))
    sheet = bool(raters) and not {"rater", column} & {*names}
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if column == "answer":  # other columns are ignored, so their names may be equal
        doubled = [name for name in doubled if name in COLUMNS]
    if doubled:
        raise VotesError(f"{path}: column {', '.join(map(quoted, doubled))} appears twice")
    if sheet:
        places = {name: names.index(name) for name in UNIT if name in names}
        layout, expected = Layout(places, raters, text), ["image"]
    else:
        places = {n: names.index(n) for n in COLUMNS if n in names and n != "answer"}
        answers = ((None, names.index(column)),) if column in names else ()
        layout = Layout(places, answers, str if column == "answer" else text)
        expected = ["image", "rater", column]
    missing = [name for name in expected if name not in names]
    if missing:
        came = ", ".join(quoted(name) for name in names[:20])
        raise VotesError(
            f"{path}: expected the columns {', '.join(REQUIRED)} (or image, rater, rank; or image, "
            f"a1, a2 …); came {came}; missing {', '.join(missing)}"
        )
    return layout


def _relevant(name: str) -> bool:
    name = name.strip().lower()
    return name in (*COLUMNS, "rank") or _RATER_COLUMN.fullmatch(name) is not None


def write_csv(answers: pd.DataFrame, path: Path) -> None:
    """Write answers as CSV in UTF-8; no cell is a formula, missing ones are empty."""
    table = answers[list(COLUMNS)].copy()
    table["at"] = table["at"].map(lambda at: at.isoformat().replace("+00:00", "Z"), "ignore")
    delimited.write(path, delimited.rows_of(table))


def write_parquet(answers: pd.DataFrame, path: Path) -> None:
    """Write answers as Parquet, with the dtypes of the table."""
    with replacing(path) as partial:
        answers[list(COLUMNS)].to_parquet(partial, index=False)


def write_sheet(sheet: pd.DataFrame, path: Path) -> None:
    """Write any sheet as its ending says: .csv (no cell is a formula), .parquet or .json."""
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet", ".json"):
        raise VotesError(f"{path}: expected an ending .csv, .parquet or .json")
    if kind == ".csv":
        delimited.write(path, delimited.rows_of(sheet))
        return
    with replacing(path) as partial:
        if kind == ".parquet":
            # pandas would write `attrs` too, and fails where it cannot.
            pd.DataFrame(sheet.to_dict("series")).to_parquet(partial, index=False)
        else:
            sheet.to_json(partial, orient="records", indent=1, force_ascii=False)
