"""The mean known intensity of the faces that were given each rank, or a range of the score."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.columns import Column, Options, array, floats, missing, people
from emorank.evaluation.statistics.ratio import Floats, ratio
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.vocabulary import LEVELS

_CONFIDENCE_BINS = 10


@dataclass(frozen=True)
class CalibrationStep:
    """A rank, or a part of the range of a score: its `label`, number of faces, their mean truth."""

    label: str
    count: int
    truth: Estimate


@dataclass(frozen=True)
class CalibrationCurve:
    """Mean known intensity of ranks, or of equal parts of a score's range, in ascending order.

    `monotone` says whether each step has a greater mean than the one before; it is None with fewer
    than two steps.
    """

    steps: tuple[CalibrationStep, ...]
    monotone: bool | None


def of_levels(
    level: Column, truth: Column, persons: Column | None = None, options: Options | None = None
) -> CalibrationCurve:
    """The mean truth of the faces that were given each level, a place in `LEVELS`.

    Faces without a level, or without an intensity or mean rating (`truth`), are left out.
    """
    used = ~(missing(level) | missing(truth))
    given = floats(level)[used].astype(np.int64)
    return _steps(given, LEVELS, used, truth, persons, options)


def of_scores(
    score: Column,
    truth: Column,
    persons: Column | None = None,
    options: Options | None = None,
    pieces: int = 5,
) -> CalibrationCurve:
    """The mean truth of `pieces` equal parts of the faces, by score; equal scores stay together."""
    used = ~(missing(score) | missing(truth))
    values = floats(score)[used]
    inner = np.arange(1, pieces) / pieces
    edges = np.unique(np.quantile(values, inner)) if len(values) else np.empty(0)
    piece = np.searchsorted(edges, values, side="right")
    labels = tuple(f"{i + 1} of {len(edges) + 1}" for i in range(len(edges) + 1))
    return _steps(piece, labels, used, truth, persons, options)


def expected_error(
    probabilities: Float[np.ndarray, "face level"],
    majority: Column,
    persons: Column | None = None,
    options: Options | None = None,
) -> Estimate:
    """The expected calibration error of the probabilities of levels, over ten bins.

    In each bin, the distance between the mean probability of the most probable level and the share
    of faces for which it is the majority's level, a place in `LEVELS`; the mean over bins, weighted
    by their faces. Faces without probabilities (NaN) are left out.

    Source: Naeini, Cooper and Hauskrecht 2015, AAAI, 2901–2907.
    """
    used = ~missing(majority) & np.isfinite(probabilities).all(1)
    sure = probabilities[used].max(1, initial=0.0)
    right = probabilities[used].argmax(1) == floats(majority)[used]
    place = np.minimum((sure * _CONFIDENCE_BINS).astype(np.int64), _CONFIDENCE_BINS - 1)
    who = people(persons, used)
    tables = np.zeros((who.size, _CONFIDENCE_BINS, 3))
    np.add.at(tables, (who.number, place), np.stack([np.ones(len(sure)), sure, right], axis=1))

    def error(sums: Floats) -> Floats:
        return ratio(abs(sums[..., 1] - sums[..., 2]).sum(-1), sums[..., 0].sum(-1))

    return who.sums({"error": error}, tables, options or Options())["error"]


def _steps(
    given: Int[np.ndarray, " face"],
    labels: tuple[str, ...],
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    truth: Column,
    persons: Column | None,
    options: Options | None,
) -> CalibrationCurve:
    who, values = people(persons, used), floats(array(truth)[used])
    steps = []
    for k in np.unique(given):
        here = (given == k).astype(np.float64)
        mean = who.quotient(here * values, here, options or Options())
        steps.append(CalibrationStep(labels[k], int(here.sum()), mean))
    heights = [step.truth.value for step in steps if step.truth.value is not None]
    rises = all(b > a for a, b in pairwise(heights))
    return CalibrationCurve(tuple(steps), rises if len(heights) > 1 else None)
