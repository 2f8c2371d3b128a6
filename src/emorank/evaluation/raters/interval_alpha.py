"""Krippendorff's alpha for ratings that are numbers: positions of a slider.

Two ratings differ by the square of their distance. Summed over all pairs, that is a sum of squares
about a mean, within units and over all; so alpha is a function of four sums over units, and a
bootstrap resample is a weighted sum of the images' tables.

Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section E, the interval
metric difference.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.ratio import Floats, ratio
from emorank.evaluation.statistics.uncertainty import LEVEL, RESAMPLES, Estimate, bootstrap

_ZERO = 1e-9  # of a variance, in the unit of the ratings squared


def interval_alpha(
    values: Float[np.ndarray, "unit rater"],
    image: Int[np.ndarray, " unit"],
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Alpha with an interval over images; NaN is a missing rating.

    Units with one rating are left out. `image` numbers the image that each unit belongs to.
    """
    several = np.isfinite(values).sum(axis=1) >= 2
    values, image = values[several], image[several]
    if len(values) < 2:
        return Estimate(None, level=level, reason="fewer than two units with two ratings")
    _, cluster = np.unique(image, return_inverse=True)
    tables = np.zeros((int(cluster.max()) + 1, 1, 4))
    np.add.at(tables, cluster, _sums(values)[:, None, :])
    found = bootstrap(
        {"alpha": _alpha}, tables, rng, unit="images", resamples=resamples, level=level
    )
    return found["alpha"]


def _sums(values: Float[np.ndarray, "unit rater"]) -> Float[np.ndarray, "unit sum"]:
    """Of each unit: disagreement within it, number, sum and sum of squares of its ratings."""
    there = np.isfinite(values)
    # Squares of large numbers that hardly differ would lose what matters.
    y = np.where(there, values - values[there].mean(), 0.0)
    number, total, squares = there.sum(axis=1), y.sum(axis=1), (y**2).sum(axis=1)
    within = 2 * number / (number - 1) * (squares - total**2 / number)
    return np.stack([within, number, total, squares], axis=1)


def _alpha(sums: np.ndarray[Any, Any]) -> Floats:
    within, number, total, squares = (sums[..., 0, i] for i in range(4))
    observed = ratio(within, number)
    expected = 2 * ratio(squares - ratio(total**2, number), number - 1)
    return 1 - ratio(observed, expected, least=_ZERO)
