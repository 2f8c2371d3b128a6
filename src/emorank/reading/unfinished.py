"""What a stopped command has done of many images, kept beside its result until that is whole.

`NAME.partial` is text: a line that says which command it is of, then one with a checksum and JSON
for each image whose rows are all there. A line that a kill left half-written, or that is damaged,
is no line: its image is read again.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Unfinished:
    """Rows of images that are done; `key` says of which command, in any words on one line."""

    def __init__(self, result: Path, key: str) -> None:
        self.path = result.with_name(f"{result.name}.partial")
        self.key = key

    @property
    def of_another(self) -> bool:
        """Whether there is an unfinished result of another command."""
        if not self.path.is_file():
            return False
        with self.path.open(encoding="utf-8") as lines:
            return next(lines, "") not in ("", f"{self.key}\n")

    def lacking(self, images: Sequence[Path]) -> list[Path]:
        """The images that are not done, or have changed since."""
        done = {record["image"] for record in self._records(images)}
        return [image for image in images if str(image) not in done]

    def rows(self, images: Sequence[Path]) -> Iterator[Row]:
        """The rows of those of the images that are done."""
        for record in self._records(images):
            yield from record["rows"]

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows as they come; those of an image, which say `image`, follow each other.

        Raises:
            OSError: they cannot be written; what was kept before still is.
        """
        records = (
            {"image": image, "state": _state(image), "rows": list(group)}
            for image, group in groupby(rows, lambda row: str(row["image"]))
        )
        first = next(records, None)
        if first is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._whole_lines()
        with self.path.open("r+b" if whole else "wb") as file:
            file.seek(whole)
            file.truncate()
            if not whole:
                file.write(f"{self.key}\n".encode())
            for record in chain([first], records):
                text = json.dumps(record, default=_plain).encode()
                file.write(f"{_digest(text)} ".encode() + text + b"\n")
                file.flush()

    def discard(self) -> None:
        """Remove what was kept: the result is whole, or nobody wants it."""
        self.path.unlink(missing_ok=True)

    def _whole_lines(self) -> int:
        """How many bytes the whole lines have."""
        if not self.path.is_file():
            return 0
        with self.path.open("rb") as lines:
            return sum(len(line) for line in lines if line.endswith(b"\n"))

    def _records(self, images: Sequence[Path]) -> Iterator[dict[str, Any]]:
        if not self.path.is_file():
            return
        wanted = set(map(str, images))
        with self.path.open("rb") as lines:
            next(lines, None)
            for line in lines:
                record = _record(line)
                image = record and record["image"]
                if record and image in wanted and record["state"] == _state(image):
                    yield record


def _record(line: bytes) -> dict[str, Any] | None:
    """What a line holds; None if it is torn or damaged."""
    try:
        digest, _, text = line.rstrip(b"\n").partition(b" ")
        whole = line.endswith(b"\n") and digest.decode() == _digest(text)
    except UnicodeDecodeError:
        return None
    return json.loads(text) if whole else None


def _digest(text: bytes) -> str:
    return f"{zlib.crc32(text):08x}"


def _state(image: str) -> list[int]:
    """Size and time of a file: it is read again when they differ."""
    try:
        status = Path(image).stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _plain(value: Any) -> Any:
    """A number of numpy as Python's."""
    return value.item()
