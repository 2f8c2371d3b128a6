"""Delannoy and McDonald 2008: a three-level model of intensity by support vector machines."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emorank.baselines.level_cuts import Levels, Values, mean_level
from emorank.baselines.table_of_faces import Faces


@dataclass(eq=False, repr=False)
class DelannoyMcDonald(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Support vector machines on the grey pixels, one for each pair of levels.

    Source: J. R. Delannoy, J. McDonald: Automatic estimation of the dynamics of facial expression
    using a three-level model of intensity. IEEE FG 2008.

    Differences: the original has 68 pictures of ten persons whose expressions are known. Its
    manifold of image features (locally linear embedding in the authors' earlier work) does not say
    where a new person lies, so here principal components of the grey face take its place. If
    neutral faces are among those to learn from, None is a fourth level.
    """

    needs = ("appearance",)

    components: int = 60  # number of principal components
    cost: float = 3.0  # C of the support vector machines

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn the levels."""
        x = faces.descriptor("appearance")
        self.machines_ = make_pipeline(
            PCA(min(self.components, len(x) - 1), random_state=0),
            StandardScaler(),
            SVC(C=self.cost, class_weight="balanced"),
        ).fit(x, ranks)
        self.classes_ = self.machines_.classes_
        return self

    def predict(self, faces: Faces) -> Levels:
        """The level that most machines choose."""
        return np.asarray(self.machines_.predict(faces.descriptor("appearance")), np.int64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level, weighted by the softmax of the machines' decision values."""
        sides = np.asarray(self.machines_.decision_function(faces.descriptor("appearance")))
        if sides.ndim == 1:  # two levels have one machine
            return sides.astype(np.float64)
        return mean_level(softmax(sides, axis=1), self.classes_)
