"""New files take the place of earlier ones, all of a stage together.

A stage writes its files into a folder of their own. When all of them are whole they are moved; a
process that is killed meanwhile leaves some of them there, and moving them again completes it.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from emorank.results.stored import read_json, write_json

METRICS = "metrics.json"
"""Several stages write into this file; the sections of a stage replace those of the same name."""


def put_in_place(parts: Path, gone: Iterable[str]) -> None:
    """Move all that is in `parts` to the folder above, and delete the files `gone` there.

    It may be called again after it was cut short.

    Raises:
        StudyError: the file of measurements is damaged.
        OSError: a file cannot be moved.
    """
    for name in gone:
        remove(parts.parent / name)
    # A folder cannot be replaced in one step; the earlier one is put aside. Hidden files are no
    # results: this one, and what a killed process left half-written.
    aside = parts / ".earlier"
    for new in sorted(parts.glob("[!.]*")):
        place = parts.parent / new.name
        if new.name == METRICS:
            write_json(place, read_json(place) | read_json(new))
            new.unlink()
            continue
        if new.is_dir() and place.exists():
            remove(aside)
            place.rename(aside)
        new.replace(place)
    remove(parts)


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
