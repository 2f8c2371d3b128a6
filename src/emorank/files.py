"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`: takes its place when all went well, is gone if not."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def unfinished(path: Path) -> bool:
    """Whether a file is one that a kill kept `replacing` from finishing."""
    return path.name.startswith(".") and path.name.endswith(".partial")
