"""Numbers with their uncertainty: Wilson's interval, and the bootstrap over persons.

The images of one person are not independent, so whole persons are drawn again and not images
(a cluster bootstrap). Most statistics are functions of a table of counts, and counts add up: a
resample is a weighted sum of the persons' tables, and thousands of resamples are one matrix
product instead of a loop. Of few persons the ends are Hesterberg's expanded percentiles, wider as
Student's t is wider than the normal distribution; they are rough all the same, and a share gets no
narrower interval than Wilson's. A statistic that does not add up (a rank correlation) is a function
of how often each person was drawn, all resamples at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Num

# (…, K, L) counts → (…) values, NaN where the statistic is not defined
Statistic = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
Weights = Float[np.ndarray, "resample cluster"]

RESAMPLES = 2000
LEVEL = 0.95
FEW = 10
"""Intervals over fewer persons than these are rough."""
# Above this share of undefined resamples there is no interval: the others flatter the statistic.
_MOST_UNDEFINED = 0.05
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Estimate:
    """A value and its interval from `low` to `high`; None where undefined.

    Attributes:
        level: the coverage that the interval aims at.
        method: how the interval was computed, for the reader of a table.
        reason: why the value or the interval is None; empty if neither is.
        rough: whether the interval is over few persons.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: str = ""
    reason: str = ""
    rough: bool = False


def with_reason(estimate: Estimate, reason: str) -> Estimate:
    """The estimate with a better reason, if its value is None and there is a better reason."""
    return replace(estimate, reason=reason) if reason and estimate.value is None else estimate


def wilson(successes: int, total: int, level: float = LEVEL) -> Estimate:
    """A share with Wilson's interval, which assumes that the images are independent.

    Source: Wilson 1927, JASA 22, 209–212.
    """
    from scipy.stats import binomtest

    if total == 0:
        return Estimate(None, level=level, method="Wilson", reason="no images")
    interval = binomtest(successes, total).proportion_ci(level, method="wilson")
    return Estimate(successes / total, float(interval.low), float(interval.high), level, "Wilson")


def no_narrower(estimate: Estimate, successes: int, total: int) -> Estimate:
    """A share with an interval over few persons, widened where Wilson's is wider.

    Three persons may do equally well by chance; then drawing them again says nothing.
    """
    if not estimate.rough or estimate.low is None or estimate.high is None:
        return estimate
    other = wilson(successes, total, estimate.level)
    if other.low is None or other.high is None:
        return estimate
    low, high = min(estimate.low, other.low), max(estimate.high, other.high)
    if (low, high) == (estimate.low, estimate.high):
        return estimate
    return replace(
        estimate, low=low, high=high, method=f"{estimate.method}, widened to Wilson's interval"
    )


def clusters(persons: Sequence[Any] | pd.Series | None, count: int) -> Int[np.ndarray, " image"]:
    """Number the persons from 0; an image whose person is unknown counts as one more person.

    Raises:
        ValueError: there are more or fewer persons than images (`count`).
    """
    if persons is None:
        return np.arange(count)
    codes, known = pd.factorize(pd.Series(persons, dtype="object"))
    if len(codes) != count:
        raise ValueError(f"expected one person per image ({count}), got {len(codes)}")
    unknown = codes < 0
    codes[unknown] = len(known) + np.arange(unknown.sum())
    return codes


def counts_per_cluster(
    rows: Int[np.ndarray, " image"],
    columns: Int[np.ndarray, " image"],
    shape: tuple[int, int],
    cluster: Int[np.ndarray, " image"],
    size: int | None = None,
) -> Int[np.ndarray, "cluster row column"]:
    """One table of counts per person: image i counts in cell (rows[i], columns[i]).

    Persons (`cluster`) are numbered from 0; `size` is their number, None for those that have
    images.
    """
    if size is None:
        size = int(cluster.max()) + 1 if len(cluster) else 0
    flat = (cluster * shape[0] + rows) * shape[1] + columns
    return np.bincount(flat, minlength=size * shape[0] * shape[1]).reshape(size, *shape)


def bootstrap(
    statistics: Mapping[str, Statistic],
    tables: Num[np.ndarray, "cluster row column"],
    rng: np.random.Generator,
    *,
    unit: str = "persons",
    alike: Int[np.ndarray, " cluster"] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Values of several statistics with percentile intervals, persons drawn with replacement.

    All statistics see the same resamples. Each maps counts (…, K, L) to values (…), NaN where
    undefined. `tables` are the counts of each person, from `counts_per_cluster`; where equal tables
    are given once, `alike` says how many persons have each, which changes no probability and saves
    time. `unit` is what a cluster is, in words.

    Source: Davison and Hinkley 1997, Bootstrap Methods and Their Application, section 3.8.
    """
    alike = np.ones(len(tables), np.int64) if alike is None else alike
    floats = tables.astype(float)

    def of_sums(weights: Weights) -> dict[str, np.ndarray[Any, Any]]:
        sums = np.tensordot(weights, floats, axes=1)
        return {name: f(sums) for name, f in statistics.items()}

    size = max(len(tables), floats[0].size if len(floats) else 1)
    return resampled(
        of_sums, alike, rng, unit=unit, resamples=resamples, level=level, chunk=_CHUNK // size
    )


def resampled(
    statistics: Callable[[Weights], Mapping[str, np.ndarray[Any, Any]]],
    alike: Int[np.ndarray, " cluster"],
    rng: np.random.Generator,
    *,
    unit: str = "persons",
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    chunk: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Values with intervals for statistics that do not add up, such as rank correlations.

    A resample says how often each person was drawn, and a statistic takes that number as a weight,
    so that no data are copied: `statistics` maps weights (resample, cluster) to values (resample,)
    by name, NaN where undefined, for `chunk` resamples at a time. `alike` says how many persons
    each cluster stands for, `unit` what a cluster is, in words.
    """
    number = int(alike.sum())
    method = f"bootstrap over {number} {unit}, {resamples} resamples"
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {name: float(v[0]) for name, v in statistics(alike[None].astype(float)).items()}
        pieces: dict[str, list[np.ndarray[Any, Any]]] = {name: [np.empty(0)] for name in values}
        chunk = max(1, min(resamples, chunk))
        for start in range(0, resamples if number > 1 else 0, chunk):
            size = min(chunk, resamples - start)
            weights = rng.multinomial(number, alike / number, size=size)
            for name, some in statistics(weights.astype(float)).items():
                pieces[name].append(some)
    return {
        name: _estimate(value, np.concatenate(pieces[name]), number, unit, level, method)
        for name, value in values.items()
    }


def _estimate(
    value: float,
    draws: Float[np.ndarray, " resample"],
    number: int,
    unit: str,
    level: float,
    method: str,
) -> Estimate:
    if not np.isfinite(value):
        reason = "no images" if number == 0 else "not defined for these images"
        return Estimate(None, level=level, method=method, reason=reason)
    if number < 2:
        singular = {"persons": "person"}.get(unit, unit.removesuffix("s"))
        reason = f"no interval: one {singular} only"
        return Estimate(value, level=level, method=method, reason=reason)
    undefined = 1 - np.isfinite(draws).mean()
    if undefined > _MOST_UNDEFINED:
        reason = f"no interval: not defined in {undefined:.0%} of the resamples"
        return Estimate(value, level=level, method=method, reason=reason)
    tail, rough = (1 - level) / 2, unit == "persons" and number < FEW
    if rough:
        tail = _expanded(tail, number)
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), level, method, rough=rough)


def _expanded(tail: float, number: int) -> float:
    """The tail of the expanded percentile interval: Hesterberg 2015, Am. Stat. 69, section 4.3."""
    from scipy.stats import norm, t

    return float(norm.cdf(np.sqrt(number / (number - 1)) * t.ppf(tail, number - 1)))
