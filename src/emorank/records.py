"""An append-only store of arrays of one size, each under a key, that survives a killed process.

It is a folder with two files: `data` holds the arrays one after another, `keys` one key a line. An
array is written before its key, so every complete key has its array. What a killed process has
written in part is cut off when the store is next opened for writing. Reading maps the file into
memory, so a store may be larger than memory.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from emorank.errors import StudyError


@dataclass(frozen=True)
class RecordStore:
    """The folder of the records, and the shape and dtype of one record."""

    folder: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """The size of one record in bytes."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def keys(self) -> list[str]:
        """The keys of the complete records, in the order of the arrays in `data`."""
        try:
            lines = (self.folder / "keys").read_bytes().split(b"\n")
            stored = (self.folder / "data").stat().st_size // self.size
        except FileNotFoundError:
            return []
        # After the last line break there is nothing, or a key that was written in part; neither is
        # a record. A file system may also have lost an array and not its key, so the shorter file
        # counts.
        return [line.decode() for line in lines[:-1]][:stored]

    def lacking(self, keys: Iterable[str]) -> dict[str, int]:
        """The keys without a record, each once, with its position among the given keys."""
        stored = set(self.keys())
        return {key: place for place, key in enumerate(keys) if key not in stored}

    def read(self) -> np.ndarray[Any, np.dtype[Any]]:
        """All records as one read-only memory map of shape (records, *shape)."""
        count = len(self.keys())
        if count == 0:
            return np.empty((0, *self.shape), self.dtype)
        return np.memmap(self.folder / "data", self.dtype, "r", shape=(count, *self.shape))

    def chunks(self, records: int) -> Iterator[tuple[list[str], np.ndarray[Any, np.dtype[Any]]]]:
        """Keys and arrays of some records at a time, in memory that is freed after use.

        Pages of a memory map would count as memory of the process once they are read.
        """
        keys = self.keys()
        for start in range(0, len(keys), records):
            chunk = keys[start : start + records]
            count = len(chunk) * int(np.prod(self.shape))
            flat = np.fromfile(self.folder / "data", self.dtype, count, offset=start * self.size)
            yield chunk, flat.reshape(len(chunk), *self.shape)

    @contextmanager
    def appending(self, *, wait: bool = False) -> Iterator["Appender"]:
        """Open for writing; while another process is writing, `wait` for it or raise StudyError.

        That process may write the same records, so ask again afterwards which are missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise StudyError(
                f"{self.folder}: another process is writing here; wait for it or stop it"
            ) from None
        try:
            with (
                (self.folder / "data").open("ab") as data,
                (self.folder / "keys").open("ab") as names,
            ):
                appender = Appender(self, data, names)
                appender.keep(len(self.keys()))
                yield appender
        finally:
            lock.release()


@dataclass(frozen=True)
class Appender:
    """Writes records to an open store."""

    store: RecordStore
    data: Any
    names: Any

    def append(self, keys: Sequence[str], arrays: np.ndarray[Any, np.dtype[Any]]) -> None:
        """Write `arrays` (records, *shape) under `keys`; durable when it returns."""
        if arrays.shape != (len(keys), *self.store.shape):
            raise ValueError(f"expected {(len(keys), *self.store.shape)}, came {arrays.shape}")
        self.data.write(np.ascontiguousarray(arrays, self.store.dtype).tobytes())
        self.data.flush()
        os.fsync(self.data.fileno())
        self.names.write("".join(f"{key}\n" for key in keys).encode())
        self.names.flush()

    def keep(self, records: int) -> None:
        """Keep the first records and cut off the others."""
        keys = self.store.keys()[:records]
        self.data.truncate(len(keys) * self.store.size)
        self.names.truncate(sum(len(key.encode()) + 1 for key in keys))
