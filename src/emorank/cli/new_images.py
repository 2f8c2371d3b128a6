"""Images that a verb is given: a bar over their faces, their figures, and which were left out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from emorank.errors import ImageError
    from emorank.reading.stream import Stream

Item = TypeVar("Item")


def with_bar(faces: "Stream[Item]", images: int, each: int = 1) -> Iterator[Item]:
    """Iterate with a bar on the terminal; it counts faces, and an image may have several.

    `each` is how many items come of one face.
    """
    from emorank.cli.studies import progress_bar

    with progress_bar("faces") as progress:
        for number, item in enumerate(faces, start=1):
            done = -(-number // each)
            progress(done, max(images - len(faces.excluded), done), "")
            yield item


class FigureFolder:
    """A folder for figures; images of one name from two folders get a figure each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uses: Counter[str] = Counter()

    def write(self, image: Path | str, face: int, png: bytes) -> None:
        """Write the figure of a face, whole or not at all, and print its path."""
        from emorank.files import replacing

        name = f"{Path(image).stem}_{face}_relevance"
        self.uses[name] += 1
        ending = f"_{self.uses[name]}.png" if self.uses[name] > 1 else ".png"
        path = self.folder / f"{name}{ending}"
        with replacing(path) as unfinished:
            unfinished.write_bytes(png)
        click.echo(path)


def report_excluded(excluded: "Sequence[ImageError]", images: int) -> None:
    """Name the images that were left out.

    Raises:
        ImageError: the first of them, if all of the `images` were left out.
    """
    for error in excluded:
        click.echo(f"left out: {error}", err=True)
    if excluded and len(excluded) == images:
        raise excluded[0]
