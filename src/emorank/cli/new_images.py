"""Images that a verb is given: a bar over their faces, their figures, and which were left out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from emorank.cli.unfinished_work import require_new, unfinished
from emorank.printable import printable

if TYPE_CHECKING:
    from emorank.cli.explain_options import Drawing
    from emorank.errors import ImageError
    from emorank.reading.stream import Stream
    from emorank.reading.unfinished import Row, Unfinished

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
    """A folder for the figures of images; those of one name from two folders get a figure each."""

    def __init__(self, folder: Path, images: "Sequence[Path]") -> None:
        self.folder = folder
        self.endings: dict[str, str] = {}
        self.warned: set[Path | str] = set()
        uses: Counter[str] = Counter()
        for image in images:
            uses[image.stem] += 1
            again = uses[image.stem] > 1
            self.endings[str(image)] = f"_{uses[image.stem]}.png" if again else ".png"

    def require_none(self, overwrite: bool) -> None:
        """Refuse to replace a figure.

        Raises:
            ClickException: there is one of the first face of an image, and nobody said
                `--overwrite`.
        """
        for image in self.endings:
            require_new(self.path(image, 1), overwrite)

    def path(self, image: Path | str, face: int) -> Path:
        """Where the figure of a face is."""
        name = f"{Path(image).stem}_{face}_relevance{self.endings[str(image)]}"
        return self.folder / name

    def write(self, image: Path | str, face: int, png: bytes, warning: str = "") -> "Row":
        """Write the figure of a face, whole or not at all; print its path and, once, a warning."""
        from emorank.files import replacing

        path = self.path(image, face)
        with replacing(path) as partial:
            partial.write_bytes(png)
        click.echo(printable(str(path)))
        if warning and image not in self.warned:
            self.warned.add(image)
            click.echo(f"{printable(str(image))}: {warning}", err=True)
        return {"image": str(image), "figure": path.name}


def figures_of(
    drawing: "Drawing", images: "Sequence[Path]", key: str
) -> "tuple[FigureFolder, Unfinished]":
    """Where the figures of images go, and what a stopped command of the same `key` has drawn.

    Raises:
        ClickException: a figure is there already, or another command left something; and nobody
            said `--overwrite`.
    """
    figures = FigureFolder(drawing.figures, images)
    kept = unfinished(drawing.figures / "explain", key, drawing.overwrite)
    if not kept.path.exists():
        figures.require_none(drawing.overwrite)
    return figures, kept


def report_excluded(
    left_out: "Sequence[ImageError]", excluded: "Sequence[ImageError]", images: int
) -> None:
    """Name once each file that the walk left out, and each of the `images` that cannot be used.

    Raises:
        ImageError: the only image, if it cannot be used.
        EmorankError: none of several can be used.
    """
    from emorank.errors import EmorankError

    unusable = len(excluded) == images
    for error in [*left_out, *(() if unusable and images == 1 else excluded)]:
        click.echo(f"left out: {error}", err=True)
    if unusable and images == 1:
        raise excluded[0]
    if unusable and images:
        raise EmorankError(f"none of the {images:,} images can be used; the reasons are above")
