"""Rows of faces written as a table, however many there are."""

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from emorank import delimited
from emorank.files import replacing
from emorank.framing import batches
from emorank.printable import printable

AT_ONCE = 500  # rows in memory
_HALF = re.compile("[\ud800-\udfff]")


def write_rows(rows: Iterable[dict[str, Any]], out: Path) -> int:
    """Write CSV or Parquet by the ending, whole or not at all; returns the number of rows.

    Rows have the same keys in the same order; None is a missing value. Nothing is written without
    rows. A folder of a million images needs no more memory than a few.

    Raises:
        OSError: it cannot be written; an earlier file stays as it was.
    """
    count = 0

    def counted() -> Iterable[dict[str, Any]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    numbered = iter(counted())
    first = next(numbered, None)
    if first is None:
        return 0
    every = chain([first], numbered)
    if out.suffix == ".csv":
        delimited.write(out, chain([list(first)], (list(row.values()) for row in every)))
    else:
        _write_parquet(every, out)
    return count


def _write_parquet(rows: Iterable[dict[str, Any]], out: Path) -> None:
    parts = batches(({key: _text(value) for key, value in row.items()} for row in rows), AT_ONCE)
    first = next(parts)
    # A column that begins with missing ranks is one of words all the same.
    inferred = pa.Table.from_pylist(first).schema
    schema = pa.schema(
        f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in inferred
    )
    with replacing(out) as partial, ParquetWriter(partial, schema) as writer:
        for some in chain([first], parts):
            writer.write_table(pa.Table.from_pylist(some, schema))


def _text(value: Any) -> Any:
    """A name that is not UTF-8, as Parquet can hold it."""
    broken = isinstance(value, str) and _HALF.search(value)
    return printable(value) if broken else value
