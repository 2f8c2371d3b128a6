"""Figures of heatmaps in a folder: their names, and how they are written."""

from collections import Counter
from pathlib import Path

import click


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
