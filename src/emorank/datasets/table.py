"""The card of a data set and the table of its faces, which all readers of data sets return."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from emorank import images
from emorank.errors import DatasetError
from emorank.naming import each, image_name, person_name
from emorank.vocabulary import Emotion

EXPRESSED = tuple(emotion for emotion in Emotion if emotion is not Emotion.NEUTRAL)
SIX_AND_NEUTRAL = tuple(emotion for emotion in Emotion if emotion is not Emotion.CONTEMPT)
"""The seven classes of most data sets, in the order of `Emotion`."""

COLUMNS: dict[str, pd.StringDtype | pd.Int64Dtype | pd.Float64Dtype] = {
    "image": pd.StringDtype(),  # unique id, a POSIX path below the root
    "emotion": pd.StringDtype(),  # a value of Emotion, <NA> when unknown
    "person": pd.StringDtype(),
    "sequence": pd.StringDtype(),
    "frame": pd.Int64Dtype(),
    "intensity": pd.Float64Dtype(),  # of the expression, 0 (neutral) to 1 (peak), if known
}

# Optional columns about the persons, for results by group: the words of the data set. Ages may be
# numbers, which become bands.
ATTRIBUTES = ("gender", "age", "ethnicity", "skin")

# Line breaks and halves of surrogate pairs, which tables cannot hold. Unusual spaces are allowed:
# names of macOS screenshots have them.
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
_SAME = "has the name of another image, with its letters encoded otherwise; rename one of them"
_DRIVE = re.compile("[A-Za-z]:")

Read = Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Card:
    """What a data set is.

    Attributes:
        name: the short name of the literature, "KDEF"; `title` is the full one.
        citation: how its authors want it cited.
        url: where it is described or applied for.
        cropped: True if the images are cropped faces (crop "none" by default), False if they are
            photographs with hair, shoulders or background (crop "face").
        counts: published number of images per emotion, with the reader's default options; None
            if no number is published.
        simulated: the faces were rendered, not photographed.
        aligned: the images are cropped as `framing.framed` does it, so a network that learnt from
            them needs photographs cropped in this way.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    cropped: bool
    counts: Mapping[Emotion, int] | None = None
    simulated: bool = False
    aligned: bool = False


@dataclass(frozen=True)
class Problem:
    """A file that was left out, or a difference from what was published, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """The faces of one data set: their table, what is missing, and a function that reads an image.

    Attributes:
        root: the folder that image ids are relative to.
        table: one row per image with the columns of `COLUMNS`, sorted by `image`; and those of
            `ATTRIBUTES` (string) that the data set knows.
        problems: the rows of the exclusion list.
        assumed: what was assumed of persons, in a sentence; "" if nothing was.
        read: image id → UInt8 "height width 3", upright RGB; raises ImageError.
    """

    card: Card
    root: Path
    table: pd.DataFrame
    problems: tuple[Problem, ...]
    read: Read
    assumed: str = ""

    def is_small(self, image: str) -> bool:
        """Whether an image is a file within `images.SMALL`, so that several may be read at once."""
        return plain(image) and images.is_small(self.root / image)


def dataset(
    card: Card,
    root: Path,
    rows: Iterable[Mapping[str, object]] | pd.DataFrame,
    problems: Iterable[Problem] = (),
    read: Read | None = None,
    assumed: str = "",
) -> Dataset:
    """Make a `Dataset` of rows: convert them to the dtypes of `COLUMNS` and check them.

    Missing columns become <NA>, except those of `ATTRIBUTES`; other columns are dropped. Persons
    and sequences are written as `naming.person_name` does. A difference from the published counts
    becomes a problem, and so does an image whose name differs from another's only in how its
    letters are encoded. The default reader reads `root / image`.

    Raises:
        DatasetError: there are no rows, an image id is there twice, an emotion is unknown, or an
            intensity is outside [0, 1].
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame.from_records(list(rows))
    problems = tuple(problems)
    if frame.empty or "image" not in frame.columns:
        raise DatasetError(_nothing(card, root, problems))
    table = pd.DataFrame({name: _column(frame, name) for name in COLUMNS})
    for name in ATTRIBUTES:
        if name in frame.columns:
            table[name] = frame[name].astype(pd.StringDtype())
    for name in ("person", "sequence"):
        table[name] = each(table[name], person_name)
    _check(table, root)
    again = each(table["image"], image_name).duplicated()
    problems += tuple(Problem(image, _SAME) for image in table.loc[again, "image"])
    table = table[~again]
    table = table.sort_values("image", ignore_index=True)
    problems += published(card, table["emotion"].dropna())
    return Dataset(card, root, table, problems, read or partial(_read, root), assumed)


def inside(root: Path, image: str) -> Path:
    """Return the file of an image id; it must lie below the root.

    Ids come from lists that somebody else wrote. So absolute paths, drive letters, ".." and
    symbolic links that point out of the root are refused. The file need not exist.

    Raises:
        DatasetError: the id is empty or leaves the root.
    """
    if not plain(image):
        raise DatasetError(
            f"image '{image}' leaves the data folder {root}; expected a path below it"
        )
    file = root / image
    if not file.resolve().is_relative_to(root.resolve()):
        raise DatasetError(
            f"image '{image}' is a link that leaves the data folder {root}; copy the file into it"
        )
    return file


def finder(root: Path) -> Callable[[str], str | None]:
    """A function that gives the path below the root of the file that a name means.

    It is the name itself where there is such a file, else a file whose name differs only in how
    its letters are encoded (é as one character, or as e and a mark); None if there is neither.
    """

    @cache
    def entries(folder: Path) -> dict[str, str]:
        if not folder.is_dir():
            return {}
        return {unicodedata.normalize("NFC", entry.name): entry.name for entry in folder.iterdir()}

    def find(image: str) -> str | None:
        if (root / image).is_file():
            return image
        parts: list[str] = []
        for part in unicodedata.normalize("NFC", image).split("/"):
            same = entries(root.joinpath(*parts)).get(part)
            if same is None:
                return None
            parts.append(same)
        return "/".join(parts) if root.joinpath(*parts).is_file() else None

    return find


def plain(image: str) -> bool:
    """Whether a string is a path that stays below its folder; links are not followed."""
    # pathlib takes ten times as long, and data sets have hundreds of thousands of names.
    absolute = image.startswith(("/", "\\")) or _DRIVE.match(image)
    escapes = absolute or ".." in image.replace("\\", "/").split("/")
    return bool(image.strip()) and not _CONTROL.search(image) and not escapes


def published(card: Card, table_emotions: Iterable[str]) -> tuple[Problem, ...]:
    """Compare a list of emotions with the published counts; one problem if they differ, else none.

    A part of a data set can be used, so a difference is not an error.
    """
    if card.counts is None:
        return ()
    counts = Counter(table_emotions)
    off = [
        f"{emotion} {counts[emotion]} of {card.counts.get(emotion, 0)}"
        for emotion in Emotion
        if counts[emotion] != card.counts.get(emotion, 0)
    ]
    if not off:
        return ()
    expected = f"expected {sum(card.counts.values())} images as published"
    return (Problem("(whole set)", f"{expected}, found {counts.total()}: {', '.join(off)}"),)


def _read(root: Path, image: str) -> np.ndarray:
    return images.read(inside(root, image))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        return pd.Series(pd.NA, index=frame.index, dtype=COLUMNS[name])
    return frame[name].astype(COLUMNS[name])


def _check(table: pd.DataFrame, root: Path) -> None:
    if table["image"].isna().any():
        raise DatasetError(f"{root}: {int(table['image'].isna().sum())} rows have no image")
    twice = table.loc[table["image"].duplicated(), "image"]
    if len(twice):
        raise DatasetError(
            f"{root}: image '{twice.iloc[0]}' is listed more than once ({len(twice)} repeated"
            " rows); give every image one row"
        )
    unknown = set(table["emotion"].dropna()) - {emotion.value for emotion in Emotion}
    if unknown:
        raise DatasetError(
            f"{root}: '{min(unknown)}' names no emotion; expected {', '.join(Emotion)}"
        )
    outside = table["intensity"][~table["intensity"].between(0, 1)]
    if len(outside):
        raise DatasetError(
            f"{root}: intensity {outside.iloc[0]:g} is outside [0, 1]; divide by the"
            " maximum of the scale"
        )


def _nothing(card: Card, root: Path, problems: tuple[Problem, ...]) -> str:
    why = f"; {len(problems)} files were left out, the first: " if problems else ""
    first = f"{problems[0].file} ({problems[0].reason})" if problems else ""
    return f"{root}: expected images of {card.name}, found none that can be used{why}{first}"
