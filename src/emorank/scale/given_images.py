"""What pictures there are to read: files, folders, tables of paths, tar files, object stores.

They are listed one at a time, so that ten million need no more memory than ten.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from emorank.datasets import folder_walk
from emorank.errors import DatasetError, ImageError
from emorank.given_pictures import Given
from emorank.images import LIMITS
from emorank.reading.journal import state_of
from emorank.scale import object_store
from emorank.scale.path_table import TABLES, paths_in_table
from emorank.scale.tar_members import TAR, members

STDIN = "-"
"""Paths come on the standard input, one a line, or with NULs between them."""


@dataclass(frozen=True)
class Item:
    """One picture to read.

    Attributes:
        name: as the tables call it: a path, an address, or the path of a tar, "/" and the member.
        tar: path or address of the tar file that holds it, empty if none does.
        offset: of its bytes in the tar.
        size: of it in the tar, in bytes.
    """

    name: str
    tar: str = ""
    offset: int = 0
    size: int = 0


LeftOut = Callable[[ImageError], None]


def items(given: Iterable[Path | str], left_out: LeftOut) -> Iterator[Item]:
    """The pictures that are given, in their order; `left_out` is told of files that are none.

    Args:
        given: pictures, folders, tables of paths (CSV, Parquet), tar files, addresses of an object
            store ("s3://bucket/folder"), or "-" for paths on the standard input.
        left_out: is called with the reason for each file that nobody will read.

    Raises:
        ImageError: a folder, a tar file or a table holds no picture.
        DatasetError: a folder or table cannot be read, or a table has no column of paths.
    """
    for one in given:
        count = 0
        for item in _of(str(one), left_out):
            count += 1
            yield item
        if not count:
            what = "the standard input" if str(one) == STDIN else one
            raise (
                folder_walk.nothing_in(what)
                if Path(one).is_dir()
                else ImageError(what, "holds no picture")
            )


def _of(given: str, left_out: LeftOut) -> Iterator[Item]:
    if given == STDIN:
        for path in _lines(sys.stdin.buffer):
            yield from _one(path, left_out)
    elif object_store.is_address(given):
        for address in object_store.below(given):
            yield from _one(address, left_out)
    elif Path(given).is_dir():
        for found in folder_walk.each(Path(given), TAR):
            if isinstance(found, ImageError):
                left_out(found)
            else:
                yield from _one(str(found), left_out)
    elif Path(given).suffix.lower() in TABLES and Path(given).is_file():
        for path in paths_in_table(Path(given)):
            yield from _one(path, left_out)
    else:
        yield from _one(given, left_out)


def _one(path: str, left_out: LeftOut) -> Iterator[Item]:
    """A picture, or those in a tar file."""
    if not path.lower().endswith(TAR):
        yield Item(path)
        return
    try:
        with _opened(path) as file:
            for member in members(file, path, left_out):
                yield Item(f"{path}/{member.name}", path, member.offset_data, member.size)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error


def is_fetched(item: Item) -> bool:
    """Whether its bytes are read before it is decoded: out of a store, or of a tar file."""
    return bool(item.tar) or object_store.is_address(item.name)


def picture_of(item: Item) -> Given:
    """The picture as `given_pictures` takes it: a path, or the bytes of the file.

    Raises:
        ImageError: it cannot be read.
    """
    if not is_fetched(item):
        return Path(item.name)
    try:
        with _opened(item.tar or item.name) as file:
            if item.tar:
                file.seek(item.offset)
            return file.read(item.size if item.tar else LIMITS.bytes + 1)
    except OSError as error:
        raise ImageError(item.name, f"cannot be read: {error.strerror or error}") from error


def pictures_of(listed: Sequence[Item]) -> Iterable[Given]:
    """The pictures: a list where all are files of their own, else one at a time, as bytes."""
    files = not any(map(is_fetched, listed))
    pictures = map(picture_of, listed)
    return list(pictures) if files else pictures


def state(item: Item) -> list[int]:
    """Size and time of its file, to see whether it has changed; empty where that is not known."""
    place = item.tar or item.name
    return [] if object_store.is_address(place) else state_of(place)


def _opened(place: str) -> Any:
    return object_store.opened(place) if object_store.is_address(place) else Path(place).open("rb")


def _lines(file: BinaryIO) -> Iterator[str]:
    """Paths, one a line, or with NULs between them if there is a NUL in the first part."""
    import os

    separator, rest = b"", b""
    while part := file.read(1 << 16):
        separator = separator or (b"\0" if b"\0" in part else b"\n")
        *whole, rest = (rest + part).split(separator)
        yield from (os.fsdecode(line.removesuffix(b"\r")) for line in whole if line.strip())
    if rest.strip():
        yield os.fsdecode(rest.removesuffix(b"\r") if separator == b"\n" else rest)
