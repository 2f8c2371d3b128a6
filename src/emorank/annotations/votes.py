"""Votes of raters, read from a file that people wrote: all of it is checked, nothing is guessed."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emorank.errors import VotesError
from emorank.vocabulary import Rank

COLUMNS = ("image", "rater", "rank")
# A hundred raters on a million images would still fit; what is larger is not a votes file.
MAX_BYTES = 512 * 2**20
SHOWN = 5
_RATER_COLUMN = re.compile(r"a\d+")


def read_votes(path: Path | str, images: Collection[str] | None = None) -> pd.DataFrame:
    """Read the votes of a CSV or Parquet file.

    Two layouts are understood: one row a vote (columns `image`, `rater`, `rank`) and the sheet of
    the paper's Table 5, one row an image (`image`, `a1`, `a2` …, one column a rater). Other columns
    are ignored. CSV is UTF-8 with commas, semicolons or tabs. Ranks are Minimal, Average, Strong in
    any form that `Rank.parse` reads; a blank rank is a missing vote and is left out.

    Args:
        path: the file; the ending `.parquet` says Parquet, any other CSV.
        images: the images that may be voted on; None admits any.

    Returns:
        `image`, `rater`, `rank` (the rank's label) as strings, in the order of the file;
        `attrs["blank"]` is the number of blank ranks left out.

    Raises:
        VotesError: the file cannot be read as such, or holds unknown ranks, unknown images or
            two votes of one rater on one image; the message names the first lines of each kind.
    """
    path = Path(path)
    _check_file(path)
    parquet = path.suffix.lower() == ".parquet"
    header, rows = _parquet_rows(path) if parquet else _csv_rows(path)
    return _checked(path, header, rows, images, "row" if parquet else "line")


_Rows = Iterator[tuple[int, Sequence[str]]]


@dataclass
class _Offenders:
    """What is wrong in a file, by kind: how often, and the first few lines."""

    found: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, where: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= SHOWN:
            self.found.setdefault(kind, []).append(where)

    def raise_if_any(self, path: Path) -> None:
        if not self.counts:
            return
        parts = [f"{path}: not a valid votes file; no vote was taken from it"]
        for kind, lines in self.found.items():
            more = self.counts[kind] - len(lines)
            tail = f"; and {more} more" if more else ""
            parts.append(f"{self.counts[kind]} × {kind}: " + "; ".join(lines) + tail)
        raise VotesError("\n  ".join(parts))


def _checked(
    path: Path, header: Sequence[str], rows: _Rows, images: Collection[str] | None, unit: str
) -> pd.DataFrame:
    names = [name.strip().lower() for name in header]
    cells = _cells(path, names)
    known = None if images is None else frozenset(images)
    offenders = _Offenders()
    seen: dict[tuple[str, str], int] = {}
    votes: list[tuple[str, str, str]] = []
    blank = 0
    for number, row in rows:
        where = f"{unit} {number}"
        if len(row) != len(names):
            offenders.add("wrong number of columns", f"{where} has {len(row)}, not {len(names)}")
            continue
        for image, rater, word in cells(row):
            if not word:
                blank += 1
                continue
            if not image or not rater:
                offenders.add("vote without an image or a rater", where)
                continue
            if known is not None and image not in known:
                offenders.add("unknown image", f"{where} {_quoted(image)}")
            try:
                rank = Rank.parse(word)
            except VotesError:
                expected = "expected Minimal, Average or Strong"
                offenders.add(f"unknown rank ({expected})", f"{where} {_quoted(word)}")
                continue
            first = seen.setdefault((image, rater), number)
            if first != number:
                offenders.add(
                    "second vote of a rater on an image",
                    f"{where} {_quoted(rater)} on {_quoted(image)}, first at {unit} {first}",
                )
            votes.append((image, rater, rank.label))
    offenders.raise_if_any(path)
    if not votes:
        raise VotesError(f"{path}: holds no vote ({blank} blank); expected one row a vote")
    table = pd.DataFrame(votes, columns=list(COLUMNS), dtype="string")
    table.attrs["blank"] = blank
    return table


@dataclass(frozen=True)
class _Cells:
    """Takes (image, rater, rank word) out of a row of either layout."""

    image: int
    rater: int | None
    ranks: tuple[tuple[str, int], ...]

    def __call__(self, row: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        image = row[self.image].strip()
        for name, column in self.ranks:
            rater = name if self.rater is None else row[self.rater].strip()
            yield image, rater, row[column].strip()


def _cells(path: Path, names: Sequence[str]) -> _Cells:
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise VotesError(f"{path}: column {', '.join(map(_quoted, doubled))} appears twice")
    if set(COLUMNS) <= set(names):
        return _Cells(names.index("image"), names.index("rater"), (("rank", names.index("rank")),))
    raters = tuple((n.upper(), i) for i, n in enumerate(names) if _RATER_COLUMN.fullmatch(n))
    if "image" in names and raters and not {"rater", "rank"} & set(names):
        return _Cells(names.index("image"), None, raters)
    missing = [name for name in COLUMNS if name not in names]
    came = ", ".join(_quoted(name) for name in names[:20])
    raise VotesError(
        f"{path}: expected the columns image, rater, rank (or image, a1, a2 …); came {came}; "
        f"missing {', '.join(missing)}"
    )


def _check_file(path: Path) -> None:
    # A folder, pipe or device would block or never end.
    if not path.is_file():
        raise VotesError(f"{path}: expected a votes file (CSV or Parquet); there is none")
    size = path.stat().st_size
    if size == 0:
        raise VotesError(f"{path}: is empty; expected the columns image, rater, rank")
    if size > MAX_BYTES:
        raise VotesError(
            f"{path}: has {size:,} bytes; a votes file has at most {MAX_BYTES:,}. Split it up"
        )


def _csv_rows(path: Path) -> tuple[Sequence[str], _Rows]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise VotesError(
            f"{path}: line {line} is not UTF-8; save the table as 'CSV UTF-8' and try again"
        ) from None
    if "\0" in text:
        raise VotesError(f"{path}: holds NUL bytes, so it is no CSV; save it as 'CSV UTF-8'")
    first = text.split("\n", 1)[0]
    # Spreadsheets in many countries write semicolons.
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def rows() -> _Rows:
        try:
            for row in reader:
                if row and any(cell.strip() for cell in row):
                    yield reader.line_num, row
        except csv.Error as error:
            raise VotesError(f"{path}: line {reader.line_num} is no CSV: {error}") from None

    lines = rows()
    header = next(lines, None)
    if header is None:
        raise VotesError(f"{path}: is empty; expected the columns image, rater, rank")
    return header[1], lines


def _parquet_rows(path: Path) -> tuple[Sequence[str], _Rows]:
    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
            # A few kilobytes of Parquet can unfold to gigabytes.
            if size > MAX_BYTES or meta.num_rows > MAX_BYTES // 16:
                raise VotesError(
                    f"{path}: unfolds to {meta.num_rows:,} rows, {size:,} bytes; split it up"
                )
            header = [name for name in file.schema_arrow.names if _wanted(name)]
            columns = file.read(columns=header).to_pydict()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VotesError(f"{path}: is no Parquet file: {reason}") from None
    rows = zip(*columns.values(), strict=True)
    return header, ((n, [_word(cell) for cell in row]) for n, row in enumerate(rows, start=1))


def _wanted(name: str) -> bool:
    name = name.strip().lower()
    return name in COLUMNS or _RATER_COLUMN.fullmatch(name) is not None


def _word(cell: object) -> str:
    """A Parquet cell as a CSV would have written it; whole floats are ranks with gaps between."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _quoted(text: str) -> str:
    """At most sixty characters, with control characters made visible."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
