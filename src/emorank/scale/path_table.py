"""A table of paths: CSV or Parquet with a column `image` or `path`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from emorank import delimited
from emorank.errors import DatasetError
from emorank.scale import object_store

TABLES = (".csv", ".tsv", ".parquet")
COLUMNS = ("image", "path")
"""What the column of paths is called; the first that is there counts."""


def paths_in_table(table: Path) -> Iterator[str]:
    """The paths in a table, relative ones from its folder; read some at a time.

    Raises:
        DatasetError: it cannot be read, has no column of paths, or a row has none.
    """
    rows = _parquet(table) if table.suffix.lower() == ".parquet" else _csv(table)
    for where, path in rows:
        if not path:
            raise DatasetError(f"{table}: {where} has no path")
        yield path if object_store.is_address(path) else str(table.parent / path)


def _csv(table: Path) -> Iterator[tuple[str, str]]:
    columns, rows = delimited.table(table, DatasetError)
    place = columns.index(_column(table, columns))
    for line, cells in rows:
        yield f"line {line}", cells[place] if place < len(cells) else ""


def _parquet(table: Path) -> Iterator[tuple[str, str]]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(table) as file:
            column = _column(table, file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(columns=[column]):
                for path in batch.column(0).to_pylist():
                    number += 1
                    if not isinstance(path, str | None):
                        raise DatasetError(
                            f"{table}: column '{column}' holds {type(path).__name__}; expected "
                            "texts"
                        )
                    yield f"row {number}", path or ""
    except (ArrowException, OSError) as error:
        raise DatasetError(f"{table}: is no Parquet file that can be read ({error})") from error


def _column(table: Path, columns: Sequence[str]) -> str:
    for name in COLUMNS:
        if name in columns:
            return name
    raise DatasetError(
        f"{table}: expected a column 'image' or 'path' with the paths of pictures; it has "
        f"{', '.join(columns) or 'none'}"
    )
