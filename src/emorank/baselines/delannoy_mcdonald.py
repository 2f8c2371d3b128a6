"""Delannoy and McDonald 2008: a three-level model of intensity by support vector machines."""

from typing import Self

import numpy as np
from jaxtyping import Float
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emorank.baselines.level_cuts import Levels, Values, expected
from emorank.baselines.table_of_faces import Faces


class DelannoyMcDonald(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Support vector machines on what the image itself shows, one against one.

    Source: J. R. Delannoy, J. McDonald: Automatic estimation of the dynamics of facial expression
    using a three-level model of intensity. IEEE FG 2008.

    Departures: the original's set is 68 pictures of ten persons whose expressions are known, and
    its manifold of image features (locally linear embedding in the authors' earlier work) has no
    place for strangers without more choices; here it is principal components of the grey face.
    Where neutral faces are learnt from, None is a fourth level.

    Args:
        components: principal components kept.
        cost: C of the support vector machines.
    """

    needs = ("appearance",)

    def __init__(self, components: int = 60, cost: float = 3.0) -> None:
        self.components = components
        self.cost = cost

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn the levels."""
        x = faces.described("appearance")
        self.machines_ = make_pipeline(
            PCA(min(self.components, len(x) - 1), random_state=0),
            StandardScaler(),
            SVC(C=self.cost, class_weight="balanced"),
        ).fit(x, ranks)
        self.classes_ = self.machines_.classes_
        return self

    def predict(self, faces: Faces) -> Levels:
        """The level that wins most of the machines."""
        return np.asarray(self.machines_.predict(faces.described("appearance")), np.int64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level, weighed by how far a face lies on the side of each."""
        sides: Float[np.ndarray, "faces levels"]
        sides = np.asarray(self.machines_.decision_function(faces.described("appearance")))
        if sides.ndim == 1:  # two levels have one machine
            return np.asarray(sides, np.float64)
        return expected(softmax(sides, axis=1), self.classes_)
