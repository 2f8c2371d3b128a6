"""Names of images and raters: their order, and which image of a study a name means."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from emorank.answers.tabular import Offenders, quoted


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that takes runs of digits as numbers: r2 comes before r10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def full_names(names: Iterable[str], images: Collection[str]) -> dict[str, str]:
    """The image that each name means.

    A name without folder and ending means the only image that has such a file name. A name that
    means no image, or that several images have, stays as it is.
    """
    stems: dict[str, list[str]] = {}
    for image in images:
        stems.setdefault(PurePosixPath(image).stem, []).append(image)
    only = {stem: same[0] for stem, same in stems.items() if len(same) == 1}
    return {name: name if name in images else only.get(name, name) for name in {*names}}


def check_images(path: Path, names: pd.Series, images: Collection[str]) -> None:
    """Raise a VotesError that names the first images of a file that are none of `images`."""
    offenders = Offenders()
    for name in sorted({*names} - {*images}):
        offenders.add("unknown image", quoted(name))
    expected = quoted(min(images, default=""))
    offenders.raise_if_any(f"{path}: nothing was taken from it; expected images such as {expected}")
