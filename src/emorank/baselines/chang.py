"""Chang, Chen and Hung 2013: intensity rank estimation from a single image."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emorank.baselines.level_cuts import Levels, Values
from emorank.baselines.table_of_faces import Faces


@dataclass(eq=False, repr=False)
class Chang(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Ordinal hyperplanes on the scattering transform.

    For each level k but the highest, a support vector machine answers "is the level more than k?".
    It learns from every face; a wrong answer costs more, the farther the level is from k. The level
    of a face is the lowest one plus the number of machines that say yes.

    Source: K.-Y. Chang, C.-S. Chen, Y.-P. Hung: Intensity rank estimation of facial expressions
    based on a single image. IEEE SMC 2013, 3157–3162; the hyperplanes are theirs of CVPR 2011,
    585–592 (OHRank), with its absolute cost.

    Differences: grey faces of 64×64 without landmarks, reduced to principal components; one ranker
    for all expressions, because the expression of a test face is unknown here.
    """

    needs = ("scattering",)

    components: int = 200  # number of principal components
    cost: float = 10.0  # C of the support vector machines

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn a hyperplane above each level but the highest."""
        x = faces.descriptor("scattering")
        self.classes_ = np.unique(ranks)
        self.reduce_ = make_pipeline(
            StandardScaler(), PCA(min(self.components, len(x) - 1), random_state=0)
        )
        reduced = self.reduce_.fit_transform(x)
        self.hyperplanes_ = [
            SVC(C=self.cost).fit(reduced, ranks > level, sample_weight=costs(ranks, level))
            for level in self.classes_[:-1]
        ]
        return self

    def decision_function(self, faces: Faces) -> Float[np.ndarray, "faces hyperplanes"]:
        """The side of each hyperplane on which a face lies (the sign), and the distance."""
        x = self.reduce_.transform(faces.descriptor("scattering"))
        sides = [plane.decision_function(x) for plane in self.hyperplanes_]
        return np.array(sides, np.float64).reshape(len(sides), len(x)).T

    def predict(self, faces: Faces) -> Levels:
        """The lowest level plus the number of hyperplanes below the face."""
        return np.asarray(self.classes_[(self.decision_function(faces) > 0).sum(axis=1)], np.int64)

    def intensity(self, faces: Faces) -> Values:
        """The sum of the distances, each made a soft step by tanh."""
        return np.asarray(np.tanh(self.decision_function(faces)).sum(axis=1), np.float64)


def costs(ranks: Levels, level: int) -> np.ndarray[Any, Any]:
    """The cost of a wrong answer to "more than `level`?": how many levels it would be off."""
    return np.where(ranks > level, ranks - level, level + 1 - ranks).astype(np.float64)
