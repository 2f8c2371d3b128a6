"""One process at a time works in the folder of a film."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emorank.errors import StudyError
from emorank.files import unfinished

LOCK = ".watch.lock"
_PATIENCE = 10.0  # seconds: a process that was killed lets go within moments


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let no other process work in the folder of a film within a `with` statement.

    What a process that was killed has left half-written is removed.

    Raises:
        StudyError: another process works there.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise StudyError(f"{folder}: another process reads this film; wait for it") from None
    try:
        for path in folder.iterdir():
            if unfinished(path):
                path.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
