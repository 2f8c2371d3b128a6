"""Two references: the most frequent level, and a rater drawn at random."""

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from emorank.answers.voting import majority
from emorank.baselines.level_cuts import Levels, Values
from emorank.baselines.table_of_faces import Faces
from emorank.vocabulary import LEVELS


class Majority(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Gives every face the most frequent level above None of the training faces."""

    needs = ()

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Find the most frequent level above None; None only if there is no other."""
        self.classes_, counts = np.unique(ranks, return_counts=True)
        self.level_ = int(self.classes_[np.where(self.classes_ > 0, counts, 0).argmax()])
        return self

    def predict(self, faces: Faces) -> Levels:
        """The same level for each face."""
        return np.full(len(faces), self.level_)

    def intensity(self, faces: Faces) -> Values:
        """The same number for each face."""
        return np.zeros(len(faces))


def random_rater(votes: pd.DataFrame, rng: np.random.Generator, ties: str) -> pd.DataFrame:
    """For each image the vote of a rater drawn at random, and the majority of the *other* raters.

    A rater who is part of the majority would be compared with themselves. `votes` has the columns
    `image`, `rater` and `rank` (label); `ties` is as for `majority`.

    Returns:
        `image`, `predicted` (Int64, a place in `LEVELS`), `score` (the same), `level` (Int64; <NA>
        if nobody else voted, or if the others tie and ties are disputed), `mean` of the others.
    """
    shuffled = votes.iloc[rng.permutation(len(votes))]
    drawn = shuffled.drop_duplicates("image")
    rest = majority(votes.drop(index=drawn.index), "disputed" if ties == "disputed" else "median")
    rows = drawn.merge(rest[["image", "rank", "mean"]], on="image", how="left", suffixes=("", "_"))
    predicted = rows["rank"].map(LEVELS.index).astype("Int64")
    level = rows["rank_"].map(LEVELS.index, na_action="ignore").astype("Int64")
    score = predicted.astype(np.float64)
    return rows[["image"]].assign(predicted=predicted, score=score, level=level, mean=rows["mean"])
