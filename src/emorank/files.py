"""Write files so that they are complete or not there at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
