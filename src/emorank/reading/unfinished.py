"""What a stopped command has drawn of many images, kept beside the figures until all are there."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from emorank.reading.journal import Journal, state_of

Row = dict[str, Any]


class Unfinished:
    """Rows of images that are done, in `NAME.partial`; `key` says of which command."""

    def __init__(self, result: Path, key: str) -> None:
        self.path = result.with_name(f"{result.name}.partial")
        self.journal = Journal(self.path, key)

    @property
    def of_another(self) -> bool:
        """Whether there is an unfinished result of another command."""
        return self.journal.of_another

    def lacking(self, images: Sequence[Path]) -> list[Path]:
        """The images that are not done, or have changed since."""
        done = {record["image"] for record in self._records(images)}
        return [image for image in images if str(image) not in done]

    def rows(self, images: Sequence[Path]) -> Iterator[Row]:
        """The rows of those of the images that are done."""
        for record in self._records(images):
            yield from record["rows"]

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows as they come; those of an image, which say `image`, follow each other.

        Raises:
            OSError: they cannot be written; what was kept before still is.
        """
        with self.journal.appending() as append:
            for image, group in groupby(rows, lambda row: str(row["image"])):
                append({"image": image, "state": state_of(image), "rows": list(group)})

    def discard(self) -> None:
        """Remove what was kept: the result is whole, or nobody wants it."""
        self.journal.discard()

    def _records(self, images: Sequence[Path]) -> Iterator[dict[str, Any]]:
        wanted = set(map(str, images))
        for _, record in self.journal.records():
            image = record["image"]
            if image in wanted and record["state"] == state_of(image):
                yield record
