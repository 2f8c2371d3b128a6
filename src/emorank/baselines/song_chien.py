"""Song and Chien 2012: an expression is a mixture of basic ones, each with an intensity."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from emorank.baselines.level_cuts import Levels, Values, level_edges, levels_between, person_splits
from emorank.baselines.table_of_faces import Faces, emotions_of
from emorank.vocabulary import Rank


@dataclass(eq=False, repr=False)
class SongChien(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Texture features and a back-propagation network with one output for each basic expression.

    The network learns to give the intensity (0 to 1) at the output of the expressed emotion and 0
    at the others; for a neutral face 0 at all. Its outputs are a mixture; their sum is the
    continuous intensity. Levels are cut so that each has its share among training faces, whose
    intensities come from networks that have not seen their person (persons left out in turn).

    Source: K.-T. Song, S.-C. Chien: Facial expression recognition based on mixture of basic
    expressions and intensities. IEEE SMC 2012, 3123–3128.

    Differences: the texture is local binary patterns of the whole face, reduced to principal
    components (the original fits landmarks too); it learns from ranks, because the intensities of
    the original are not public.
    """

    needs = ("lbp",)

    components: int = 60  # number of principal components
    hidden: int = 48  # units of the network's hidden layer
    alpha: float = 1.0  # L2 penalty of the network
    random_state: int = 0  # seed of the network's first weights

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn the mixtures, then where to cut their intensity.

        Raises:
            ValueError: the emotion of a face is unknown, or all faces are of one person.
        """
        x, ranks = faces.descriptor("lbp"), np.asarray(ranks)
        self.classes_ = np.unique(ranks)
        self.emotions_ = emotions_of(faces)
        mixtures = np.zeros((len(faces), len(self.emotions_)))
        for column, emotion in enumerate(self.emotions_):
            here = faces.emotion == emotion
            mixtures[here, column] = ranks[here] / int(Rank.STRONG)
        network = self._network(len(x))
        # The network needs a vector, not a matrix of one column.
        mixtures = mixtures[:, 0] if len(self.emotions_) == 1 else mixtures
        intensities = np.zeros(len(faces))
        for learn, test in person_splits(faces):
            intensities[test] = _sum(clone(network).fit(x[learn], mixtures[learn]), x[test])
        self.edges_ = level_edges(intensities, ranks)
        self.network_ = network.fit(x, mixtures)
        return self

    def predict(self, faces: Faces) -> Levels:
        """The level of the intensity."""
        return levels_between(self.intensity(faces), self.edges_, self.classes_)

    def intensity(self, faces: Faces) -> Values:
        """The sum of the mixture."""
        return _sum(self.network_, faces.descriptor("lbp"))

    def _network(self, count: int) -> Pipeline:
        return make_pipeline(
            PCA(min(self.components, count // 2), random_state=0),
            StandardScaler(),
            MLPRegressor(
                hidden_layer_sizes=(self.hidden,),
                alpha=self.alpha,
                max_iter=2000,
                random_state=self.random_state,
            ),
        )


def _sum(network: Pipeline, x: Float[np.ndarray, "faces length"]) -> Values:
    """The sum of a mixture's parts, those below 0 left out."""
    mixtures = np.asarray(network.predict(x), np.float64).reshape(len(x), -1)
    return np.asarray(mixtures.clip(0).sum(axis=1))
