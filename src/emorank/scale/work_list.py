"""The list of a run's images, cut into shards: it is written first, and then the run is defined."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from emorank import delimited
from emorank.files import replacing
from emorank.framing import batches
from emorank.printable import printable
from emorank.scale.given_images import Item, items
from emorank.scale.run_folder import Run, RunFolder

SHARD = 1_000
"""Images of a shard; fewer where there are few, so that every worker has some."""
_SHARES, _LEAST = 64, 32  # into so many shards a short list is cut, if each has so many images
_COLUMNS = ("image", "reason")
_AT_ONCE = 10_000  # reasons in memory
_ROUND = 16  # a multiple of the faces that a network is shown at once


def write_list(
    folder: RunFolder,
    key: str,
    digest: str,
    given: Iterable[Path | str],
    listed: Callable[[int], None] = lambda _: None,
) -> Run:
    """Write the list of what is given, and define the run; memory does not grow with it.

    Args:
        folder: of the run; a list that was cut short is replaced.
        key: of the command.
        digest: of what is given.
        given: as `sources.items` takes it.
        listed: is told now and then how many images there are so far.

    Raises:
        ImageError: something that is given holds no picture.
        DatasetError: something that is given cannot be read.
    """
    folder.clear()
    folder.path.mkdir(parents=True, exist_ok=True)
    with _reasons(folder.left_out) as leave_out:
        stream = items(given, lambda error: leave_out(error.file, error.reason))
        first = list(islice(stream, _SHARES * SHARD))
        size = shard_size(len(first))
        images = shards = 0
        for some in batches(chain(first, stream), size):
            first = []
            _write_shard(folder, shards, some)
            images, shards = images + len(some), shards + 1
            listed(images)
    run = Run(key, digest, images, shards)
    folder.write(run)
    return run


def shard_size(images: int) -> int:
    """How many images a shard has, of so many images or more."""
    even = -(-images // (_SHARES * _ROUND)) * _ROUND
    return min(max(even, _LEAST), SHARD)


def read_shard(folder: RunFolder, shard: int) -> list[Item]:
    """The images of a shard.

    Raises:
        OSError: the list is damaged or was removed.
    """
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(folder.work(shard))
    except ArrowException as error:
        raise OSError(f"{folder.work(shard)}: is damaged ({error}); begin anew") from error
    return [
        Item(os.fsdecode(row["name"]), os.fsdecode(row["tar"]), row["offset"], row["size"])
        for row in table.to_pylist()
    ]


def _write_shard(folder: RunFolder, shard: int, some: Sequence[Item]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {
        "name": pa.array([os.fsencode(item.name) for item in some], pa.binary()),
        "tar": pa.array([os.fsencode(item.tar) for item in some], pa.binary()),
        "offset": pa.array([item.offset for item in some], pa.int64()),
        "size": pa.array([item.size for item in some], pa.int64()),
    }
    with replacing(folder.work(shard)) as partial:
        parquet.write_table(pa.table(columns), partial)


def write_reasons(path: Path, rows: Iterator[tuple[str, str]]) -> None:
    """Write a table of images and reasons, CSV or Parquet by the ending."""
    if path.suffix == ".csv":
        delimited.write(path, chain([_COLUMNS], rows))
        return
    with _reasons(path) as add:
        for image, reason in rows:
            add(image, reason)


@contextmanager
def _reasons(path: Path) -> Iterator[Callable[[str, str], None]]:
    """What adds an image and a reason to a Parquet table, which is put in place at the end."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
    waiting: list[tuple[str, str]] = []
    with replacing(path) as partial, ParquetWriter(partial, schema) as writer:

        def write() -> None:
            columns = [[printable(row[place]) for row in waiting] for place in (0, 1)]
            writer.write_table(pa.table(columns, schema=schema))
            waiting.clear()

        def add(image: str, reason: str) -> None:
            waiting.append((image, reason))
            if len(waiting) == _AT_ONCE:
                write()

        yield add
        write()
