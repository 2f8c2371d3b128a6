"""A folder per emotion: any photographs that somebody has sorted.

An image belongs to the nearest folder above it that is named after an emotion ("Angry",
"happiness", "03_sadness"), so `train/angry/1.png` works as well as `angry/1.png`. Images in no
such folder are listed and left out.

The person is read from the file name. With the option `person`, a regular expression finds it.
Without it, the name without its ending is the person if at least nine tenths of the file names are
in every emotion folder (`happiness/ann.jpg` and `neutral/ann.jpg`) and name somebody: a number is
no identity (`name_persons.py`). Otherwise persons are unknown, and a split by person treats each
image as a person of its own.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

from emorank.datasets import folder_walk
from emorank.datasets.name_persons import SHARE, naming
from emorank.datasets.table import Card, Dataset, Problem, dataset
from emorank.errors import DatasetError, PlanError
from emorank.naming import image_name
from emorank.vocabulary import Emotion

CARD = Card(
    name="folder",
    title="A folder of images per emotion",
    licence="Unknown; see where the images come from",
    citation="",
    url="",
    cropped=False,
)


def recognise(root: Path) -> bool:
    """Whether some image lies in a folder named after an emotion."""
    return any(_emotion(file) is not None for file in folder_walk.images(root))


def load(root: Path, person: str | None = None, cropped: bool = False) -> Dataset:
    r"""Read the table of faces from folder and file names.

    Args:
        root: the folder that holds the emotion folders.
        person: regular expression with a group `person`, searched in the file name, for example
            `r"^(?P<person>\d+)_"`; images without a match have no known person.
        cropped: whether the images show faces already cropped and aligned.

    Raises:
        DatasetError: no image lies in a folder named after an emotion, or the expression finds
            no person at all.
        PlanError: the expression is not valid or has no group `person`.
    """
    pattern = _compile(person)
    folder_walk.require_folder(root, "one folder per emotion")
    placed: list[tuple[str, Emotion]] = []
    files, problems = folder_walk.survey(root)
    elsewhere: Counter[str] = Counter()
    for file in files:
        emotion = _emotion(file)
        if emotion is None:
            elsewhere[str(PurePosixPath(file).parent)] += 1
        else:
            placed.append((file, emotion))
    problems += [
        Problem(folder, f"{number} images in no folder named after an emotion")
        for folder, number in sorted(elsewhere.items())
    ]
    if not placed:
        names = ", ".join(folder.name for folder in folder_walk.folders(root)[:8]) or "none"
        raise DatasetError(
            f"{root}: expected folders named after emotions ({', '.join(Emotion)}) with images in "
            f"them; found {elsewhere.total()} images elsewhere, folders: {names}"
        )
    persons, assumed = (_by_pattern(placed, pattern), "") if pattern else _by_stem(placed)
    if pattern and not any(persons):
        raise DatasetError(
            f"{root}: the expression '{person}' matches no file name such as "
            f"'{PurePosixPath(placed[0][0]).name}'; correct it or leave it out"
        )
    rows = [
        {"image": file, "emotion": emotion.value, "person": name}
        for (file, emotion), name in zip(placed, persons, strict=True)
    ]
    return dataset(replace(CARD, cropped=cropped), root, rows, problems, assumed=assumed)


def _compile(person: str | None) -> re.Pattern[str] | None:
    if person is None:
        return None
    try:
        pattern = re.compile(person)
    except re.error as error:
        raise PlanError(f"person: '{person}' is no regular expression ({error})") from error
    if "person" not in pattern.groupindex:
        raise PlanError(
            f"person: '{person}' has no group named person; write for example (?P<person>\\d+)"
        )
    return pattern


def _emotion(file: str) -> Emotion | None:
    """Return the emotion of the nearest folder that is named after one."""
    for folder in PurePosixPath(file).parts[-2::-1]:
        try:
            return Emotion.parse(re.sub(r"^[\d\W_]+", "", folder))
        except DatasetError:
            continue
    return None


def _path(file: str) -> PurePosixPath:
    """A file's path with composed letters: `François` is one person, however a disk spells it."""
    return PurePosixPath(image_name(file))


def _by_pattern(placed: list[tuple[str, Emotion]], pattern: re.Pattern[str]) -> list[str | None]:
    matches = (pattern.search(_path(file).name) for file, _ in placed)
    return [match["person"] if match else None for match in matches]


def _by_stem(placed: list[tuple[str, Emotion]]) -> tuple[list[str | None], str]:
    """The file names without endings if all emotions share them and they name persons, else None.

    The second value says what was assumed.
    """
    unknown: list[str | None] = [None] * len(placed)
    stems: dict[Emotion, set[str]] = {}
    for file, emotion in placed:
        stems.setdefault(emotion, set()).add(_path(file).stem)
    shared, every = set.intersection(*stems.values()), set.union(*stems.values())
    # Each name must be there once for an emotion: no folder lies inside another.
    flat = len(placed) == sum(len(names) for names in stems.values())
    if len(stems) < 2 or not flat or len(shared) < SHARE * len(every):
        return unknown, ""
    first = sorted(shared, key=lambda name: (len(name), name))[:3]
    names = f"The emotion folders share their file names ({', '.join(first)} …)"
    option = "(?P<person>.+)[.]"
    if not naming(shared):
        return unknown, (
            f"{names}. Such names only number pictures, so persons are taken as not known; if each "
            f"is a person, say so: --option 'person={option}'"
        )
    return [_path(file).stem for file, _ in placed], (
        f"{names}, so each name is taken for a person; if that is wrong, say who is who: "
        f"--option 'person=…'"
    )
