"""The one walk through folders of images: a fixed order, names compared without regard to case."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from emorank.datasets.table import Problem, plain
from emorank.errors import DatasetError, ImageError
from emorank.picture_formats import EXTENSIONS

Entry = tuple[str, os.DirEntry[str]]


def images(root: Path, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield image files below a folder as POSIX paths relative to it, folder by folder, sorted.

    An image file is one with an ending of `EXTENSIONS`. Hidden files, the folder `__MACOSX` and
    the folders named in `skip` (in any case) are left out. Links to folders are not followed, links
    to files only if they stay inside the root; `problems` lists the links that are left out.

    Raises:
        DatasetError: a folder cannot be read.
    """
    home = root.resolve()
    return (file for file, entry in _entries(root, skip) if _objection(file, entry, home) is None)


def problems(root: Path, skip: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    """List what `images` leaves out: some links, and names that no table can hold."""
    home = root.resolve()
    objections = ((file, _objection(file, entry, home)) for file, entry in _entries(root, skip))
    return tuple(Problem(ascii(file)[1:-1], reason) for file, reason in objections if reason)


def paths(given: Iterable[Path]) -> list[Path]:
    """Return files as they are given, and for each folder the image files below it, sorted.

    Unlike `images` this follows every link to a file: who names a folder may read what it links to.

    Raises:
        ImageError: a folder holds no image file.
        DatasetError: a folder cannot be read.
    """
    result: list[Path] = []
    for path in given:
        if not path.is_dir():
            result.append(path)
            continue
        below = sorted(Path(entry.path) for _, entry in _entries(path) if not _is_folder(entry))
        if not below:
            raise ImageError(path, "no image files in this folder")
        result += below
    return result


def most_names(
    root: Path, accepts: Callable[[str], object], skip: tuple[str, ...] = (), sample: int = 100
) -> bool:
    """Whether `accepts` is true of most names among the first image files of a folder."""
    names = [Path(file).name for file in islice(images(root, skip), sample)]
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


def find(root: Path, *names: str, depth: int = 1) -> Path | None:
    """Return the first path of names, in any case, in the root or a folder up to `depth` below."""
    level = [root]
    for _ in range(depth + 1):
        for folder in level:
            path = child(folder, *names)
            if path is not None:
                return path
        level = [sub for folder in level for sub in folders(folder)]
    return None


def find_file(root: Path, names: Iterable[str]) -> Path | None:
    """Return the first file with one of some names, in any case, in the root or a folder in it."""
    candidates = (find(root, name) for name in names)
    return next((file for file in candidates if file is not None and file.is_file()), None)


def folders(folder: Path) -> list[Path]:
    """Return the folders in a folder that are not hidden, sorted; none if it is no folder."""
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


def _entries(folder: Path, skip: Iterable[str] = (), prefix: str = "") -> Iterator[Entry]:
    """Yield image files and links to folders; as directory entries, which know without asking."""
    skip = frozenset(name.lower() for name in skip)
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
        elif _is_image(entry.name) or _is_folder(entry):
            yield prefix + entry.name, entry
    for entry in below:
        yield from _entries(Path(entry.path), skip, f"{prefix}{entry.name}/")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_image(name: str) -> bool:
    stem, dot, extension = name.rpartition(".")
    return bool(stem) and dot + extension.lower() in EXTENSIONS


def _is_folder(link: os.DirEntry[str]) -> bool:
    return link.is_symlink() and Path(link.path).is_dir()


def _objection(file: str, entry: os.DirEntry[str], home: Path) -> str | None:
    """Return why an entry is left out, None if it is not."""
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
