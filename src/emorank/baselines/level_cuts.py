"""Levels from continuous intensities, mean levels from probabilities, and folds of persons."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.baselines.table_of_faces import Faces
from emorank.datasets.splits import person_folds

Values = Float[np.ndarray, " faces"]
Levels = Int[np.ndarray, " faces"]


def mean_level(
    probabilities: Float[np.ndarray, "faces levels"], levels: Int[np.ndarray, " levels"]
) -> Values:
    """The mean level under each face's probabilities."""
    return np.asarray(probabilities @ levels, np.float64)


def level_edges(values: Values, ranks: Levels) -> Float[np.ndarray, " edges"]:
    """Where to cut values so that each level gets as large a share as it has among `ranks`.

    There is one edge fewer than levels in `ranks`. A regression gives values near the middle, so
    edges halfway between the levels would hardly ever give an outer level.
    """
    _, counts = np.unique(ranks, return_counts=True)
    return np.asarray(np.quantile(values, counts.cumsum()[:-1] / counts.sum()), np.float64)


def levels_between(
    values: Values, at: Float[np.ndarray, " edges"], levels: Int[np.ndarray, " levels"]
) -> Levels:
    """The level of the interval in which each value lies; `levels` has one more than `at`."""
    return np.asarray(levels, np.int64)[np.searchsorted(at, values, side="right")]


def person_splits(faces: Faces, folds: int = 5) -> Iterator[tuple[Any, Any]]:
    """Yield positions to learn from and positions to test on; no person is in both.

    A face whose person is unknown counts as a person of its own.

    Raises:
        ValueError: all faces are of one person.
    """
    persons = pd.Series(faces.person, dtype=object)
    number = min(folds, persons.nunique() + int(persons.isna().sum()))
    if number < 2:
        raise ValueError("expected faces of at least two persons to learn from; came one person's")
    alone = pd.Series([f"\0{i}" for i in range(len(persons))])
    fold = person_folds(persons, alone, number)
    for tested in range(number):
        yield np.flatnonzero(fold != tested), np.flatnonzero(fold == tested)
