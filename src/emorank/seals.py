"""Seal files with a checksum of themselves, and notice those that were damaged since.

A file can be sealed if a text fits somewhere into it: in the header of safetensors, the metadata of
Parquet, a value of JSON. The checksum is that of the whole file with zeros in its place.
"""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path

import xxhash

_SEAL = "emorank-xxh3:"
_DIGITS = 32
UNSEALED = _SEAL + "0" * _DIGITS
"""A text of its own that a file needs somewhere, for instance in its header, to be sealed."""


def seal(path: Path) -> None:
    """Write the checksum of a whole file into it, in the place that `UNSEALED` holds.

    Raises:
        ValueError: the file has no such place.
    """
    whole = _checksums(path)
    if whole is None:
        raise ValueError(f"{path} has no place for a checksum")
    place, _, checksum = whole
    with path.open("r+b") as file:
        file.seek(place)
        file.write(checksum)


def write_sealed(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file of any size, part by part, and seal it; nothing of it is read again.

    `UNSEALED` stands in the first part, a header for instance.

    Raises:
        ValueError: it does not.
        OSError: the file cannot be written.
    """
    total, place = xxhash.xxh3_128(), None
    with path.open("wb") as file:
        for part in parts:
            if place is None:
                place = part.find(UNSEALED.encode())
                if place < 0:
                    raise ValueError(f"{path} has no place for a checksum in its first part")
            total.update(part)
            file.write(part)
        file.seek((place or 0) + len(_SEAL))
        file.write(total.hexdigest().encode())


def is_damaged(path: Path) -> bool:
    """Whether a sealed file has other bytes than when it was sealed.

    Files without a seal, such as those of earlier versions, are taken to be whole.
    """
    whole = _checksums(path)
    return whole is not None and whole[1] != whole[2]


def checksum(path: Path) -> str:
    """The checksum (XXH3, 128 bits) of a file: of what was sealed, the one that stands in it."""
    whole = _checksums(path)
    if whole is not None:
        return whole[1].decode("ascii", "replace")
    total = xxhash.xxh3_128()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            total.update(part)
    return total.hexdigest()


def _checksums(path: Path) -> tuple[int, bytes, bytes] | None:
    """Where the checksum of a sealed file stands, the one that is there and the true one."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            place = data.find(_SEAL.encode())
            if place < 0:
                return None
            place += len(_SEAL)
            end = place + _DIGITS
            total = xxhash.xxh3_128()
            with memoryview(data) as view, view[:place] as before, view[end:] as after:
                total.update(before)
                total.update(b"0" * _DIGITS)
                total.update(after)
            return place, data[place:end], total.hexdigest().encode()
