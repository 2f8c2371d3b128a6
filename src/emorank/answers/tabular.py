"""Tables that people send, read within bounds: CSV and Parquet as numbered rows of text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emorank import delimited
from emorank.errors import VotesError

# A hundred raters on a million images would still fit; what is larger is not a votes file.
MAX_BYTES = 512 * 2**20
SHOWN = 5
Rows = Iterator[tuple[int, Sequence[str]]]


@dataclass
class Offenders:
    """What is wrong in a file, by kind: how often, and the first few lines."""

    found: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, where: str) -> None:
        """Note one offence."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= SHOWN:
            self.found.setdefault(kind, []).append(where)

    def raise_if_any(self, path: Path) -> None:
        """Raise a VotesError that names all kinds."""
        if not self.counts:
            return
        parts = [f"{path}: not a valid votes file; no vote was taken from it"]
        for kind, lines in self.found.items():
            more = self.counts[kind] - len(lines)
            tail = f"; and {more} more" if more else ""
            parts.append(f"{self.counts[kind]} × {kind}: " + "; ".join(lines) + tail)
        raise VotesError("\n  ".join(parts))


def check_file(path: Path, most: int | None = None) -> None:
    """Refuse what is no regular file, is empty, or has more than `most` bytes (`MAX_BYTES`)."""
    # A folder, pipe or device would block or never end.
    if not path.is_file():
        raise VotesError(f"{path}: expected a votes file; there is none")
    size = path.stat().st_size
    if size == 0:
        raise VotesError(f"{path}: is empty; expected the columns image, rater, rank")
    most = MAX_BYTES if most is None else most
    if size > most:
        raise VotesError(
            f"{path}: has {size:,} bytes; a votes file has at most {most:,}. Split it up"
        )


def csv_rows(path: Path) -> tuple[Sequence[str], Rows]:
    """The header of a CSV, and its other rows with the number of their last line."""
    # Spreadsheets in many countries write semicolons.
    lines = (
        (number, row)
        for number, row in delimited.rows(path, VotesError, delimiters=",;\t")
        if any(cell.strip() for cell in row)
    )
    header = next(lines, None)
    if header is None:
        raise VotesError(f"{path}: is empty; expected the columns image, rater, rank")
    return header[1], lines


def parquet_rows(path: Path, wanted: Callable[[str], bool]) -> tuple[Sequence[str], Rows]:
    """The wanted columns of a Parquet file, and its rows as a CSV would have written them."""
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
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VotesError(f"{path}: is no Parquet file: {reason}") from None
    rows = zip(*columns.values(), strict=True)
    return header, ((n, [word(cell) for cell in row]) for n, row in enumerate(rows, start=1))


def word(cell: object) -> str:
    """A Parquet cell as a CSV would have written it; whole floats are ranks with gaps between."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def quoted(text: str) -> str:
    """At most sixty characters, with control characters made visible."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
