"""Columns of faces as arrays, and the intervals that all of the validity laboratory shares.

Columns are taken by position: the index of a Series says nothing here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from emorank.evaluation.statistics.correlation import Draws, Many, ratio
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
    """How intervals are made: `resamples`, `level` (coverage), `seed` of the draws."""

    resamples: int = RESAMPLES
    level: float = LEVEL
    seed: int = 0


@dataclass(frozen=True)
class People:
    """Whose faces they are.

    Attributes:
        number: the person of each face, from 0.
        size: how many persons.
        unit: "persons", or "images" where no person is known.
    """

    number: Int[np.ndarray, " face"]
    size: int
    unit: str

    def estimates(
        self, statistics: Callable[[Draws], Mapping[str, Many]], options: Options
    ) -> dict[str, Estimate]:
        """Statistics of draws of persons, with intervals."""
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
        self,
        statistics: Mapping[str, Statistic],
        tables: np.ndarray[Any, Any],
        options: Options,
    ) -> dict[str, Estimate]:
        """Statistics of tables that add up over persons, with intervals."""
        return bootstrap(
            statistics,
            tables,
            np.random.default_rng(options.seed),
            unit=self.unit,
            resamples=options.resamples,
            level=options.level,
        )

    def quotient(
        self,
        part: Float[np.ndarray, " face"],
        whole: Float[np.ndarray, " face"],
        options: Options,
    ) -> Estimate:
        """The sum of `part` over that of `whole`, with its interval; a mean where `whole` is 1."""
        tables = np.zeros((self.size, 1, 2))
        np.add.at(tables[:, 0], self.number, np.stack([part, whole], axis=1))
        of_sums = {"": lambda sums: ratio(sums[..., 0, 0], sums[..., 0, 1])}
        return self.sums(of_sums, tables, options)[""]


def people(persons: Column | None, used: Bool[np.ndarray, " face"]) -> People:
    """The persons of the faces that are used; None if no person is known."""
    inside = None if persons is None else pd.Series(array(persons)[used])
    alone = inside is None or bool(inside.isna().all())
    number = clusters(inside, int(used.sum()))
    size = int(number.max()) + 1 if len(number) else 0
    return People(number, size, "images" if alone else "persons")


def array(column: Column) -> np.ndarray[Any, Any]:
    """As objects."""
    return np.array(list(column), dtype=object)


def missing(column: Column) -> Bool[np.ndarray, " face"]:
    """Where there is no value."""
    return np.asarray(pd.isna(pd.Series(list(column), dtype="object")), bool)


def floats(column: Column) -> Float[np.ndarray, " face"]:
    """As numbers, NaN where there is none."""
    numbers = pd.to_numeric(pd.Series(list(column), dtype="object"))
    return numbers.to_numpy(np.float64, na_value=np.nan)


def groups(column: Column) -> dict[str, Int[np.ndarray, " face"]]:
    """Which faces are of each group, groups in the order of the alphabet; missing ones of none."""
    codes, names = pd.factorize(pd.Series(list(column), dtype="object"), sort=True)
    return {str(name): np.flatnonzero(codes == i) for i, name in enumerate(names)}


def same(values: Float[np.ndarray, " face"]) -> bool:
    """Whether there are values, and all are one."""
    return bool(len(values)) and bool((values == values[0]).all())


def because(estimate: Estimate, reason: str) -> Estimate:
    """The same, with a reason that is known better than "not defined"."""
    return replace(estimate, reason=reason) if reason and estimate.value is None else estimate
