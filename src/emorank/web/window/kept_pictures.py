"""Pictures that the server was told to keep, under the digest of their content."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from emorank.errors import PlanError
from emorank.files import private, replacing
from emorank.picture_formats import HEAD, ending
from emorank.web.window.row_files import as_json

_TURN = threading.Lock()  # two visitors may send the same picture


def open_folder(folder: Path) -> None:
    """Make the folder, for nobody but its owner, unless it is there; and see that it takes files.

    Raises:
        PlanError: it does not.
    """
    try:
        with private():
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PlanError(
            f"--keep {folder}: no pictures can be kept there ({error.strerror}); name a folder "
            "that you can write into, or leave --keep out to store nothing"
        ) from error


def keep_picture(folder: Path, data: bytes, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the bytes of a picture as they came, and what was read, in a JSON file beside it.

    Both are named by the SHA-256 of the bytes. The picture is written last, so one that is there is
    whole and has its rows; the same picture once more replaces its rows.

    Raises:
        OSError: they cannot be written; nothing half-written is left.
    """
    name = hashlib.sha256(data).hexdigest()
    with _TURN:
        for path, content in (
            (folder / f"{name}.json", as_json(rows)),
            (folder / f"{name}{ending(data[:HEAD])}", data),
        ):
            with replacing(path) as partial:
                partial.write_bytes(content)
