"""Names of images and raters: their order, and which image of a study a name means."""

import re
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from emorank.answers.tabular import SHOWN, Offenders, quoted
from emorank.errors import VotesWarning
from emorank.naming import image_name


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that takes runs of digits as numbers: r2 comes before r10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def full_names(names: Iterable[str], images: Collection[str]) -> dict[str, str]:
    """The image that each name means.

    Names are compared as `naming.image_name` writes them. A name without folder and ending means
    the only image that has such a file name. A name that means no image, or that several images
    have, stays as it is.
    """
    same: dict[str, set[str]] = {}
    stems: dict[str, set[str]] = {}
    for image in {*images}:
        spelled = image_name(image)
        same.setdefault(spelled, set()).add(image)
        stems.setdefault(PurePosixPath(spelled).stem, set()).add(image)
    full = {}
    for name in {*names} - {*images}:
        spelled = image_name(name)
        meant = same.get(spelled) or stems.get(spelled, set())
        full[name] = min(meant) if len(meant) == 1 else name
    return {name: full.get(name, name) for name in {*names}}


def warn_of_similar(raters: Iterable[str]) -> None:
    """Warn of raters whose names differ only in capitals: they may be one person."""
    same: dict[str, set[str]] = {}
    for name in raters:
        same.setdefault(name.casefold(), set()).add(name)
    similar = [", ".join(map(quoted, sorted(names))) for names in same.values() if len(names) > 1]
    if similar:
        warnings.warn(
            f"these raters are counted as different people, although their names differ only in "
            f"capitals: {'; '.join(similar[:SHOWN])}; if they are one, write one name",
            VotesWarning,
            stacklevel=2,
        )


def check_images(path: Path, names: pd.Series, images: Collection[str]) -> None:
    """Raise a VotesError that names the first images of a file that are none of `images`."""
    offenders = Offenders()
    for name in sorted({*names} - {*images}):
        offenders.add("unknown image", quoted(name))
    expected = quoted(min(images, default=""))
    offenders.raise_if_any(f"{path}: nothing was taken from it; expected images such as {expected}")
