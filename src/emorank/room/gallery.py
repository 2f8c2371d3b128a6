"""Which images a rating project shows: faces of one or more emotions, whole as photographed."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from emorank import datasets
from emorank.datasets import folder_walk
from emorank.datasets.table import Card, Dataset
from emorank.datasets.table import dataset as table_of
from emorank.errors import RatingError
from emorank.printable import printable
from emorank.vocabulary import Emotion


@dataclass(frozen=True)
class Gallery:
    """Images to rate.

    Attributes:
        images: (name, emotion) of each.
        read: gives the image of a name as upright RGB, UInt8 "height width 3"; raises ImageError.
        source: the study or the data set, in words.
        left_out: the images that are not shown, with the reason, one line each.
        persons: the person of each image by name, where it is known.
    """

    images: tuple[tuple[str, str], ...]
    read: Callable[[str], np.ndarray]
    source: str
    left_out: tuple[str, ...]
    persons: dict[str, str] = field(default_factory=dict)


def gallery_of_faces(
    table: pd.DataFrame,
    read: Callable[[str], np.ndarray],
    emotions: Collection[str],
    source: str,
    left_out: Collection[str] = (),
) -> Gallery:
    """The faces of some emotions in a table with `image` and `emotion`.

    Without `emotions` it is all but neutral, whose expression is neither weak nor strong. Faces
    whose emotion is not known are left out. `left_out` are images that are not in the table, with
    the reason.

    Raises:
        RatingError: no face is left.
    """
    wanted = {str(Emotion.parse(word)) for word in emotions} or {*Emotion} - {Emotion.NEUTRAL}
    labelled = table[table["emotion"].notna()]
    matches = labelled["emotion"].isin(wanted)
    rows, others = labelled[matches], labelled.loc[~matches, "emotion"]
    lines = [*left_out]
    if len(table) > len(labelled):
        lines.append(f"{len(table) - len(labelled)} images without an emotion")
    for emotion, count in others.value_counts().items():
        lines.append(f"{count} images of the emotion {emotion}, which is not asked for")
    if rows.empty:
        raise RatingError(
            f"{source}: no image of an emotion that is asked for ({', '.join(sorted(wanted))})"
        )
    images = tuple(zip(rows["image"].astype(str), rows["emotion"].astype(str), strict=True))
    persons: dict[str, str] = {}
    if "person" in rows:
        known = rows[rows["person"].notna()]
        names = zip(known["image"].astype(str), known["person"].astype(str), strict=True)
        persons = dict(names)
    return Gallery(images, read, source, tuple(lines), persons)


def gallery_of_dataset(
    path: Path, dataset: str = "auto", emotions: Collection[str] = (), **options: object
) -> Gallery:
    """The images of a data set, or of a folder whose images all show one emotion.

    Where the folder has no layout that says what its images express, `emotions` has to name one
    emotion, which is that of all images.

    Raises:
        DatasetError: no data set is recognised there.
        RatingError: no image is left, or nothing says which emotion images are rated for.
    """
    if dataset == "auto" and not options and _unsorted(path):
        data = _of_one_emotion(path, emotions)
    else:
        # The shipped sample has no folder that the user knows.
        data = datasets.load(None if dataset == datasets.SAMPLE else path, dataset, **options)
    left_out = [f"{problem.file}: {problem.reason}" for problem in data.problems]
    return gallery_of_faces(data.table, data.read, emotions, data.card.title, left_out)


def _unsorted(path: Path) -> bool:
    """Whether a folder holds images, and no layout that says what they express."""
    if not path.is_dir() or next(folder_walk.images(path), None) is None:
        return False
    return not any(adapter.recognise(path) for adapter in datasets.ADAPTERS.values())


def _of_one_emotion(path: Path, emotions: Collection[str]) -> Dataset:
    if len(emotions) != 1:
        raise RatingError(
            f"{path}: its images are in no folder named after an emotion, so nothing says what to "
            "ask about them; sort them into a folder per emotion, or name the one that all are "
            "rated for (--emotions happy)"
        )
    emotion = str(Emotion.parse(*emotions))
    card = Card("images", f"images of {printable(path.name)}", "Unknown", "", "", cropped=False)
    files, problems = folder_walk.survey(path)
    rows = [{"image": name, "emotion": emotion} for name in files]
    return table_of(card, path, rows, problems)
