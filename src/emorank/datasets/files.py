"""Walking a data folder: image files in a fixed order, names compared without case."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from emorank.datasets.table import Problem, plain
from emorank.errors import DatasetError
from emorank.images import EXTENSIONS

_DEPTH = 8  # no layout is deeper, and a folder that links into itself must end somewhere


def walk(root: Path, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield image files below a folder as POSIX paths relative to it, folder by folder, sorted.

    Hidden files, `__MACOSX` and folders named in `skip` (any case) are passed over. Links to
    folders are not followed, links to files only if they stay inside the root; what that leaves
    out is told by `passed_over`.

    Raises:
        DatasetError: a folder cannot be read.
    """
    home = root.resolve()
    for file, entry in _entries(root, "", _DEPTH, frozenset(name.lower() for name in skip)):
        if _refused(file, entry, home) is None:
            yield file


def passed_over(root: Path, skip: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    """Rows for what `walk` passed over: links, and names that no table can hold."""
    home = root.resolve()
    entries = _entries(root, "", _DEPTH, frozenset(name.lower() for name in skip))
    refused = ((file, _refused(file, entry, home)) for file, entry in entries)
    return tuple(
        Problem(ascii(file)[1:-1], reason) for file, reason in refused if reason is not None
    )


def mostly(
    root: Path, accepts: Callable[[str], object], skip: tuple[str, ...] = (), sample: int = 100
) -> bool:
    """Whether most of the first image files of a folder have names of one pattern."""
    names = [Path(file).name for file in islice(walk(root, skip), sample)]
    return bool(names) and 2 * sum(bool(accepts(name)) for name in names) > len(names)


def child(folder: Path, *names: str) -> Path | None:
    """Return the file or folder below `folder` by a path of names in any case, None if none."""
    for name in names:
        if not folder.is_dir():
            return None
        exact = folder / name
        if not exact.exists():
            same = (entry for entry in folder.iterdir() if entry.name.lower() == name.lower())
            exact = min(same, default=exact)
            if not exact.exists():
                return None
        folder = exact
    return folder


def somewhere(root: Path, *names: str, depth: int = 1) -> Path | None:
    """Return the first path of names, in any case, in the root or a folder up to `depth` below."""
    level = [root]
    for _ in range(depth + 1):
        for folder in level:
            found = child(folder, *names)
            if found is not None:
                return found
        level = [sub for folder in level for sub in folders(folder)]
    return None


def folders(folder: Path) -> list[Path]:
    """Return the visible folders in a folder, sorted, none if it is no folder."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not _hidden(entry.name))


def require_folder(root: Path, name: str) -> Path:
    """Return the root if it is a folder with something in it.

    Raises:
        DatasetError: it does not exist, is a file, cannot be read or is empty.
    """
    if not root.exists():
        raise DatasetError(f"{root}: no such folder; expected the data set {name} in it")
    if not root.is_dir():
        raise DatasetError(f"{root}: is a file; expected the folder that holds {name}")
    try:
        empty = not any(not _hidden(entry.name) for entry in root.iterdir())
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error.strerror})") from error
    if empty:
        raise DatasetError(f"{root}: the folder is empty; expected the data set {name} in it")
    return root


def _entries(
    folder: Path, prefix: str, depth: int, skip: frozenset[str]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield image files and links to folders; as directory entries, which know without asking."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be read ({error.strerror}); allow it or move it"
        ) from error
    below = []
    for entry in entries:
        if _hidden(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name.lower() not in skip:
                below.append(entry)
        elif _is_image(entry.name) or _leads_to_folder(entry):
            yield prefix + entry.name, entry
    if depth > 0:
        for entry in below:
            yield from _entries(Path(entry.path), f"{prefix}{entry.name}/", depth - 1, skip)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_image(name: str) -> bool:
    stem, dot, extension = name.rpartition(".")
    return bool(stem) and dot + extension.lower() in EXTENSIONS


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and Path(entry.path).is_dir()


def _refused(file: str, entry: os.DirEntry[str], home: Path) -> str | None:
    """Return why an entry is passed over, None if it is not."""
    if not plain(file):
        return "has a name with characters that cannot be printed; rename it"
    if not entry.is_symlink():
        return None
    path = Path(entry.path)
    try:
        stays = not path.is_dir() and path.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # a link to itself
        stays = False
    return None if stays else "is a link to a folder or out of the data folder; copy its content"
