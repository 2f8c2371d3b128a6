"""Columns of faces as arrays, and intervals over the persons of the faces.

A column has one value per face. Columns are compared by position; the index of a Series is ignored.
Where no person is known, images count as persons.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from emorank.evaluation.statistics.correlation import Draws
from emorank.evaluation.statistics.ratio import Floats, ratio
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    Statistic,
    bootstrap,
    clusters,
    resampled,
)

Column = Sequence[Any] | np.ndarray[Any, Any] | pd.Series
_CHUNK = 250


@dataclass(frozen=True)
class Options:
    """Of the bootstrap: how many `resamples`, `level` of coverage, `seed` of the draws."""

    resamples: int = RESAMPLES
    level: float = LEVEL
    seed: int = 0


@dataclass(frozen=True)
class People:
    """The persons of some faces.

    Attributes:
        number: the person of each face, from 0.
        size: number of persons.
        unit: "persons", or "images" where no person is known.
    """

    number: Int[np.ndarray, " face"]
    size: int
    unit: str

    def estimates(
        self, statistics: Callable[[Draws], Mapping[str, Floats]], options: Options
    ) -> dict[str, Estimate]:
        """Values and intervals of statistics that take how often each person was drawn."""
        return resampled(
            statistics,
            np.ones(self.size, np.int64),
            np.random.default_rng(options.seed),
            unit=self.unit,
            resamples=options.resamples,
            level=options.level,
            chunk=_CHUNK,
        )

    def sums(
        self, statistics: Mapping[str, Statistic], tables: np.ndarray[Any, Any], options: Options
    ) -> dict[str, Estimate]:
        """Values and intervals of statistics of tables that add up over persons."""
        return bootstrap(
            statistics,
            tables,
            np.random.default_rng(options.seed),
            unit=self.unit,
            resamples=options.resamples,
            level=options.level,
        )

    def quotient(
        self, part: Float[np.ndarray, " face"], whole: Float[np.ndarray, " face"], options: Options
    ) -> Estimate:
        """The sum of `part` divided by the sum of `whole`; a mean where `whole` is 1."""
        tables = np.zeros((self.size, 1, 2))
        np.add.at(tables[:, 0], self.number, np.stack([part, whole], axis=1))
        quotient = {"": lambda sums: ratio(sums[..., 0, 0], sums[..., 0, 1])}
        return self.sums(quotient, tables, options)[""]


def people(persons: Column | None, used: Bool[np.ndarray, " face"]) -> People:
    """The persons of the faces that are used; None if no person is known."""
    inside = None if persons is None else pd.Series(array(persons)[used])
    alone = inside is None or bool(inside.isna().all())
    number = clusters(inside, int(used.sum()))
    size = int(number.max()) + 1 if len(number) else 0
    return People(number, size, "images" if alone else "persons")


def array(column: Column) -> np.ndarray[Any, Any]:
    """The column as an array of objects."""
    return np.array(list(column), dtype=object)


def missing(column: Column) -> Bool[np.ndarray, " face"]:
    """Whether each face has no value."""
    return np.asarray(pd.isna(pd.Series(list(column), dtype="object")), bool)


def floats(column: Column) -> Float[np.ndarray, " face"]:
    """The column as numbers, NaN where a value is missing."""
    numbers = pd.to_numeric(pd.Series(list(column), dtype="object"))
    return numbers.to_numpy(np.float64, na_value=np.nan)


def groups(column: Column) -> dict[str, Int[np.ndarray, " face"]]:
    """The places of each group's faces; groups in alphabetical order, missing values left out."""
    codes, names = pd.factorize(pd.Series(list(column), dtype="object"), sort=True)
    return {str(name): np.flatnonzero(codes == i) for i, name in enumerate(names)}


def same(values: Float[np.ndarray, " face"]) -> bool:
    """Whether there are values and all are equal."""
    return bool(len(values)) and bool((values == values[0]).all())
