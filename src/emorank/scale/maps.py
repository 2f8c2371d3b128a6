"""Arrays of a shard, of any size: beside the journal while it is worked on, then in one file.

That file is in the format of safetensors: an array for each name, with a place for each row of the
shard in its table. It is written and read a row at a time, so memory does not grow with it.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from emorank.files import naming, replacing
from emorank.seals import UNSEALED, write_sealed

Arrays = Mapping[str, np.ndarray[Any, Any]]
Where = dict[str, Any]
"""Where the arrays of a row are in the file of a shard that is not finished; plain values."""
_CODES = {"f4": "F32", "f2": "F16", "u1": "U8"}
_DTYPES = {code: np.dtype(f"<{dtype}") for dtype, code in _CODES.items()}


class Appended:
    """Arrays of rows, appended; what a kill left half-written is referred to by nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None

    def add(self, arrays: Arrays) -> Where:
        """Write the arrays of a row.

        Raises:
            OSError: they cannot be written.
        """
        with naming(self.path):
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("ab")
            place = self._file.tell()
            parts = [np.ascontiguousarray(one).tobytes() for one in arrays.values()]
            self._file.writelines(parts)
            self._file.flush()
        return {
            "place": place,
            "form": {name: [one.dtype.str[1:], *one.shape] for name, one in arrays.items()},
            "checksums": [zlib.crc32(part) for part in parts],
        }

    def whole(self, kept: Where) -> bool:
        """Whether the arrays are there as they were written."""
        return all(self._read(kept, name) is not None for name in kept["form"])

    def at(self, kept: Where, name: str) -> bytes:
        """An array of a row, as bytes.

        Raises:
            OSError: it is damaged.
        """
        data = self._read(kept, name)
        if data is None:
            raise OSError(f"{self.path}: was changed while it was read")
        return data

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, kept: Where, name: str) -> bytes | None:
        sizes, names = _sizes(kept["form"]), list(kept["form"])
        before = names[: names.index(name)]
        try:
            with self.path.open("rb") as file:
                file.seek(kept["place"] + sum(sizes[one] for one in before))
                data = file.read(sizes[name])
        except FileNotFoundError:
            return None
        return data if zlib.crc32(data) == kept["checksums"][len(before)] else None


def write(path: Path, rows: Sequence[Where], appended: Appended) -> None:
    """Write the arrays of all rows of a shard, whole or not at all; no file if there are none.

    Raises:
        OSError: it cannot be written, or arrays are damaged.
    """
    if not rows:
        path.unlink(missing_ok=True)
        return
    form = rows[0]["form"]
    # Of an array nothing may begin in the middle of a number: large ones first.
    names = sorted(form, key=lambda name: -np.dtype(form[name][0]).itemsize)
    header: dict[str, Any] = {"__metadata__": {"checksum": UNSEALED}}
    begin = 0
    for name in names:
        dtype, *shape = form[name]
        end = begin + len(rows) * _sizes(form)[name]
        header[name] = {
            "dtype": _CODES[dtype], "shape": [len(rows), *shape], "data_offsets": [begin, end]
        }  # fmt: skip
        begin = end

    def parts() -> Iterator[bytes]:
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        yield len(text).to_bytes(8, "little") + text
        for name in names:
            for row in rows:
                if row["form"] != form:
                    raise ValueError(f"{path}: rows of one shard have arrays of other sizes")
                yield appended.at(row, name)

    with replacing(path) as partial:
        write_sealed(partial, parts())


@dataclass(frozen=True)
class Finished:
    """The arrays of a finished shard, read a row at a time."""

    path: Path
    begin: int
    header: dict[str, Any]

    def row(self, place: int) -> dict[str, np.ndarray[Any, Any]]:
        """The arrays of a row."""
        found = {}
        with self.path.open("rb") as file:
            for name, about in self.header.items():
                dtype, (_, *shape) = _DTYPES[about["dtype"]], about["shape"]
                size = prod(shape)
                file.seek(self.begin + about["data_offsets"][0] + place * size * dtype.itemsize)
                found[name] = np.fromfile(file, dtype, size).reshape(shape)
        return found


def read(path: Path) -> Finished | None:
    """The arrays of a finished shard; None if it has none."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
    except FileNotFoundError:
        return None
    header.pop("__metadata__", None)
    return Finished(path, 8 + size, header)


def _sizes(form: dict[str, Any]) -> dict[str, int]:
    """Bytes of each array of a row."""
    return {name: np.dtype(dtype).itemsize * prod(shape) for name, (dtype, *shape) in form.items()}
