"""Dawid and Skene's model of raters who err: the true class, and how each rater confuses it.

A unit's true class is drawn from a prior; a rater who sees class j answers k with a probability of
the rater's own. Expectation and maximisation fit prior, probabilities and classes together. The
model serves as a sensitivity analysis: where its labels differ from the majority's, the majority
depends on raters whom the model does not trust.

Source: Dawid and Skene 1979, Applied Statistics 28, 20–28.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.answers.answers_table import UNIT, firsts_of
from emorank.vocabulary import LEVELS

_TINY = 1e-300


@dataclass(frozen=True)
class DawidSkene:
    """The model as fitted.

    Attributes:
        posterior: probability of each class for each unit; rows sum to 1.
        prior: probability of each class.
        errors: probability of each answer of each rater given each class; the last axis sums to 1.
            NaN where a rater voted on no unit of a class.
        log_likelihood: natural, after each iteration; never falls.
        converged: whether its last rise was below the tolerance.
    """

    posterior: Float[np.ndarray, "unit level"]
    prior: Float[np.ndarray, " level"]
    errors: Float[np.ndarray, "rater level answer"]
    log_likelihood: tuple[float, ...]
    converged: bool


def dawid_skene(
    unit: Int[np.ndarray, " vote"],
    rater: Int[np.ndarray, " vote"],
    answer: Int[np.ndarray, " vote"],
    levels: int,
    *,
    iterations: int = 1000,
    tolerance: float = 1e-8,
) -> DawidSkene:
    """Fit the model to votes; a rater may vote on a unit any number of times, or not at all.

    It begins with the share of each answer among a unit's votes, as the paper does, so the result
    does not depend on chance.

    Units and raters are numbered from 0 without gaps, answers from 0 to `levels` - 1. It ends after
    `iterations`, or when the log-likelihood rises by a share of less than `tolerance`.
    """
    units, raters = int(unit.max(initial=-1)) + 1, int(rater.max(initial=-1)) + 1
    if not units:
        unknown = np.full((raters, levels, levels), np.nan)
        return DawidSkene(np.empty((0, levels)), np.full(levels, np.nan), unknown, (), True)
    shares = np.zeros((units, levels))
    np.add.at(shares, (unit, answer), 1)
    posterior = shares / shares.sum(axis=1, keepdims=True)
    likelihoods: list[float] = []
    converged = False
    prior, errors = np.zeros(levels), np.zeros((raters, levels, levels))
    cell = rater * levels + answer
    for _ in range(iterations):
        # Maximisation: equations 2.3 and 2.4.
        prior = posterior.mean(axis=0)
        weights = np.stack(
            [
                np.bincount(cell, posterior[unit, j], raters * levels).reshape(raters, levels)
                for j in range(levels)
            ],
            axis=1,
        )
        seen = weights.sum(axis=-1, keepdims=True)
        errors = np.divide(weights, seen, out=np.full(weights.shape, np.nan), where=seen > 0)
        # Expectation, equation 2.5, in logarithms: a product of fifty small numbers is 0.
        log_errors = np.log(np.maximum(np.nan_to_num(errors), _TINY))
        joint = np.stack(
            [np.bincount(unit, log_errors[rater, j, answer], units) for j in range(levels)], axis=1
        ) + np.log(np.maximum(prior, _TINY))
        top = joint.max(axis=1, keepdims=True)
        mass = np.exp(joint - top).sum(axis=1, keepdims=True)
        posterior = np.exp(joint - top) / mass
        likelihoods.append(float((top + np.log(mass)).sum()))
        if len(likelihoods) > 1:
            rise = likelihoods[-1] - likelihoods[-2]
            converged = rise <= tolerance * max(1.0, abs(likelihoods[-1]))
            if converged:
                break
    return DawidSkene(posterior, prior, errors, tuple(likelihoods), converged)


def dawid_skene_verdicts(answers: pd.DataFrame) -> tuple[pd.DataFrame, DawidSkene]:
    """The model's verdict on each unit with a vote at the first showing; Skip is no vote.

    Returns:
        `image`, `emotion`, `answer` (None, Minimal, Average or Strong: the most probable),
        `probability` (of it), and the model. `attrs["raters"]` names its raters.
    """
    first = firsts_of(answers)
    first = first[first["answer"].isin(LEVELS)]
    unit = first.groupby(list(UNIT), dropna=False, sort=False).ngroup().to_numpy()
    rater, raters = pd.factorize(first["rater"], sort=True)
    answer = pd.Index(LEVELS).get_indexer(pd.Index(first["answer"]))
    model = dawid_skene(unit, rater, answer, len(LEVELS))
    best = model.posterior.argmax(axis=1) if len(model.posterior) else np.empty(0, np.int64)
    table = first[list(UNIT)].drop_duplicates().reset_index(drop=True)
    table["answer"] = pd.Series(np.array(LEVELS)[best], dtype="string")
    table["probability"] = model.posterior[np.arange(len(best)), best]
    table.attrs["raters"] = list(map(str, raters))
    return table, model
