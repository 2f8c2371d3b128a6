"""The one walk through folders of images: a fixed order, names compared without regard to case.

Data sets, rating projects, `rank` and `explain` all walk in this way. Hidden files (also the folder
`__MACOSX`) are passed over. Links to folders are not followed, links to files only if they stay
inside the folder. A file is a picture if its ending is in `EXTENSIONS` or, whatever it is called,
if its first bytes are those of a picture that is read. Everything else is listed with the reason.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from emorank import picture_formats
from emorank.datasets.table import Problem, plain
from emorank.errors import DatasetError, ImageError
from emorank.printable import printable

Entry = tuple[str, os.DirEntry[str]]
_EXAMPLES = 3  # of files that are no pictures
_AT_ONCE = 100_000  # entries of a folder that are sorted together


@dataclass(frozen=True)
class _Left:
    """Why a file is left out; `picture` says whether somebody may take it for one."""

    reason: str
    picture: bool


def images(root: Path, skip: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield pictures below a folder as POSIX paths relative to it, folder by folder, sorted.

    The folders named in `skip` (in any case) are passed over too; `survey` also tells what is left
    out.

    Raises:
        DatasetError: a folder cannot be read.
    """
    return (file for file, left in _looked_at(root, skip) if left is None)


def survey(root: Path, skip: tuple[str, ...] = ()) -> tuple[list[str], list[Problem]]:
    """The pictures as `images` gives them, and what is left out, with the reason.

    Files that nobody takes for pictures (texts, tables, …) are counted in one line for each reason.

    Raises:
        DatasetError: a folder cannot be read.
    """
    files, left_out, counted = _sorted_out(root, skip)
    return files, [Problem(printable(file), left.reason) for file, left in left_out] + counted


def paths(given: Iterable[Path]) -> tuple[list[Path], list[ImageError]]:
    """Files as they are given, and for each folder the pictures below it, sorted; what is left out.

    Pictures that cannot be read are among the files: whoever reads them says why not. Names may
    hold any characters.

    Raises:
        ImageError: a folder holds no picture.
        DatasetError: a folder cannot be read.
    """
    files: list[Path] = []
    excluded: list[ImageError] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        below: list[Path] = []
        for one in each(path):
            if isinstance(one, ImageError):
                excluded.append(one)
            else:
                below.append(one)
        if not below:
            raise nothing_in(path)
        files += sorted(below)
    return files, excluded


def each(folder: Path, also: str = "") -> Iterator[Path | ImageError]:
    """The pictures below a folder as they are met, or why a file is left out.

    As `paths`, but one at a time, folder by folder, and at the end the lines of those that are no
    pictures. Files are sorted in each folder; in one with very many, in each part of it. So memory
    does not grow with their number. Files whose names end in `also` are given too.

    Raises:
        DatasetError: a folder cannot be read.
    """
    others = _Others()
    for file, left in _looked_at(folder, any_name=True):
        path = folder / file
        wanted = left is None or left.picture or (also and file.lower().endswith(also))
        if left is None or (wanted and not path.is_symlink()):
            yield path
        elif left.picture:
            yield ImageError(path, left.reason)
        else:
            others.add(file, left.reason)
    for problem in others.problems():
        yield ImageError(folder / problem.file, problem.reason)


def nothing_in(folder: Path | str) -> ImageError:
    """What is said of a folder without pictures."""
    return ImageError(folder, "no image files in this folder")


def _sorted_out(
    root: Path, skip: Iterable[str] = ()
) -> tuple[list[str], list[tuple[str, _Left]], list[Problem]]:
    """Pictures; what may be missed as one; and a line for each other reason to leave files out."""
    files: list[str] = []
    left_out: list[tuple[str, _Left]] = []
    others = _Others()
    for file, left in _looked_at(root, skip):
        if left is None:
            files.append(file)
        elif left.picture:
            left_out.append((file, left))
        else:
            others.add(file, left.reason)
    return files, left_out, others.problems()


class _Others:
    """Files that are no pictures: how many for each reason, and the first of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add(self, file: str, reason: str) -> None:
        """Count a file."""
        self.counts[reason] += 1
        if self.counts[reason] <= _EXAMPLES:
            self.examples.setdefault(reason, []).append(printable(file))

    def problems(self) -> list[Problem]:
        """A line for each reason."""
        return [self._line(reason, count) for reason, count in self.counts.items()]

    def _line(self, reason: str, count: int) -> Problem:
        names = self.examples[reason]
        if count == 1:
            return Problem(names[0], reason)
        examples = ", ".join(names) + (", …" if count > _EXAMPLES else "")
        return Problem(f"({count:,} files)", f"each {reason}: {examples}")


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


def _looked_at(
    root: Path, skip: Iterable[str] = (), any_name: bool = False
) -> Iterator[tuple[str, _Left | None]]:
    """Each file below a folder, with the reason why it is left out, None if it is a picture."""
    home = root.resolve()
    for file, entry in entries(root, skip):
        if not any_name and not plain(file):
            reason = "has a name with characters that cannot be printed; rename it"
            yield file, _Left(reason, picture=True)
        elif entry.is_symlink() and not _stays(entry, home):
            reason = "is a link to a folder or out of the data folder; copy its content"
            yield file, _Left(reason, picture=True)
        else:
            yield file, None if picture_formats.named_as_picture(file) else _by_content(entry)


def entries(folder: Path, skip: Iterable[str] = (), prefix: str = "") -> Iterator[Entry]:
    """Yield files and links that are not hidden, as directory entries, which know their kind."""
    skip = frozenset(name.lower() for name in skip)
    below = []
    for entry in _sorted_entries(folder):
        if _hidden(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield prefix + entry.name, entry
        elif entry.name.lower() not in skip:
            below.append(entry.name)
    for name in below:
        yield from entries(folder / name, skip, f"{prefix}{name}/")


def _sorted_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, sorted by name; in parts where it is very much."""
    try:
        with os.scandir(folder) as entries:
            while some := list(islice(entries, _AT_ONCE)):
                yield from sorted(some, key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be read ({error.strerror}); allow it or move it"
        ) from error


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _by_content(entry: os.DirEntry[str]) -> _Left | None:
    """Why a file whose ending is no picture's is left out; None if it is a picture all the same."""
    try:
        if not entry.is_file():
            return _Left("is a pipe, socket or device, or a link that leads nowhere", picture=False)
        with Path(entry.path).open("rb") as file:
            head = file.read(picture_formats.HEAD)
    except OSError as error:
        return _Left(f"cannot be read: {error.strerror}", picture=True)
    if picture_formats.readable(head):
        return None
    return _Left(picture_formats.what(head), picture_formats.is_picture(head))


def _stays(link: os.DirEntry[str], home: Path) -> bool:
    """Whether a link leads to no folder, and to a place inside the folder that is walked."""
    try:
        return not link.is_dir() and Path(link.path).resolve().is_relative_to(home)
    except OSError:  # a circle of links; `Path` says nothing of it from Python 3.13 on
        return False
