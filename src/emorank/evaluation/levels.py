"""How well levels of intensity, None included, agree with what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from emorank.evaluation import confusion
from emorank.evaluation.classification import Baseline, majority_baseline
from emorank.evaluation.rank_scores import Matrix
from emorank.evaluation.uncertainty import (
    RESAMPLES,
    Estimate,
    bootstrap,
    clusters,
    counts_per_cluster,
    wilson,
)
from emorank.vocabulary import LEVELS

_STATISTICS = {
    "quadratic_kappa": confusion.quadratic_kappa,
    "mean_absolute_error": confusion.mean_absolute_error,
}


@dataclass(frozen=True)
class LevelScores:
    """Levels held against known ones; intervals are of the bootstrap over persons.

    Attributes:
        count: faces scored.
        persons: among them; None if no person is known.
        confusion: counts over `LEVELS`, rows what is known.
        quadratic_kappa: Cohen's kappa with quadratic weights; chance is 0.
        mean_absolute_error: in levels.
        accuracy: with Wilson's interval.
        baseline: always the most frequent level of the training part; None without faces.
    """

    count: int
    persons: int | None
    confusion: Matrix
    quadratic_kappa: Estimate
    mean_absolute_error: Estimate
    accuracy: Estimate
    baseline: Baseline | None


def level_scores(
    known: Int[np.ndarray, " faces"],
    found: Int[np.ndarray, " faces"],
    *,
    rng: np.random.Generator,
    persons: Sequence[Any] | None = None,
    trained_majority: str | None = None,
    resamples: int = RESAMPLES,
) -> LevelScores:
    """Score levels, given by their places in `LEVELS`.

    Args:
        known: what the raters' majority says, or 0 for a neutral face.
        found: what is held against it.
        rng: draws the resamples.
        persons: of each face, missing where unknown.
        trained_majority: the most frequent level of the training part, for the baseline.
        resamples: of the bootstrap.
    """
    people = None if persons is None else [one for one in persons if one is not None]
    cluster = clusters(persons, len(known))
    tables = counts_per_cluster(known, found, (len(LEVELS),) * 2, cluster)
    matrix = tables.sum(axis=0)
    unit = "persons" if people else "images"
    scores = bootstrap(_STATISTICS, tables, rng, unit=unit, resamples=resamples)
    return LevelScores(
        count=len(known),
        persons=len(set(people)) if people else None,
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        accuracy=wilson(int(np.trace(matrix)), len(known)),
        baseline=majority_baseline(matrix, LEVELS, trained_majority),
        **scores,
    )
