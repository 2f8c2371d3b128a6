"""Intraclass correlation of ratings that are numbers; any cells may be missing.

A rating is the sum of an overall mean, a unit's effect, a rater's effect and an error, all drawn at
random: the two-way model without interaction. The variances come from sums of squares, each effect
adjusted for the other (Henderson's method 3), which for complete tables is the usual analysis of
variance. So with complete tables the results are those of McGraw and Wong 1996, Psychological
Methods 1, 30-46, and of Shrout and Fleiss 1979, Psychological Bulletin 86, 420-428.

Source: Searle, Casella and McCulloch 1992, Variance Components, section 5.5.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.ratio import Floats, ratio
from emorank.evaluation.statistics.uncertainty import LEVEL, RESAMPLES, Estimate, bootstrap

MOST_RATERS = 100  # the tables have the square of them for each image
_SCALARS = 4
_ZERO = 1e-9


def intraclass(
    values: Float[np.ndarray, "unit rater"],
    image: Int[np.ndarray, " unit"],
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Intraclass correlations with intervals over images; NaN is a missing rating.

    Returns:
        "single", ICC(A,1): absolute agreement of one rating. "consistency", ICC(C,1): the same
        where a rater may be higher than others throughout. "mean", ICC(A,k): of the mean of the
        ratings of a unit, k being the harmonic mean of their number. Units with one rating, and
        raters without one, are left out.
    """
    several = np.isfinite(values).sum(axis=1) >= 2
    values, image = values[several], image[several]
    values = values[:, np.isfinite(values).any(axis=0)] if len(values) else values
    raters = values.shape[1]
    if len(values) < 2 or raters > MOST_RATERS:
        reason = "fewer than two units with two ratings"
        if raters > MOST_RATERS:
            reason = f"{raters} raters; at most {MOST_RATERS} are compared"
        return dict.fromkeys(("single", "consistency", "mean"), Estimate(None, reason=reason))
    _, cluster = np.unique(image, return_inverse=True)
    tables = np.zeros((int(cluster.max()) + 1, raters + 4, max(raters, _SCALARS)))
    np.add.at(tables, cluster, _tables(values))
    statistics = {
        "single": lambda sums: _correlations(sums, raters)[0],
        "consistency": lambda sums: _correlations(sums, raters)[1],
        "mean": lambda sums: _correlations(sums, raters)[2],
    }
    return bootstrap(statistics, tables, rng, unit="images", resamples=resamples, level=level)


def _tables(values: Float[np.ndarray, "unit rater"]) -> Float[np.ndarray, "unit row column"]:
    """What each unit adds to the sums that the variances are made of."""
    units, raters = values.shape
    there = np.isfinite(values)
    m, y = there.astype(float), np.where(there, values, 0.0)
    number = m.sum(axis=1)
    mean = y.sum(axis=1) / number
    table = np.zeros((units, raters + 4, max(raters, _SCALARS)))
    # The normal equations of the raters' effects, the units' effects eliminated.
    own = m[:, :, None] * np.eye(raters)
    table[:, :raters, :raters] = own - m[:, :, None] * m[:, None, :] / number[:, None, None]
    table[:, raters, :raters] = m * (y - mean[:, None])
    table[:, raters + 1, :raters] = y
    table[:, raters + 2, :raters] = m
    within = (m * (y - mean[:, None]) ** 2).sum(axis=1)
    table[:, raters + 3, :_SCALARS] = np.stack(
        [within, (y**2).sum(axis=1), np.ones(units), 1 / number], axis=1
    )
    return table


def _correlations(sums: np.ndarray[Any, Any], raters: int) -> tuple[Floats, Floats, Floats]:
    normal, right = sums[..., :raters, :raters], sums[..., raters, :raters]
    totals, counts = sums[..., raters + 1, :raters], sums[..., raters + 2, :raters]
    within, squares, units, inverse = (sums[..., raters + 3, i] for i in range(_SCALARS))
    number, judges = counts.sum(-1), (counts > 0).sum(-1)
    roots, vectors = np.linalg.eigh(normal)
    real = roots > _ZERO * np.maximum(roots.max(-1, keepdims=True), 1)
    along = (vectors * right[..., :, None]).sum(-2)
    of_raters = np.where(real, along**2 / np.where(real, roots, 1), 0).sum(-1)
    rank = real.sum(-1)  # raters less one for each group that no unit connects
    groups = judges - rank
    error_square = within - of_raters
    error = ratio(error_square, number - units - rank)
    alone = squares - ratio(totals**2, np.where(counts > 0, counts, 1)).sum(-1)
    unit = ratio(alone - error_square - (units - groups) * error, number - judges)
    rater = ratio(of_raters - rank * error, number - units)
    unit, rater = np.maximum(unit, 0), np.maximum(rater, 0)
    many = ratio(units, inverse)  # the harmonic mean of ratings per unit
    return (
        ratio(unit, unit + rater + error, least=1e-12),
        ratio(unit, unit + error, least=1e-12),
        ratio(unit, unit + ratio(rater + error, many), least=1e-12),
    )
