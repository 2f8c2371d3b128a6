"""A rank learnt from a few rated faces, by a model of features of the relevance."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy.typing import ArrayLike, NDArray

from emorank.vocabulary import LEVEL_COLUMNS, LEVELS

SURE = 0.5
"""If no level has at least this probability, the answer is an abstention."""


@runtime_checkable
class Fitted(Protocol):
    """A model that was fitted, such as `proportional_odds.ProportionalOdds`."""

    classes_: NDArray[np.int64]

    def predict_proba(self, X: ArrayLike) -> Float[np.ndarray, "faces levels"]:
        """Probability of each level of `classes_`."""


@dataclass(frozen=True)
class LevelModel:
    """A model of the features `inputs` of the relevance; its levels are places in `LEVELS`."""

    model: Fitted
    inputs: tuple[str, ...]

    def probabilities(self, features: pd.DataFrame) -> pd.DataFrame:
        """`p_none` … `p_strong` of each face; 0 for a level that no rater had given."""
        shares = np.zeros((len(features), len(LEVELS)))
        values = features[list(self.inputs)].to_numpy()
        shares[:, self.model.classes_] = self.model.predict_proba(values)
        return pd.DataFrame(shares, columns=list(LEVEL_COLUMNS))

    def ranks(self, features: pd.DataFrame) -> pd.DataFrame:
        """`level`, <NA> where none is sure; `score`, the expected level; the probabilities."""
        table = self.probabilities(features)
        shares = table.to_numpy()
        level = pd.Series(probable_level(shares), dtype="Int64")
        table.insert(0, "level", level.mask(level < 0).array)
        table.insert(1, "score", shares @ np.arange(len(LEVELS)))
        return table


def probable_level(
    probabilities: Float[np.ndarray, "faces levels"], least: float = SURE
) -> Int[np.ndarray, " faces"]:
    """The place of the most probable level; −1, an abstention, if it has less than `least`."""
    return np.where(probabilities.max(1) >= least, probabilities.argmax(1), -1)
