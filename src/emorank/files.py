"""Write files so that they are complete or not there at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
