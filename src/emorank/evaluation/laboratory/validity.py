"""Does a score of expression intensity follow what is known of the intensity?

Everything is asked *within* the expressed emotion first: a score that only tells happy faces from
sad ones can correlate with intensity overall and know nothing of it. The within-emotion value is
the average of the emotions' own values weighted by their faces; an emotion in which the score or
the truth is the same for every face has no value and is left out of the average. Intervals are from
the bootstrap over persons.

That a classifier's scores need not follow intensity was shown by Girard, Cohn and De la Torre 2015,
Pattern Recognition Letters 66, 13–21.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from emorank.evaluation.statistics.columns import (
    Column,
    Options,
    People,
    array,
    because,
    floats,
    groups,
    missing,
    people,
    same,
)
from emorank.evaluation.statistics.correlation import (
    Draws,
    Many,
    Numbers,
    Values,
    kendall,
    partial,
    pooled,
    spearman,
)
from emorank.evaluation.statistics.uncertainty import Estimate

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
        spearman: over all faces.
        spearman_within: within emotion, averaged.
        kendall: tau-b over all faces.
        kendall_within: tau-b within emotion, averaged.
        emotions: Spearman's rho of each emotion.
        chance: where 99 % of the within-emotion rho lie when the scores are shuffled within
            emotion (`CHANCE`: many ranks are tried on the same faces); the value is their mean.
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
    """Whether a score follows something else (brightness, say) than intensity.

    All are within emotion, averaged as in `Correlations`.

    Attributes:
        score: Spearman's rho of the score and the nuisance.
        score_given_truth: the same, what the truth accounts for taken out of both.
        truth_given_nuisance: of score and truth, what the nuisance accounts for taken out of both.
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
    """Rank correlations of a score with what is known of the intensity.

    Args:
        score: (face,) the greater the stronger; missing where there is none.
        truth: (face,) intensity, mean rating or level; faces without one are left out.
        emotion: (face,) the expressed emotion; missing for faces that count overall only, such as
            neutral ones.
        persons: (face,) missing where unknown; None if no person is known.
        options: of the bootstrap.
    """
    options = options or Options()
    known = ~missing(truth)
    scored = known & ~missing(score)
    x, y = floats(score)[scored], floats(truth)[scored]
    who, emotions = people(persons, scored), groups(array(emotion)[scored])
    found = who.estimates(_rank_correlations(x, y, emotions, who), options)
    reason = _reason(x, y) or ("" if emotions else "no face is of an emotion")
    return Correlations(
        count=len(x),
        missing=int((known & ~scored).sum()),
        persons=who.size,
        emotions={
            name: because(found[f"in {name}"], _reason(x[rows], y[rows]))
            for name, rows in emotions.items()
        },
        chance=_shuffled(x, y, emotions, options),
        **{name: because(found[name], reason) for name in _RHO_AND_TAU},
    )


def _rank_correlations(
    x: Values, y: Values, emotions: dict[str, Numbers], who: People
) -> Callable[[Draws], dict[str, Many]]:
    tau = kendall(x, y, who.number, who.size)
    taus = [kendall(x[rows], y[rows], who.number[rows], who.size) for rows in emotions.values()]

    def statistics(draws: Draws) -> dict[str, Many]:
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
    """Partial rank correlations of score, truth and something that should not matter.

    The three within-emotion correlations are averaged over the same emotions first, which leaves a
    correlation matrix; the partial correlations are of that matrix.

    Args:
        score: (face,).
        truth: (face,).
        other: (face,) what should not matter, such as mean brightness.
        emotion: (face,).
        persons: (face,).
        options: of the bootstrap.
    """
    options = options or Options()
    used = ~(missing(score) | missing(truth) | missing(other))
    s, t, o = (floats(column)[used] for column in (score, truth, other))
    who, emotions = people(persons, used), groups(array(emotion)[used])

    def statistics(draws: Draws) -> dict[str, Many]:
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

    found = who.estimates(statistics, options)
    reason = _reason(s, t) or ("it is the same for every face" if same(o) else "")
    return Nuisance(**{name: because(value, reason) for name, value in found.items()})


def _shuffled(x: Values, y: Values, emotions: dict[str, Numbers], options: Options) -> Estimate:
    """What the within-emotion rho comes to when scores are dealt anew within each emotion."""
    rng = np.random.default_rng([options.seed, 1])
    rho, mass = [], []
    for rows in emotions.values():
        a, b = (rankdata(values[rows]) - (len(rows) + 1) / 2 for values in (x, y))
        dealt = rng.permuted(np.tile(a, (options.resamples, 1)), axis=1)
        spread = np.sqrt((a**2).sum() * (b**2).sum())
        if spread > 0:
            rho.append(dealt @ b / spread)
            mass.append(np.full(options.resamples, len(rows), float))
    method = f"{options.resamples} shuffles within emotion"
    if not rho:
        reason = _reason(x, y) or "no emotion in which both differ"
        return Estimate(None, level=CHANCE, method=method, reason=reason)
    values = pooled(np.array(rho), np.array(mass))
    low, high = np.quantile(values, [(1 - CHANCE) / 2, (1 + CHANCE) / 2])
    return Estimate(float(values.mean()), float(low), float(high), CHANCE, method)


def _pooled(values: list[Many], mass: list[Many], resamples: int) -> Many:
    if not values:
        return np.full(resamples, np.nan)
    return pooled(np.array(values), np.array(mass))


def _reason(x: Values, y: Values) -> str:
    if not len(x):
        return "no face has both a score and a known intensity"
    return SAME_SCORE if same(x) else SAME_TRUTH if same(y) else ""
