"""An append-only file of equal-sized arrays, each under a key, that survives being killed.

Two files in a folder: `data` holds the arrays one after another, `keys` one key a line. An array is
written first and its key after it, so a key that can be read has its array behind it; what a kill
left half-written is cut off when the store is opened for writing again. Reading maps the file into
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
    """Where the records are and what one record is: its shape and its dtype."""

    folder: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of one record."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def keys(self) -> list[str]:
        """The complete records' keys, in the order in which they lie in `data`."""
        try:
            lines = (self.folder / "keys").read_bytes().split(b"\n")
            stored = (self.folder / "data").stat().st_size // self.size
        except FileNotFoundError:
            return []
        # The last piece is empty, or a key that a kill cut short; neither is a record. A file
        # system may also have kept a key and lost its array: the shorter file decides.
        return [line.decode() for line in lines[:-1]][:stored]

    def lacking(self, keys: Iterable[str]) -> dict[str, int]:
        """The keys that have no record yet, each once, and where it is among those given."""
        have = set(self.keys())
        return {key: place for place, key in enumerate(keys) if key not in have}

    def read(self) -> np.ndarray[Any, np.dtype[Any]]:
        """All records as one read-only memory map of shape (records, *shape)."""
        count = len(self.keys())
        if count == 0:
            return np.empty((0, *self.shape), self.dtype)
        return np.memmap(self.folder / "data", self.dtype, "r", shape=(count, *self.shape))

    def chunks(self, records: int) -> Iterator[tuple[list[str], np.ndarray[Any, np.dtype[Any]]]]:
        """Keys and arrays, some records at a time, read into memory that is given back after use.

        A memory map would be counted as the process's own memory as far as it was touched.
        """
        keys = self.keys()
        for start in range(0, len(keys), records):
            some = keys[start : start + records]
            count = len(some) * int(np.prod(self.shape))
            flat = np.fromfile(self.folder / "data", self.dtype, count, offset=start * self.size)
            yield some, flat.reshape(len(some), *self.shape)

    @contextmanager
    def appending(self, *, wait: bool = False) -> Iterator["Appender"]:
        """Open for writing; one process at a time.

        Args:
            wait: until another process that is writing has done so; it may have written what was
                to be written here.

        Raises:
            StudyError: another process is writing to this store, and nobody is to wait.
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
        """Cut off all but the first records."""
        keys = self.store.keys()[:records]
        self.data.truncate(len(keys) * self.store.size)
        self.names.truncate(sum(len(key.encode()) + 1 for key in keys))
