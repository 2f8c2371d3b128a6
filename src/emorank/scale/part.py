"""The part that a finished shard leaves: rows of faces, and what came of each image."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from emorank.files import replacing
from emorank.framing import batches
from emorank.printable import printable
from emorank.scale import maps
from emorank.scale.given_images import Item
from emorank.scale.run_folder import RunFolder

AT_ONCE = 500  # rows in memory
_HALF = re.compile("[\ud800-\udfff]")
Row = dict[str, Any]


class End(NamedTuple):
    """What came of an image.

    Attributes:
        faces: that were ranked.
        reason: why the image is excluded; None if it is not.
        state: size and time of its file, or nothing.
    """

    faces: int
    reason: str | None
    state: list[int]


def write(
    folder: RunFolder,
    shard: int,
    listed: list[Item],
    records: Iterable[dict[str, Any]],
    appended: maps.Appended,
) -> None:
    """Write the part of a shard: the rows, the maps, and then what makes it finished.

    Rows with maps say in `maps` which file has them, and in `map` at which place.

    Args:
        folder: of the run.
        shard: its number.
        listed: its images.
        records: one for each of them in their order, with `rows`, `reason` and `state`; with
            `maps` where arrays are kept, one for each row.
        appended: where these are.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    ends: list[End] = []
    beside: list[maps.Where] = []

    def rows() -> Iterator[Row]:
        for record, item in zip(records, listed, strict=True):
            ends.append(End(len(record["rows"]), record["reason"], record["state"]))
            yield from (row | {"image": item.name} for row in _with_maps(record))

    def _with_maps(record: dict[str, Any]) -> Iterator[Row]:
        for row, kept in zip_longest(record["rows"], record.get("maps", ())):
            if kept is None:
                yield row
            else:
                yield row | {"maps": folder.maps(shard).name, "map": len(beside)}
                beside.append(kept)

    write_rows(rows(), folder.ranks(shard))
    maps.write(folder.maps(shard), beside, appended)
    columns = {
        "faces": pa.array([end.faces for end in ends], pa.int32()),
        "reason": pa.array([end.reason and printable(end.reason) for end in ends], pa.string()),
        "state": pa.array([end.state for end in ends], pa.list_(pa.int64())),
    }
    with replacing(folder.finished(shard)) as partial:
        parquet.write_table(pa.table(columns), partial)


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows as Parquet, whole or not at all; nothing without rows; returns their number.

    Rows have the same keys in the same order; None is a missing value.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    plain = ({key: _text(value) for key, value in row.items()} for row in rows)
    parts = batches(plain, AT_ONCE)
    first = next(parts, None)
    if first is None:
        path.unlink(missing_ok=True)
        return 0
    # A column that begins with missing ranks is one of words all the same.
    inferred = pa.Table.from_pylist(first).schema
    schema = pa.schema(
        f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in inferred
    )
    count = 0
    with replacing(path) as partial, ParquetWriter(partial, schema) as writer:
        for some in chain([first], parts):
            count += len(some)
            writer.write_table(pa.Table.from_pylist(some, schema))
    return count


def read_ends(path: Path) -> list[End] | None:
    """What came of each image of a finished shard; None if it is not finished, or damaged."""
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(path)
    except (FileNotFoundError, ArrowException):
        return None
    return [End(**row) for row in table.to_pylist()]


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a part, read some at a time; none if it has none."""
    from pyarrow.parquet import ParquetFile

    if not path.exists():
        return
    with ParquetFile(path) as file:
        for batch in file.iter_batches(AT_ONCE):
            yield from batch.to_pylist()


def _text(value: Any) -> Any:
    """A name that is not UTF-8, as Parquet can hold it."""
    broken = isinstance(value, str) and _HALF.search(value)
    return printable(value) if broken else value
