"""Pal and Satsangi 2016: k-means clusters of facial features and a back-propagation network."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emorank.baselines.level_cuts import Levels, Values, mean_level
from emorank.baselines.table_of_faces import Faces

BLOCKS = 7  # blocks of the histograms of gradients along each side of the face
REGIONS = {"brows": slice(1, 3), "eyes": slice(2, 4), "nose": slice(3, 5), "mouth": slice(4, 7)}


@dataclass(eq=False, repr=False)
class PalSatsangi(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A network on the distances of each region of a face from the clusters of that region.

    Source: R. Pal, C. Satsangi: Facial expression recognition based on basic expressions and
    intensities using k-means clustering. Int. J. Sci. Res. 5, 2016, 1949–1952.

    Differences: the original hardly says what is clustered. Here each region (brows, eyes, nose,
    mouth; bands of the aligned face) has histograms of oriented gradients. K-means clusters them
    over the training faces, and the network gets the distances to all cluster centres.
    """

    needs = ("hog",)

    clusters: int = 24  # of each region
    hidden: int = 48  # units of the network's hidden layer
    alpha: float = 1.0  # L2 penalty of the network
    random_state: int = 0  # seed of the first clusters and of the network's first weights

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Find the clusters, then train the network on the distances to them."""
        number = min(self.clusters, len(faces))
        self.clusters_ = {
            name: KMeans(number, n_init=3, random_state=self.random_state).fit(x)
            for name, x in _regions(faces).items()
        }
        self.network_ = make_pipeline(
            StandardScaler(),
            MLPClassifier(
                hidden_layer_sizes=(self.hidden,),
                alpha=self.alpha,
                max_iter=2000,
                random_state=self.random_state,
            ),
        ).fit(self._distances(faces), ranks)
        self.classes_ = self.network_.classes_
        return self

    def predict(self, faces: Faces) -> Levels:
        """The most probable level."""
        return np.asarray(self.classes_[self.predict_proba(faces).argmax(axis=1)], np.int64)

    def predict_proba(self, faces: Faces) -> Float[np.ndarray, "faces levels"]:
        """The probability of each level of `classes_`."""
        return np.asarray(self.network_.predict_proba(self._distances(faces)), np.float64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level."""
        return mean_level(self.predict_proba(faces), self.classes_)

    def _distances(self, faces: Faces) -> Float[np.ndarray, "faces distances"]:
        return np.hstack([self.clusters_[name].transform(x) for name, x in _regions(faces).items()])


def _regions(faces: Faces) -> dict[str, Float[np.ndarray, "faces length"]]:
    """The histograms of the blocks in each region."""
    blocks = faces.descriptor("hog").reshape(len(faces), BLOCKS, -1)
    return {name: blocks[:, rows].reshape(len(faces), -1) for name, rows in REGIONS.items()}
