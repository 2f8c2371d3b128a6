"""What is asked of every image of a run, and what answers it once a network is loaded."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import ImageError
from emorank.framing import View, Views
from emorank.given_pictures import Given
from emorank.scale.given_images import Item, picture_of
from emorank.scale.maps import Arrays


@dataclass(frozen=True)
class Row:
    """A line of the table, and the arrays that are kept beside it."""

    cells: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is said of a framed face: rows, or why there is none.

    Attributes:
        rows: one, or several where every class is explained.
        reason: why nothing is said of the face; None if something is.
    """

    rows: list[Row]
    reason: str | None = None


@dataclass(frozen=True)
class Ready:
    """What a task needs in memory.

    Attributes:
        views: how an image is framed; of no image.
        batch: faces that the network is shown at once.
        answer: makes an answer of each of so many faces, or fewer.
    """

    views: Views
    batch: int
    answer: Callable[[list[View]], list[Answer]]


@dataclass(frozen=True)
class Task:
    """What is asked of every image. It can be sent to other processes.

    Attributes:
        make: loads the network.
        key: what tells tasks apart whose results differ.
        device: where it computes, "cpu" or "cuda:1".
        strict: raise at the first image that cannot be used.
        picture: makes of an item what `given_pictures` reads.
    """

    make: Callable[[], Ready]
    key: str = ""
    device: str = "cpu"
    strict: bool = False
    picture: Callable[[Item], Given] = picture_of


@dataclass(frozen=True)
class Loaded:
    """A task with its network loaded, for any number of shards."""

    task: Task
    ready: Ready

    @property
    def batch(self) -> int:
        """Faces that the network is shown at once."""
        return self.ready.batch

    def views(self, picture: Given, name: str) -> Views:
        """The faces of an image; `excluded` says why there is none.

        Raises:
            ImageError: it cannot be used, if the task is strict; when it is iterated over.
        """
        return replace(
            self.ready.views, images=picture, names=[name], excluded=[], strict=self.task.strict
        )

    def answers(self, views: list[View]) -> list[Answer]:
        """An answer for each of at most a batch of faces.

        Fewer faces are filled up to a batch: a network's sums are rounded in another order in a
        batch of another size, and a run that was stopped shall give the same table.
        """
        filled = [*views, *[views[-1]] * (self.batch - len(views))]
        return self.ready.answer(filled)[: len(views)]

    def warm_up(self) -> None:
        """Load what is loaded at the first picture, so that no image has to answer for it."""
        from emorank import faces

        faces.find(np.full((64, 64, 3), 128, np.uint8))
        side, crops = self.ready.views.size, self.ready.views.crops
        blank = np.zeros((side, side, 3), np.uint8)
        with suppress(ImageError):  # a strict task may have nothing to say of it
            self.ready.answer([View(Path("blank"), 1, blank, others=(blank,) * (crops - 1))])


def load(task: Task) -> Loaded:
    """A task with its network.

    Raises:
        EmorankError: the network cannot be loaded, or does not go with what is asked.
    """
    return Loaded(task, task.make())
