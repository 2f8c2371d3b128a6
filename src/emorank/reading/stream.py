"""What is said of images, a batch at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import pandas as pd

from emorank.errors import ImageError
from emorank.framing import View, Views

Item = TypeVar("Item")


@dataclass(frozen=True)
class Stream(Generic[Item]):
    """Records of images that are read while it is iterated over; memory does not grow.

    A second pass reads the images again; if they came from an iterator, it is an EmorankError.

    Attributes:
        views: of the images.
        batch: how many are shown to the network at once.
        answer: makes the records of a batch.
    """

    views: Views
    batch: int
    answer: Callable[[list[View]], Iterator[Item]]

    def __iter__(self) -> Iterator[Item]:
        for some in self.views.batches(self.batch):
            yield from self.answer(some)

    def to_frame(self) -> pd.DataFrame:
        """Read all images, and give the `row` of each record as a table.

        Raises:
            TypeError: the records have no rows, as those of `explain_images`.
        """
        rows = [getattr(record, "row", None) for record in self]
        if None in rows:
            raise TypeError("these records have no rows; of ranked faces: emorank.read(…)")
        return pd.DataFrame(rows)

    def __len__(self) -> int:
        raise TypeError("how many faces there are is known when all are read: len(list(…))")

    @property
    def excluded(self) -> list[ImageError]:
        """An error for each image that could not be used; it fills on the way."""
        return self.views.excluded
