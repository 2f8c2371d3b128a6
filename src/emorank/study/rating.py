"""Which images a rating project shows: those of a study, or of a data set."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emorank import datasets
from emorank.datasets import Problem, walk
from emorank.datasets.table import Card, Dataset
from emorank.datasets.table import dataset as table_of
from emorank.errors import RatingError
from emorank.study.folder import open_study
from emorank.study.framing import open_dataset
from emorank.vocabulary import Emotion


@dataclass(frozen=True)
class Gallery:
    """Images to rate.

    Attributes:
        images: (name, emotion) of each.
        read: name → upright RGB, UInt8 "height width 3"; raises ImageError.
        source: in words.
        left_out: what is not among them, and why, one line each.
    """

    images: tuple[tuple[str, str], ...]
    read: Callable[[str], np.ndarray]
    source: str
    left_out: tuple[str, ...]


def gallery(
    path: Path | str, dataset: str = "auto", emotions: Collection[str] = (), **options: object
) -> Gallery:
    """The images of a study folder or of a data set, whole as they were photographed.

    Neutral faces are left out unless they are asked for: there is no expression to be weak or
    strong. So are images whose emotion is not known. Where a folder has nothing but images, the
    single emotion that is asked for is that of them all.

    Raises:
        DatasetError: no data set is recognised there.
        RatingError: no image is left, or nothing says which emotion images are rated for.
    """
    path = Path(path)
    if (path / "study.toml").is_file():
        study = open_study(path)
        table, read = study.table("faces"), open_dataset(study).read
        source, problems = f"study {path.name}", list[Problem]()
    else:
        # The shipped sample has no folder that one would know of.
        root = None if dataset == datasets.SAMPLE else path
        if dataset == "auto" and not options and _unsorted(path):
            found = _of_one_emotion(path, emotions)
        else:
            found = datasets.load(root, dataset, **options)
        table, read = found.table, found.read
        source, problems = found.card.title, list(found.problems)
    wanted = {str(Emotion.parse(word)) for word in emotions} or {*Emotion} - {Emotion.NEUTRAL}
    known = table[table["emotion"].notna()]
    chosen = known[known["emotion"].isin(wanted)]
    left_out = [f"{problem.file}: {problem.reason}" for problem in problems]
    if len(table) > len(known):
        left_out.append(f"{len(table) - len(known)} images without an emotion")
    for emotion, count in (
        known.loc[~known["emotion"].isin(wanted), "emotion"].value_counts().items()
    ):
        left_out.append(f"{count} images of the emotion {emotion}, which is not asked for")
    if chosen.empty:
        raise RatingError(
            f"{path}: no image of an emotion that is asked for ({', '.join(sorted(wanted))})"
        )
    images = tuple(zip(chosen["image"].astype(str), chosen["emotion"].astype(str), strict=True))
    return Gallery(images, read, source, tuple(left_out))


def _unsorted(path: Path) -> bool:
    """Whether a folder holds images, and no layout that says what they express."""
    if not path.is_dir() or next(walk.images(path), None) is None:
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
    card = Card("images", f"images of {path.name}", "Unknown", "", "", cropped=False)
    rows = [{"image": name, "emotion": emotion} for name in walk.images(path)]
    return table_of(card, path, rows, walk.problems(path))
