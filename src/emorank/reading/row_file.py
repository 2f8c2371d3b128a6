"""Rows of faces written as a table, however many there are."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.csv import CSVWriter
from pyarrow.parquet import ParquetWriter

from emorank.files import replacing
from emorank.framing import batches

AT_ONCE = 500  # rows in memory


def write_rows(rows: Iterable[dict[str, Any]], out: Path) -> int:
    """Write CSV or Parquet by the ending, whole or not at all; returns the number of rows.

    Rows have the same keys in the same order; None is a missing value. Nothing is written without
    rows. A folder of a million images needs no more memory than a few.

    Raises:
        OSError: it cannot be written; an earlier file stays as it was.
    """
    open_writer = CSVWriter if out.suffix == ".csv" else ParquetWriter
    parts = batches(rows, AT_ONCE)
    first = next(parts, None)
    if first is None:
        return 0
    # A column that begins with missing ranks is one of words all the same.
    inferred = pa.Table.from_pylist(first).schema
    schema = pa.schema(
        f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in inferred
    )
    with replacing(out) as partial, open_writer(partial, schema) as writer:
        count = 0
        for some in chain([first], parts):
            writer.write_table(pa.Table.from_pylist(some, schema))
            count += len(some)
    return count
