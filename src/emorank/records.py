"""An append-only store of arrays of one size, each under a key, that survives a killed process.

It is a folder with two files: `data` holds the arrays one after another, `keys` a line for each,
with the key, a tab, and the checksum (XXH3, 64 bits) of key and array. An array is written before
its key, so every complete key has its array. What a killed process has written in part is cut off
when the store is next opened for writing. Reading maps the file into memory, so a store may be
larger than memory; what is read is compared with its checksum. Records of earlier versions, whose
lines end with the key, are read without that.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from filelock import FileLock, Timeout

from emorank.errors import StudyError
from emorank.files import naming

_BLOCK = 1 << 24  # bytes that are compared with their checksums at a time


@dataclass(frozen=True)
class RecordStore:
    """The folder of the records, the shape and dtype of one, and what to do if one is damaged."""

    folder: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    remedy: str = "delete this folder and give the command again"

    @property
    def size(self) -> int:
        """The size of one record in bytes."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def keys(self) -> list[str]:
        """The keys of the complete records, in the order of the arrays in `data`."""
        return self._entries()[0]

    def _lines(self) -> list[bytes]:
        """The lines of the complete records."""
        try:
            lines = (self.folder / "keys").read_bytes().split(b"\n")
            stored = (self.folder / "data").stat().st_size // self.size
        except FileNotFoundError:
            return []
        # After the last line break there is nothing, or a key that was written in part; neither is
        # a record. A file system may also have lost an array and not its key, so the shorter file
        # counts.
        return lines[:-1][:stored]

    def _entries(self) -> tuple[list[str], list[str | None]]:
        """Key and checksum of each record; no checksum before the first that has one."""
        keys: list[str] = []
        checksums: list[str | None] = []
        for line in self._lines():
            key, tab, checksum = line.decode(errors="replace").partition("\t")
            keys.append(key)
            sealed = bool(tab) or (bool(checksums) and checksums[-1] is not None)
            checksums.append(checksum if sealed else None)
        return keys, checksums

    def lacking(self, keys: Iterable[str]) -> dict[str, int]:
        """The keys without a record, each once, with its position among the given keys."""
        stored = set(self.keys())
        return {key: place for place, key in enumerate(keys) if key not in stored}

    def read(self) -> np.ndarray[Any, np.dtype[Any]]:
        """All records as one read-only memory map of shape (records, *shape).

        Raises:
            StudyError: a record is damaged.
        """
        for _ in self.chunks(max(1, _BLOCK // self.size)):
            pass
        return self._map(len(self.keys()))

    def rows(
        self, keys: Sequence[str]
    ) -> tuple[np.ndarray[Any, np.dtype[Any]], np.ndarray[Any, np.dtype[np.int64]]]:
        """All records as by `read`, and the places of some keys; only these are checked.

        Raises:
            StudyError: a record is damaged, or is not there.
        """
        stored, checksums = self._entries()
        records, place = self._map(len(stored)), {key: row for row, key in enumerate(stored)}
        for key in keys:
            if key not in place:
                raise StudyError(f"{self.folder}: the record {key!a} is missing; {self.remedy}")
            self._check(key, checksums[place[key]], records[place[key]])
        return records, np.array([place[key] for key in keys], np.int64)

    def of(self, keys: Sequence[str]) -> np.ndarray[Any, np.dtype[Any]]:
        """The records of some keys in memory, in the order of the keys.

        Raises:
            StudyError: a record is damaged, or is not there.
        """
        records, rows = self.rows(keys)
        return np.asarray(records[rows])

    def chunks(self, records: int) -> Iterator[tuple[list[str], np.ndarray[Any, np.dtype[Any]]]]:
        """Keys and arrays of some records at a time, in memory that is freed after use.

        Pages of a memory map would count as memory of the process once they are read.

        Raises:
            StudyError: a record is damaged.
        """
        keys, checksums = self._entries()
        for start in range(0, len(keys), records):
            chunk = keys[start : start + records]
            count = len(chunk) * int(np.prod(self.shape))
            flat = np.fromfile(self.folder / "data", self.dtype, count, offset=start * self.size)
            arrays = flat.reshape(len(chunk), *self.shape)
            for key, checksum, array in zip(chunk, checksums[start:], arrays, strict=False):
                self._check(key, checksum, array)
            yield chunk, arrays

    def _map(self, count: int) -> np.ndarray[Any, np.dtype[Any]]:
        if count == 0:
            return np.empty((0, *self.shape), self.dtype)
        return np.memmap(self.folder / "data", self.dtype, "r", shape=(count, *self.shape))

    def _check(self, key: str, checksum: str | None, array: np.ndarray[Any, np.dtype[Any]]) -> None:
        if checksum is not None and checksum != _checksum(key, array):
            raise StudyError(
                f"{self.folder}: the record {key!a} is damaged (its checksum does not fit); "
                f"{self.remedy}"
            )

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
        arrays = np.ascontiguousarray(arrays, self.store.dtype)
        lines = [f"{key}\t{_checksum(key, row)}\n" for key, row in zip(keys, arrays, strict=True)]
        with naming(self.store.folder / "data"):
            self.data.write(arrays.tobytes())
            self.data.flush()
            os.fsync(self.data.fileno())
        with naming(self.store.folder / "keys"):
            self.names.write("".join(lines).encode())
            self.names.flush()

    def keep(self, records: int) -> None:
        """Keep the first records and cut off the others."""
        lines = self.store._lines()[:records]
        self.data.truncate(len(lines) * self.store.size)
        self.names.truncate(sum(len(line) + 1 for line in lines))


def _checksum(key: str, array: np.ndarray[Any, np.dtype[Any]]) -> str:
    total = xxhash.xxh3_64(key.encode())
    total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
