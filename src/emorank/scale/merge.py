"""The parts of a finished run as one table, and all that was excluded as another."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from emorank import delimited
from emorank.files import replacing
from emorank.scale.part import read_ends, read_rows
from emorank.scale.run_folder import Run, RunFolder
from emorank.scale.shard import NO_FACE
from emorank.scale.work_list import read_shard, write_reasons

_GROUP = 50_000  # rows of a group of the merged Parquet file
_REASONS = 1_000  # different reasons that are counted


@dataclass
class Counts:
    """What came of the images of a run.

    Attributes:
        images: on the list.
        ranked: images with a face or more.
        faces: rows.
        faceless: images in which no face was found.
        reasons: why other images are excluded, and how many for each reason; the rarest of very
            many reasons are not told apart.
        left_out: files that the walk passed over because they are no pictures.
    """

    images: int = 0
    ranked: int = 0
    faces: int = 0
    faceless: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    left_out: int = 0

    @property
    def excluded(self) -> int:
        """Images that cannot be used, those without a face among them."""
        return self.faceless + self.reasons.total()


def unfinished(folder: RunFolder, run: Run) -> int:
    """How many shards are not finished."""
    return sum(not folder.finished(shard).exists() for shard in range(run.shards))


def merge_excluded(folder: RunFolder, run: Run, out: Path) -> Counts:
    """Write every excluded image and its reason, and count; no file if there is none.

    Raises:
        OSError: it cannot be written, or a part is damaged.
    """
    counts = Counts(images=run.images)

    def rows() -> Iterator[tuple[str, str]]:
        for row in read_rows(folder.left_out):
            counts.left_out += 1
            yield row["image"], row["reason"]
        for shard in range(run.shards):
            ends = _ends(folder, shard)
            names: list[Any] = []
            for number, end in enumerate(ends):
                counts.ranked += end.faces > 0
                counts.faces += end.faces
                if end.reason is None:
                    continue
                if end.reason == NO_FACE:
                    counts.faceless += 1
                else:
                    known = end.reason in counts.reasons or len(counts.reasons) < _REASONS
                    counts.reasons[end.reason if known else "other reasons"] += 1
                names = names or read_shard(folder, shard)
                yield names[number].name, end.reason

    every = rows()
    first = next(every, None)
    if first is None:
        out.unlink(missing_ok=True)
    else:
        write_reasons(out, chain([first], every))
    return counts


def merge_rows(folder: RunFolder, run: Run, out: Path) -> None:
    """Write all rows in the order of the list, as CSV or Parquet; no file if there are none.

    Raises:
        OSError: it cannot be written, or a part is damaged; an earlier file stays as it was.
    """
    parts = (shard for shard in range(run.shards) if folder.ranks(shard).exists())
    first = next(parts, None)
    if first is None:
        return
    every = chain([first], parts)
    if out.suffix == ".csv":
        delimited.write(out, _cells(folder, every))
    else:
        _merge_parquet(folder, every, out)


def _cells(folder: RunFolder, shards: Iterator[int]) -> Iterator[list[object]]:
    """The rows of shards with a heading; names of files as they are, which Parquet cannot hold."""
    heading = False
    for shard in shards:
        named = zip(_ends(folder, shard), read_shard(folder, shard), strict=True)
        names = chain.from_iterable([item.name] * end.faces for end, item in named)
        for row, name in zip(read_rows(folder.ranks(shard)), names, strict=True):
            if not heading:
                heading = True
                yield list(row)
            yield list((row | {"image": name}).values())


def _merge_parquet(folder: RunFolder, shards: Iterator[int], out: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema: pa.Schema = None
    waiting: list[pa.Table] = []
    with replacing(out) as partial:
        writer: parquet.ParquetWriter = None
        for shard in shards:
            table = parquet.read_table(folder.ranks(shard))
            schema = schema or table.schema
            writer = writer or parquet.ParquetWriter(partial, schema)
            waiting.append(table.cast(schema))
            if sum(len(some) for some in waiting) >= _GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
        writer.close()


def _ends(folder: RunFolder, shard: int) -> Any:
    ends = read_ends(folder.finished(shard))
    if ends is None:
        raise OSError(f"{folder.finished(shard)}: is missing or damaged; give the command again")
    return ends
