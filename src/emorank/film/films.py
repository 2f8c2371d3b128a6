"""Which films are given: files, folders of films, folders of frames; each has its own name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emorank import picture_formats
from emorank.datasets import folder_walk
from emorank.errors import ImageError
from emorank.naming import natural_order

ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("mp4", "m4v", "mov", "qt", "mkv", "webm", "avi", "mpg", "mpeg", "m2v", "mts", "m2ts"),
        *("ts", "wmv", "asf", "flv", "f4v", "ogv", "ogg", "3gp", "3g2", "mxf", "dv", "vob", "y4m"),
        *("h264", "h265", "hevc", "264", "265", "ivf", "nut", "rm", "rmvb"),
    )
)
"""How names of films end; in a folder, a GIF is a picture, and other files are passed over."""
FPS = 30.0
"""Frames a second of a folder of frames, where nobody says it; so were those of CK+ recorded."""
RESULT = "film.json"
"""Says what a folder of results is of."""
UNFINISHED = "frames.partial"
"""The journal of a film that is being read, in its folder."""
_TABLES = ("frames.parquet", "frames.csv")
_NOT_PLAIN = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Film:
    """A film to read.

    Attributes:
        name: of the folder of its results, no two alike.
        path: its file, or its folder of frames.
        frames: the pictures of a folder of frames, in their order; none for a file.
        fps: frames a second of a folder of frames.
    """

    name: str
    path: Path
    frames: tuple[Path, ...] = ()
    fps: float = FPS


def films_in(given: Iterable[Path | str], fps: float = FPS, out: Path | None = None) -> list[Film]:
    """The films that are given, in order: files as they come, folders in the order of names.

    In a folder each file with one of `ENDINGS` is a film, and each folder that holds pictures is a
    film of these frames, in the order of their names, numbers by value: 9.png is before 10.png.

    Raises:
        ImageError: a folder holds neither films nor pictures, or a name leads nowhere.
        DatasetError: a folder cannot be read.
    """
    found: list[Film] = []
    names: set[str] = set()
    for one in map(Path, given):
        if one.is_dir():
            below = _below(one, fps)
            if not below:
                raise ImageError(one, "no film and no frame is in this folder")
        elif one.exists():
            below = [Film(one.stem, one)]
        else:
            raise ImageError(one, "no such file or folder")
        for film in below:
            plain = _NOT_PLAIN.sub("_", film.name).strip("._") or "film"
            found.append(Film(_new(plain, names), film.path, film.frames, film.fps))
    return found


def _below(folder: Path, fps: float) -> list[Film]:
    """The films in a folder, by name."""
    films: list[tuple[str, Film]] = []
    frames: dict[str, list[str]] = {}
    for file in _not_of_results(file for file, _ in folder_walk.entries(folder)):
        where, _, name = file.rpartition("/")
        if Path(name).suffix.lower() in ENDINGS:
            inside = Path(file).with_suffix("")
            films.append((file, Film("_".join(inside.parts), folder / file)))
        elif picture_formats.named_as_picture(name):
            frames.setdefault(where, []).append(file)
    for where, files in frames.items():
        paths = tuple(folder / file for file in sorted(files, key=natural_order))
        name = "_".join(Path(where).parts) or folder.resolve().name
        films.append((where, Film(name, folder / where, paths, fps)))
    return [film for _, film in sorted(films, key=lambda pair: natural_order(pair[0]))]


def _not_of_results(files: Iterable[str]) -> list[str]:
    """The files without those in folders of results, which `watch` may have put below the films."""
    known = list(files)
    there = set(known)
    results = {
        path.parent
        for path in map(PurePosixPath, known)
        if path.name == UNFINISHED
        or (path.name == RESULT and any(str(path.parent / table) in there for table in _TABLES))
    }
    return [file for file in known if results.isdisjoint(PurePosixPath(file).parents)]


def _new(name: str, names: set[str]) -> str:
    """The name, with a number where there is one already (also in other letters)."""
    number, new = 1, name
    while new.lower() in names:
        number += 1
        new = f"{name}_{number}"
    names.add(new.lower())
    return new
