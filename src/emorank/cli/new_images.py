"""Images that a verb is given: a bar over their faces, and which were left out."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from emorank.errors import ImageError

Item = TypeVar("Item")


class Faces(Protocol):
    """Faces one after another, and the images that could not be used so far."""

    @property
    def excluded(self) -> Sized:
        """One error for each image that was left out."""

    def __iter__(self) -> Iterator[Any]:
        """Read the images and yield what is asked of each face."""


def with_bar(faces: Faces, images: int, each: int = 1) -> Iterator[Any]:
    """Iterate with a bar on the terminal; it counts faces, and an image may have several.

    `each` is how many items come of one face.
    """
    from emorank.cli.studies import progress_bar

    with progress_bar("faces") as progress:
        for number, item in enumerate(faces, start=1):
            done = -(-number // each)
            progress(done, max(images - len(faces.excluded), done), "")
            yield item


def report_excluded(excluded: "Sequence[ImageError]", images: int) -> None:
    """Name the images that were left out.

    Raises:
        ImageError: the first of them, if all of the `images` were left out.
    """
    for error in excluded:
        click.echo(f"left out: {error}", err=True)
    if excluded and len(excluded) == images:
        raise excluded[0]


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items; the last may be shorter."""
    items = iter(items)
    while some := list(islice(items, size)):
        yield some
