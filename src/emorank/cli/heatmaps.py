"""Figures of heatmaps in a folder: their names, and how they are written."""

from collections import Counter
from pathlib import Path

import click


class Names:
    """Paths of figures in a folder; images in two folders may have one name."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.drawn: Counter[str] = Counter()

    def __call__(self, image: Path | str, face: int) -> Path:
        """Of the next figure."""
        name = f"{Path(image).stem}_{face}_relevance"
        self.drawn[name] += 1
        return self.out / (
            f"{name}_{self.drawn[name]}.png" if self.drawn[name] > 1 else f"{name}.png"
        )


def write(path: Path, png: bytes) -> None:
    """Write a figure, whole or not at all, and print its path."""
    from emorank.files import replacing

    with replacing(path) as unfinished:
        unfinished.write_bytes(png)
    click.echo(path)
