"""What is said of images, a batch at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from emorank.errors import ImageError
from emorank.framing import View, Views

Item = TypeVar("Item")


@dataclass(frozen=True)
class Stream(Generic[Item]):
    """Records of images that are read while it is iterated over, once; memory does not grow.

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

    @property
    def excluded(self) -> list[ImageError]:
        """An error for each image that could not be used; it fills on the way."""
        return self.views.excluded
