"""Count what a data set holds: classes, persons, image sizes, problems; and published counts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank import images
from emorank.datasets.table import EXPRESSED, SIX_AND_NEUTRAL, Card, Dataset, Problem, inside
from emorank.errors import ImageError
from emorank.vocabulary import Emotion

_SAMPLE = 500  # images whose size is read, evenly spaced in the table
_CHECKED = 20_000  # images whose header is looked at, evenly spaced too: some seconds

# Table 2 of the paper, by card name. JAFFE and KDEF have no contempt; what the table prints in that
# column are their neutral faces, and here they are neutral. JAFFE's classes add up to 210; the
# printed total is 180.
TABLE_2: dict[str, dict[Emotion, int]] = {
    "JAFFE": dict.fromkeys(SIX_AND_NEUTRAL, 30),
    "CK+": dict(zip(EXPRESSED, (135, 54, 177, 75, 207, 84, 249), strict=True)),
    "KDEF": dict.fromkeys(SIX_AND_NEUTRAL, 70),
}


@dataclass(frozen=True)
class Sizes:
    """Widths and heights in pixels, of a sample of the images.

    `least`, `median` and `greatest` are of the widths, then of the heights; `sampled` is the number
    of images whose size could be read.
    """

    least: tuple[int, int]
    median: tuple[int, int]
    greatest: tuple[int, int]
    sampled: int


@dataclass(frozen=True)
class Inspection:
    """What a data set holds.

    Attributes:
        images: number of usable images.
        emotions: images of each emotion that occurs, in the order of `Emotion`.
        unlabelled: images whose emotion is unknown.
        persons, sequences: how many there are, None if none is known.
        per_person: least and greatest number of images of one person, None if none is known.
        intensities: images with a known expression intensity.
        assumed: what was assumed of persons, in a sentence; "" if nothing was.
        unreadable: images whose header shows that they cannot be used; `problems` has them.
        sizes: None if sizes were not asked for or no image can be read.
        published: published number of images per emotion, None if there is none.
        table_2: the same by Table 2 of the paper, None for sets that are not in it.
    """

    card: Card
    images: int
    emotions: Mapping[Emotion, int]
    unlabelled: int
    persons: int | None
    per_person: tuple[int, int] | None
    sequences: int | None
    intensities: int
    sizes: Sizes | None
    problems: tuple[Problem, ...]
    published: Mapping[Emotion, int] | None
    table_2: Mapping[Emotion, int] | None
    assumed: str = ""
    unreadable: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each emotion in the data or in published counts.

        Columns: emotion, images, published, table_2.
        """
        published, table_2 = self.published or {}, self.table_2 or {}
        types = {"emotion": "string", "images": "Int64", "published": "Int64", "table_2": "Int64"}
        rows = [
            (e.value, self.emotions.get(e, 0), published.get(e), table_2.get(e))
            for e in Emotion
            if e in self.emotions or e in published or e in table_2
        ]
        return pd.DataFrame(rows, columns=list(types)).astype(types)


def inspect(dataset: Dataset, sizes: bool = True) -> Inspection:
    """Count what a data set holds; `sizes` also looks at the headers of up to 20,000 images."""
    table = dataset.table
    counts = Counter(table["emotion"].dropna())
    persons = table["person"].dropna()
    sequences = table["sequence"].dropna()
    each = persons.value_counts()
    unreadable = _unreadable(dataset) if sizes else ()
    return Inspection(
        card=dataset.card,
        images=len(table),
        emotions={emotion: counts[emotion] for emotion in Emotion if counts[emotion]},
        unlabelled=int(table["emotion"].isna().sum()),
        persons=len(each) if len(persons) else None,
        per_person=(int(each.min()), int(each.max())) if len(persons) else None,
        sequences=int(sequences.nunique()) if len(sequences) else None,
        intensities=int(table["intensity"].notna().sum()),
        sizes=_sizes(dataset) if sizes else None,
        problems=(*dataset.problems, *unreadable),
        unreadable=len(unreadable),
        published=dataset.card.counts,
        table_2=TABLE_2.get(dataset.card.name),
        assumed=dataset.assumed,
    )


def _sizes(dataset: Dataset) -> Sizes | None:
    sizes = [size for image in _some(dataset, _SAMPLE) if (size := _size(dataset, image))]
    if not sizes:
        return None
    least, median, greatest = np.min(sizes, 0), np.median(sizes, 0), np.max(sizes, 0)
    return Sizes(_pair(least), _pair(median), _pair(greatest), len(sizes))


def _some(dataset: Dataset, most: int) -> Iterable[str]:
    """The names of images, at most so many, evenly spaced in the table."""
    names = dataset.table["image"]
    return names.iloc[np.unique(np.linspace(0, len(names) - 1, most).astype(int))]


def _unreadable(dataset: Dataset) -> tuple[Problem, ...]:
    problems = []
    for image in _some(dataset, _CHECKED):
        file = inside(dataset.root, image)
        if not file.is_file():
            continue  # a row of a table
        try:
            images.check(file)
        except ImageError as error:
            problems.append(Problem(image, error.reason))
    return tuple(problems)


def _size(dataset: Dataset, image: str) -> tuple[int, int] | None:
    """Return width and height, None for an image that cannot be read."""
    file = inside(dataset.root, image)
    try:
        if file.is_file():
            return images.size(file)
        height, width = dataset.read(image).shape[:2]  # no file of its own: a row of a table
    except ImageError:
        return None
    return width, height


def _pair(values: np.ndarray) -> tuple[int, int]:
    return int(values[0]), int(values[1])
