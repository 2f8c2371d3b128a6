"""Write files so that they are complete or not there at all, and notice those that are damaged."""

import errno
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xxhash

_SEAL = "emorank-xxh3:"
_DIGITS = 32
UNSEALED = _SEAL + "0" * _DIGITS
"""A text of its own that a file needs somewhere, for instance in its header, to be sealed."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; it replaces `path` on success and is deleted on failure.

    Raises:
        OSError: it cannot be written (disk full, no permission); it names `path`.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with naming(path, partial):
            yield partial
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def naming(path: Path, partial: Path | None = None) -> Iterator[None]:
    """Within a `with` statement, errors of the system that name no file, or `partial`, name `path`.

    A full disk tells a library that no more can be written, and not into which file.
    """
    try:
        yield
    except OSError as error:
        if error.filename not in (None, str(partial)):
            raise
        words = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, words, str(path)) from error


@contextmanager
def room_for(path: Path, size: int) -> Iterator[None]:
    """Hold so many bytes of the disk for `path` within a `with` statement, where the system can.

    Raises:
        OSError: there is no room; it names `path`.
    """
    held = path.with_name(f".{path.name}.{os.getpid()}.room.partial")
    try:
        with naming(path, held), held.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                except OSError as error:
                    if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:
                        raise
        yield
    finally:
        held.unlink(missing_ok=True)


def unfinished(path: Path) -> bool:
    """Whether a file is a temporary one of `replacing`, left by a process that was killed."""
    return path.name.startswith(".") and path.name.endswith(".partial")


@contextmanager
def private() -> Iterator[None]:
    """Files and folders that are made meanwhile are their owner's alone: modes 0600 and 0700."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_private(folder: Path) -> int:
    """Take from others every right to a folder and what is in it; returns how many had some.

    Links are left alone. Raises an OSError if one of them belongs to somebody else.
    """
    changed = 0
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # a database's own files come and go
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & 0o077:
                path.chmod(stat.S_IMODE(mode) & 0o700)
                changed += 1
    return changed


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
