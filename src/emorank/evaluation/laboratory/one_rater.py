"""How well one rater does, measured as a rank is: the yardstick beside it.

A rater is compared with the majority of the *others* (leave one out), and with what a rank is
compared with; the values are averaged over the raters that have one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.answers.answers_table import answers_table
from emorank.evaluation.raters.agreement import MOST_RATERS
from emorank.evaluation.raters.pairwise import leave_one_out_tables, mean_kappa
from emorank.evaluation.raters.ratings import ratings
from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import Options, People, groups, people
from emorank.evaluation.statistics.correlation import Draws, spearman
from emorank.evaluation.statistics.ratio import Floats, defined_mean
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.vocabulary import LEVELS

_SIDE = len(LEVELS)


@dataclass(frozen=True)
class OneRater:
    """One rater, averaged over `raters`.

    Attributes:
        quadratic_kappa: with the majority of the others.
        accuracy: how often the level is that of this majority.
        spearman_within: with the known intensity, or else the mean of the others, within emotion.
    """

    raters: int
    quadratic_kappa: Estimate
    accuracy: Estimate
    spearman_within: Estimate


def one_rater(
    votes: pd.DataFrame, faces: pd.DataFrame, options: Options | None = None
) -> OneRater | None:
    """How well one rater does on some faces; None where nobody or more than 300 voted on them.

    `votes` has `image`, `rater` and `rank` (label); `faces` has `image`, `person`, `emotion` and
    `intensity`, which is missing in all rows where nothing but the votes is known.
    """
    options = options or Options()
    votes = votes[votes["image"].isin(faces["image"])].dropna(subset=["rank"])
    raters = votes["rater"].nunique()
    if not 2 <= raters <= MOST_RATERS:
        return None
    known = faces[faces["person"].notna()]
    who, sums = _tables(votes, dict(known[["image", "person"]].to_numpy()))
    scores = who.sums({"kappa": mean_kappa, "accuracy": _mean_accuracy}, sums, options)
    return OneRater(raters, scores["kappa"], scores["accuracy"], _order(votes, faces, options))


def human_ceiling(
    votes: pd.DataFrame, persons: Mapping[str, str], options: Options | None = None
) -> Estimate:
    """How well a rater agrees with the majority of the others: kappa, averaged over raters.

    `votes` has `image`, `rater`, `rank` of the faces that ranks are judged on. An image that is not
    in `persons` counts as one more person.
    """
    who, sums = _tables(votes.dropna(subset=["rank"]), persons)
    return who.sums({"ceiling": mean_kappa}, sums, options or Options())["ceiling"]


def _tables(votes: pd.DataFrame, persons: Mapping[str, str]) -> tuple[People, np.ndarray]:
    """The persons, and for each the table of every rater by the majority of the others."""
    answers = answers_table(votes.rename(columns={"rank": "answer"})[["image", "rater", "answer"]])
    tables = leave_one_out_tables(ratings(answers))
    images = pd.unique(answers["image"])  # in the order in which `ratings` numbers them
    who = people([persons.get(image) for image in images], np.ones(len(images), bool))
    sums = np.zeros((who.size, *tables.shape[1:]))
    np.add.at(sums, who.number, tables)
    return who, sums


def _mean_accuracy(tables: np.ndarray) -> Floats:
    each = confusion.accuracy(tables.reshape(*tables.shape[:-1], _SIDE, _SIDE))
    return defined_mean(each)


def _order(votes: pd.DataFrame, faces: pd.DataFrame, options: Options) -> Estimate:
    """The mean rank correlation of a rater with what is known, within emotion."""
    place = votes["rank"].map(LEVELS.index).astype("float64")
    grid = pd.crosstab(votes["image"], votes["rater"], values=place, aggfunc="mean")
    given = grid.reindex(faces["image"]).to_numpy(np.float64)
    number = np.isfinite(given).sum(1, keepdims=True)
    others = (np.nansum(given, axis=1, keepdims=True) - given) / np.maximum(number - 1, 1)
    known: np.ndarray = faces["intensity"].to_numpy(np.float64)
    with_truth = bool(np.isfinite(known).any())
    who = people(faces["person"], np.ones(len(faces), bool))
    columns = [
        (given[:, k], known if with_truth else np.where(number[:, 0] > 1, others[:, k], np.nan))
        for k in range(given.shape[1])
    ]
    emotions = list(groups(faces["emotion"]).values())

    def statistics(draws: Draws) -> dict[str, Floats]:
        weights = draws[:, who.number]
        each = [_within(x, y, emotions, weights) for x, y in columns]
        return {"": defined_mean(np.array(each), axis=0)}

    return who.estimates(statistics, options)[""]


def _within(
    x: np.ndarray, y: np.ndarray, emotions: Sequence[np.ndarray], weights: np.ndarray
) -> Floats:
    both = np.isfinite(x) & np.isfinite(y)
    rho, mass = [np.full(len(weights), np.nan)], [np.zeros(len(weights))]
    for rows in emotions:
        some = rows[both[rows]]
        if len(some):
            rho.append(spearman(x[some], y[some], weights[:, some]))
            mass.append(weights[:, some].sum(1))
    return defined_mean(np.array(rho), np.array(mass), axis=0)
