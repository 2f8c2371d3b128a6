"""The first answers of raters as an array of units by raters."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Int, Int8

from emorank.answers.answers_table import UNIT, firsts_of
from emorank.answers.names import natural
from emorank.vocabulary import LEVELS

# How an answer "None" is used: as the level below Minimal, or as a missing answer.
NoneAs = Literal["level", "missing"]


@dataclass(frozen=True)
class Ratings:
    """First answers, one cell per unit and rater.

    Attributes:
        levels: the level's number from 0 (None, Minimal, Average, Strong), -1 for no vote.
        image: the image that each unit belongs to, numbered from 0.
        raters: names, the columns of `levels`, in natural order (r2 before r10).
    """

    levels: Int8[np.ndarray, "unit rater"]
    image: Int[np.ndarray, " unit"]
    raters: tuple[str, ...]

    @property
    def images(self) -> int:
        """Number of images."""
        return int(self.image.max()) + 1 if len(self.image) else 0

    def counts(self) -> Int[np.ndarray, "unit level"]:
        """How often each unit was given each level."""
        return np.stack([(self.levels == k).sum(axis=1) for k in range(len(LEVELS))], axis=1)


def ratings(answers: pd.DataFrame, none_as: NoneAs = "level") -> Ratings:
    """The grid of the first answers, from `answers_table`; Skip is no vote.

    Units and raters without any vote are left out. With `none_as="level"`, None is the level below
    Minimal; with "missing", it is no vote.

    Raises:
        ValueError: `none_as` is neither.
    """
    if none_as not in get_args(NoneAs):
        raise ValueError(f"none_as={none_as!r}: expected one of {', '.join(get_args(NoneAs))}")
    first = firsts_of(answers)
    level = pd.Index(LEVELS).get_indexer(pd.Index(first["answer"]))
    voted = level >= (0 if none_as == "level" else 1)
    first, level = first[voted], level[voted]
    # An unknown emotion makes a unit too; without dropna=False, groupby would leave it out.
    unit = first.groupby(list(UNIT), dropna=False, sort=False).ngroup().to_numpy()
    raters = sorted(first["rater"].unique(), key=natural)
    rater = pd.Index(raters, dtype="string").get_indexer(pd.Index(first["rater"]))
    levels = np.full((int(unit.max()) + 1 if len(unit) else 0, len(raters)), -1, np.int8)
    levels[unit, rater] = level
    image = np.zeros(len(levels), np.int64)
    image[unit] = pd.factorize(first["image"])[0]
    return Ratings(levels, image, tuple(map(str, raters)))
