"""How well raters agree: statistics with intervals over images, and a reason if undefined."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from emorank.evaluation.raters import coincidence, pairwise
from emorank.evaluation.raters.ratings import NoneAs, Ratings, ratings
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    bootstrap,
    with_reason,
)
from emorank.vocabulary import LEVELS

# Above this many cells (two hundred megabytes) the tables of all pairs do not fit into memory.
_MOST_CELLS = 25_000_000
# Two of thousands of raters share few units, so a mean over millions of pairs means little.
MOST_RATERS = 300


@dataclass(frozen=True)
class CountAgreement:
    """Agreement from counts of answers, without the raters' names.

    Attributes:
        units: number of units with two or more votes; only these can agree.
        single: number of units with one vote, which are left out.
        images: of these units, as are `votes`.
        observed: the share of pairs of votes on a unit that are the same.
        alpha_nominal: Krippendorff's alpha for answers without an order.
        alpha_ordinal: Krippendorff's alpha for answers in an order; None if they have none.
    """

    units: int
    single: int
    images: int
    votes: int
    observed: Estimate
    fleiss_kappa: Estimate
    alpha_nominal: Estimate
    alpha_ordinal: Estimate | None = None


@dataclass(frozen=True)
class RaterKappa:
    """One rater against the others; an undefined kappa is None, and `reason` says why.

    Attributes:
        votes: number of ranks and None that the rater gave.
        pairwise: the mean quadratic-weighted kappa with each other rater.
        leave_one_out: the quadratic-weighted kappa with the majority of the others.
    """

    rater: str
    votes: int
    pairwise: float | None
    leave_one_out: float | None
    reason: str = ""


@dataclass(frozen=True)
class Agreement:
    """How well the raters of a table of answers agree.

    Attributes:
        none_as: how None was used: as the "level" below Minimal, or as "missing".
        counts: the statistics that need no names of raters.
        pairwise_kappa: mean over the pairs of raters.
        leave_one_out_kappa: mean over raters, each against the majority of the others; the ceiling
            for methods.
        pairs: number of pairs of raters with a defined kappa.
    """

    none_as: str
    counts: CountAgreement
    pairwise_kappa: Estimate
    leave_one_out_kappa: Estimate
    pairs: int
    raters: tuple[RaterKappa, ...]


def agreement(
    answers: pd.DataFrame,
    rng: np.random.Generator,
    *,
    none_as: NoneAs = "level",
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Agreement:
    """Measure how well raters agree at the first showing, from `answers_table`.

    None is one more answer in nominal statistics, and the level below Minimal in ordinal ones; with
    `none_as="missing"` it is left out, so that the three ranks alone are compared. Skip is a
    missing vote in all of them. A resample draws whole images, with all their emotions.
    """
    grid = ratings(answers, none_as)
    options: dict[str, Any] = {"resamples": resamples, "level": level}
    counts = count_agreement(grid.counts(), grid.image, rng, ordinal=True, **options)
    pairs, pairwise, of_pair = _over_images(grid, "pairs", rng, options)
    _, ceiling, of_rater = _over_images(grid, "raters", rng, options)
    return Agreement(
        none_as, counts, pairwise, ceiling, pairs, tuple(_each(grid, of_pair, of_rater))
    )


def count_agreement(
    counts: Int[np.ndarray, "unit level"],
    image: Int[np.ndarray, " unit"],
    rng: np.random.Generator,
    *,
    ordinal: bool,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> CountAgreement:
    """Agreement of counts: how often each unit was given each answer, ascending if `ordinal`.

    `image` has the image that each unit belongs to, numbered from 0; images are drawn again.
    """
    statistics = {
        "observed": coincidence.observed_agreement,
        "fleiss_kappa": coincidence.fleiss_kappa,
        "alpha_nominal": coincidence.nominal_alpha,
    }
    if ordinal:
        statistics["alpha_ordinal"] = coincidence.ordinal_alpha
    total = counts.sum(axis=1)
    paired = total >= 2
    # Images without a unit of two votes are not drawn.
    images, cluster = np.unique(image[paired], return_inverse=True)
    tables, alike = _put_together(counts[paired], cluster)
    estimates = bootstrap(
        statistics, tables, rng, unit="images", alike=alike, resamples=resamples, level=level
    )
    # The only two cases in which a statistic of counts has no value.
    reason = "all votes are the same answer, so there is no chance to compare with"
    reason = reason if paired.any() else "no unit has two votes"
    return CountAgreement(
        units=int(paired.sum()),
        single=int((total == 1).sum()),
        images=len(images),
        votes=int(total[paired].sum()),
        **{name: with_reason(estimate, reason) for name, estimate in estimates.items()},
    )


def _put_together(
    counts: np.ndarray[Any, Any], cluster: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """The images' tables, equal ones of one unit once, and how many images have each."""
    if not len(counts) or len(counts) != int(cluster.max()) + 1:
        return coincidence.unit_tables(counts, cluster), None
    distinct, alike = np.unique(counts, axis=0, return_counts=True)
    return coincidence.unit_tables(distinct, np.arange(len(distinct))), alike


def _over_images(
    grid: Ratings, what: str, rng: np.random.Generator, options: Mapping[str, Any]
) -> tuple[int, Estimate, np.ndarray[Any, Any]]:
    """The number of defined kappas, their mean with its interval, and each of them."""
    number = len(grid.raters)
    reason = {0: "no rater", 1: "one rater only"}.get(number, "")
    if number > MOST_RATERS:
        reason = f"{number:,} raters; at most {MOST_RATERS} are compared one by one"
    if reason:
        return 0, Estimate(None, level=options["level"], reason=reason), np.empty(0)
    make = pairwise.pair_tables if what == "pairs" else pairwise.leave_one_out_tables
    width = number * (number - 1) // 2 if what == "pairs" else number
    fits = grid.images * width * len(LEVELS) ** 2 <= _MOST_CELLS
    # If the tables of all images do not fit, those of one image with all units give the value.
    whole = replace(grid, image=np.zeros_like(grid.image))
    tables = make(grid if fits else whole)
    each = pairwise.kappas(tables.sum(axis=0))
    mean = bootstrap({"": pairwise.mean_kappa}, tables, rng, unit="images", **options)[""]
    if not fits and mean.value is not None:
        mean = replace(mean, reason=f"no interval: {width:,} {what} × {grid.images:,} images")
    mean = with_reason(mean, f"not defined for any of the {what}: no two levels in common")
    return int(np.isfinite(each).sum()), mean, each


def _each(
    grid: Ratings, of_pair: np.ndarray[Any, Any], of_rater: np.ndarray[Any, Any]
) -> list[RaterKappa]:
    number = len(grid.raters)
    matrix = np.full((number, number), np.nan)
    if len(of_pair):
        upper = np.triu_indices(number, 1)
        matrix[upper] = matrix[upper[::-1]] = of_pair
    result = []
    for i, name in enumerate(grid.raters):
        known = matrix[i][np.isfinite(matrix[i])]
        pairwise = float(known.mean()) if len(known) else None
        ceiling = float(of_rater[i]) if len(of_rater) and np.isfinite(of_rater[i]) else None
        reason = "" if ceiling is not None else "shares no two levels with the others"
        votes = int((grid.levels[:, i] >= 0).sum())
        result.append(RaterKappa(name, votes, pairwise, ceiling, reason))
    return result
