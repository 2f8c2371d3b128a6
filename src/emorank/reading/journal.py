"""Records of finished work, appended as they come; a kill loses none that is whole.

A journal is text: a line that says which command it is of, then one with a checksum and JSON for
each record. A line that a kill left half-written, or that is damaged, is no record.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    """A file of records; `key` says of which command, in any words on one line."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key

    @property
    def of_another(self) -> bool:
        """Whether there is a journal of another command."""
        if not self.path.is_file():
            return False
        with self.path.open(encoding="utf-8") as lines:
            return next(lines, "") not in ("", f"{self.key}\n")

    def records(self) -> Iterator[tuple[int, Record]]:
        """Each whole record, and where it begins in the file, for `at`."""
        if not self.path.is_file():
            return
        with self.path.open("rb") as lines:
            place = len(next(lines, b""))
            for line in lines:
                record = _record(line)
                if record is not None:
                    yield place, record
                place += len(line)

    def at(self, places: Iterator[int]) -> Iterator[Record]:
        """The records that begin at some places."""
        with self.path.open("rb") as lines:
            for place in places:
                lines.seek(place)
                record = _record(lines.readline())
                if record is None:
                    raise OSError(f"{self.path}: was changed while it was read")
                yield record

    @contextmanager
    def appending(self) -> Iterator[Callable[[Record], None]]:
        """Write records within a `with` statement; the file is made by the first of them.

        Raises:
            OSError: one cannot be written; what was written before still is there.
        """
        file = None

        def append(record: Record) -> None:
            nonlocal file
            file = file or self._opened()
            text = json.dumps(record, default=_plain).encode()
            file.write(f"{_digest(text)} ".encode() + text + b"\n")
            file.flush()

        try:
            yield append
        finally:
            if file is not None:
                file.close()

    def discard(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _opened(self) -> Any:
        """The file, after its last whole line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = 0
        if self.path.is_file():
            with self.path.open("rb") as lines:
                whole = sum(len(line) for line in lines if line.endswith(b"\n"))
        file = self.path.open("r+b" if whole else "wb")
        file.seek(whole)
        file.truncate()
        if not whole:
            file.write(f"{self.key}\n".encode())
        return file


def state_of(path: Path | str) -> list[int]:
    """Size and time of a file, to see whether it has changed since; empty if there is none."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return []
    return [status.st_size, status.st_mtime_ns]


def _record(line: bytes) -> Record | None:
    """What a line holds; None if it is torn or damaged."""
    try:
        digest, _, text = line.rstrip(b"\n").partition(b" ")
        whole = line.endswith(b"\n") and digest.decode() == _digest(text)
    except UnicodeDecodeError:
        return None
    return json.loads(text) if whole else None


def _digest(text: bytes) -> str:
    return f"{zlib.crc32(text):08x}"


def _plain(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.item()
