"""Tables that people send, CSV or Parquet, as numbered rows of text; within bounds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emorank import delimited
from emorank.errors import VotesError

# A hundred raters on a million images would still fit; a larger file is no table of votes.
MAX_BYTES = 512 * 2**20
SHOWN = 5
# What programs write into a cell without a value, in small letters. "none" is an answer.
BLANK = frozenset({"", "nan", "na", "n/a", "#n/a", "nat", "null", "<na>"})
# Those that cannot be a name of a person or an image, as "Na" and "Null" can.
_NO_NAME = frozenset({"", "NaN", "nan", "N/A", "n/a", "#N/A", "NULL", "null", "<NA>"})
Rows = Iterator[tuple[int, Sequence[str]]]


@dataclass
class Offenders:
    """What is wrong in a table, by kind: how often, and the first few places."""

    places: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, *places: str, count: int | None = None) -> None:
        """Note one offence for each place, or `count` offences of which these are the first."""
        self.counts[kind] = self.counts.get(kind, 0) + (len(places) if count is None else count)
        first = self.places.setdefault(kind, [])
        first += places[: SHOWN - len(first)]

    def lines(self) -> list[str]:
        """One line for each kind: `2 × unknown rank: line 3 'Huge'; line 9 'Tiny'`."""
        lines = []
        for kind, places in self.places.items():
            more = self.counts[kind] - len(places)
            tail = f"; and {more} more" if more else ""
            lines.append(f"{self.counts[kind]} × {kind}: " + "; ".join(places) + tail)
        return lines

    def raise_if_any(self, heading: str) -> None:
        """Raise a VotesError with the heading and all lines, unless nothing is wrong."""
        if self.counts:
            raise VotesError("\n  ".join([heading, *self.lines()]))


def check_file(path: Path, most: int | None = None) -> None:
    """Refuse what is no regular file, is empty, or has more than `most` bytes (`MAX_BYTES`)."""
    # Reading a folder fails, and reading a pipe or device may block or never end.
    if not path.is_file():
        raise VotesError(f"{path}: expected a file; there is none")
    size = path.stat().st_size
    if size == 0:
        raise VotesError(f"{path}: is empty; expected a table with a header")
    if size > (most := most or MAX_BYTES):
        raise VotesError(f"{path}: has {size:,} bytes; expected at most {most:,}. Split it up")


def csv_rows(path: Path) -> tuple[Sequence[str], Rows]:
    """The header of a CSV, and its other rows with the number of their last line."""
    rows = (
        (number, row)
        for number, row in delimited.rows(path, VotesError, strip=True)
        if any(cell.strip() for cell in row)
    )
    header = next(rows, None)
    if header is None:
        raise VotesError(f"{path}: is empty; expected a table with a header")
    return header[1], rows


def parquet_rows(path: Path, wanted: Callable[[str], bool]) -> tuple[Sequence[str], Rows]:
    """Some columns of a Parquet file, and its rows as a CSV would have written them."""
    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
            # A few kilobytes of Parquet can unfold to gigabytes.
            if size > MAX_BYTES or meta.num_rows > MAX_BYTES // 16:
                raise VotesError(
                    f"{path}: unfolds to {meta.num_rows:,} rows, {size:,} bytes; split it up"
                )
            header = [name for name in file.schema_arrow.names if wanted(name)]
            columns = file.read(columns=header).to_pydict()
    except (pa.ArrowException, OSError, ValueError) as reason:
        text = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise VotesError(f"{path}: is no Parquet file: {text}") from None
    rows = zip(*columns.values(), strict=True)
    return header, ((n, [cell_text(cell) for cell in row]) for n, row in enumerate(rows, start=1))


def table_rows(
    path: Path, wanted: Callable[[str], bool], parquet: bool
) -> tuple[Sequence[str], Rows]:
    """The header and the rows of a Parquet file (`wanted` columns) or a CSV file (all columns)."""
    return parquet_rows(path, wanted) if parquet else csv_rows(path)


def cell_text(cell: object) -> str:
    """A Parquet cell as a CSV would have written it; 2.0 is "2", as in a column with gaps."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def is_name(cell: str) -> bool:
    """Whether a cell names somebody or something, and is not what programs write for nothing."""
    return cell.strip() not in _NO_NAME


def quoted(text: str) -> str:
    """At most sixty characters, with control characters made visible."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
