"""Does a score of expression intensity follow the known intensity?

The main answer is the correlation *within* the expressed emotion: a score that only tells happy
faces from sad ones can correlate with intensity overall without measuring it. The within-emotion
value is the average of the emotions' values weighted by their faces; an emotion in which the score
or the truth is the same for every face has no value and is left out of the average. Intervals are
from the bootstrap over persons.

That a classifier's scores need not follow intensity was shown by Girard, Cohn and De la Torre 2015,
Pattern Recognition Letters 66, 13–21.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emorank.evaluation.statistics.columns import (
    Column,
    Options,
    People,
    array,
    floats,
    groups,
    missing,
    people,
    same,
)
from emorank.evaluation.statistics.correlation import (
    Draws,
    Numbers,
    Values,
    kendall,
    partial,
    spearman,
)
from emorank.evaluation.statistics.ratio import Floats, defined_mean
from emorank.evaluation.statistics.uncertainty import Estimate, with_reason

_RHO_AND_TAU = ("spearman", "spearman_within", "kendall", "kendall_within")
CHANCE = 0.99
SAME_SCORE = "the score is the same for every face, so it says nothing"
SAME_TRUTH = "what is known is the same for every face"


@dataclass(frozen=True)
class Correlations:
    """A score against one kind of truth.

    Attributes:
        count: faces with both.
        missing: faces with a truth but no score.
        persons: of the faces counted.
        spearman_within: within emotion, averaged.
        emotions: Spearman's rho of each emotion.
        chance: mean and 99 % interval of the within-emotion rho of scores that are shuffled within
            emotion. The interval is wider than others because many ranks are tried on the same
            faces.
    """

    count: int
    missing: int
    persons: int
    spearman: Estimate
    spearman_within: Estimate
    kendall: Estimate
    kendall_within: Estimate
    emotions: dict[str, Estimate]
    chance: Estimate


@dataclass(frozen=True)
class Nuisance:
    """Whether a score follows something else than intensity, such as brightness.

    All correlations are within emotion, averaged as in `Correlations`.

    Attributes:
        score: Spearman's rho of the score and the nuisance.
        score_given_truth: partial correlation of the two, with the truth held constant.
        truth_given_nuisance: partial correlation of score and truth, with the nuisance held
            constant.
    """

    score: Estimate
    score_given_truth: Estimate
    truth_given_nuisance: Estimate


def correlations(
    score: Column,
    truth: Column,
    emotion: Column,
    persons: Column | None = None,
    options: Options | None = None,
) -> Correlations:
    """Rank correlations of a score (the greater the stronger) with the known intensity.

    The truth is an intensity, mean rating or level; faces without one are left out. A face without
    an emotion (neutral, say) counts in the overall correlation only.
    """
    options = options or Options()
    known = ~missing(truth)
    scored = known & ~missing(score)
    x, y = floats(score)[scored], floats(truth)[scored]
    who, emotions = people(persons, scored), groups(array(emotion)[scored])
    estimates = who.estimates(_rank_correlations(x, y, emotions, who), options)
    reason = _reason(x, y) or ("" if emotions else "no face is of an emotion")
    return Correlations(
        count=len(x),
        missing=int((known & ~scored).sum()),
        persons=who.size,
        emotions={
            name: with_reason(estimates[f"in {name}"], _reason(x[rows], y[rows]))
            for name, rows in emotions.items()
        },
        chance=_shuffled(x, y, emotions, options),
        **{name: with_reason(estimates[name], reason) for name in _RHO_AND_TAU},
    )


def _rank_correlations(
    x: Values, y: Values, emotions: dict[str, Numbers], who: People
) -> Callable[[Draws], dict[str, Floats]]:
    tau = kendall(x, y, who.number, who.size)
    taus = [kendall(x[rows], y[rows], who.number[rows], who.size) for rows in emotions.values()]

    def statistics(draws: Draws) -> dict[str, Floats]:
        weights = draws[:, who.number]
        inside = [weights[:, rows] for rows in emotions.values()]
        mass = [some.sum(1) for some in inside]
        rho = [
            spearman(x[rows], y[rows], some)
            for rows, some in zip(emotions.values(), inside, strict=True)
        ]
        return {
            "spearman": spearman(x, y, weights),
            "spearman_within": _pooled(rho, mass, len(draws)),
            "kendall": tau(draws),
            "kendall_within": _pooled([of(draws) for of in taus], mass, len(draws)),
            **{f"in {name}": value for name, value in zip(emotions, rho, strict=True)},
        }

    return statistics


def nuisance(
    score: Column,
    truth: Column,
    other: Column,
    emotion: Column,
    persons: Column | None = None,
    options: Options | None = None,
) -> Nuisance:
    """Partial rank correlations of score, truth and something that should not matter (brightness).

    The three within-emotion correlations are averaged over the same emotions first; the partial
    correlations are computed from the three averages.
    """
    options = options or Options()
    used = ~(missing(score) | missing(truth) | missing(other))
    s, t, o = (floats(column)[used] for column in (score, truth, other))
    who, emotions = people(persons, used), groups(array(emotion)[used])

    def statistics(draws: Draws) -> dict[str, Floats]:
        three, mass = [], []
        for rows in emotions.values():
            weights = draws[:, who.number[rows]]
            pairs = ((s, t), (s, o), (t, o))
            here = np.stack([spearman(a[rows], b[rows], weights) for a, b in pairs])
            three.append(np.where(np.isfinite(here).all(0), here, np.nan))
            mass.append(weights.sum(1))
        st, so, to = (_pooled([each[i] for each in three], mass, len(draws)) for i in range(3))
        return {
            "score": so,
            "score_given_truth": partial(so, st, to),
            "truth_given_nuisance": partial(st, so, to),
        }

    estimates = who.estimates(statistics, options)
    reason = _reason(s, t) or ("it is the same for every face" if same(o) else "")
    return Nuisance(**{name: with_reason(value, reason) for name, value in estimates.items()})


def _shuffled(x: Values, y: Values, emotions: dict[str, Numbers], options: Options) -> Estimate:
    """The within-emotion rho of scores that are shuffled within each emotion."""
    from scipy.stats import rankdata  # loaded late: a second

    rng = np.random.default_rng([options.seed, 1])
    rho, mass = [], []
    for rows in emotions.values():
        a, b = (rankdata(values[rows]) - (len(rows) + 1) / 2 for values in (x, y))
        shuffled = rng.permuted(np.tile(a, (options.resamples, 1)), axis=1)
        spread = np.sqrt((a**2).sum() * (b**2).sum())
        if spread > 0:
            rho.append(shuffled @ b / spread)
            mass.append(np.full(options.resamples, len(rows), float))
    method = f"{options.resamples} shuffles within emotion"
    if not rho:
        reason = _reason(x, y) or "no emotion in which both differ"
        return Estimate(None, level=CHANCE, method=method, reason=reason)
    values = defined_mean(np.array(rho), np.array(mass), axis=0)
    low, high = np.quantile(values, [(1 - CHANCE) / 2, (1 + CHANCE) / 2])
    return Estimate(float(values.mean()), float(low), float(high), CHANCE, method)


def _pooled(values: list[Floats], mass: list[Floats], resamples: int) -> Floats:
    if not values:
        return np.full(resamples, np.nan)
    return defined_mean(np.array(values), np.array(mass), axis=0)


def _reason(x: Values, y: Values) -> str:
    if not len(x):
        return "no face has both a score and a known intensity"
    return SAME_SCORE if same(x) else SAME_TRUTH if same(y) else ""
