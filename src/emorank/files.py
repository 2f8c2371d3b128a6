"""Write files so that they are complete or not there at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; it replaces `path` on success and is deleted on failure."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
