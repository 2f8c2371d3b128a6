"""Song and Chien 2012: an expression as a mixture of basic ones, each with its intensity."""

from typing import Self

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from emorank.baselines.level_cuts import Levels, Values, by_person, cut, edges
from emorank.baselines.table_of_faces import Faces
from emorank.vocabulary import Emotion, Rank


class SongChien(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Texture features and a back-propagation network with one output for each basic expression.

    The network is taught the intensity (0 to 1) at the output of the expressed emotion and nothing
    at the others; a neutral face is nothing at all of them. What it answers is a mixture, and its
    sum the continuous intensity. That is cut to levels so that, among training faces as strangers
    see them (persons left out in turn), every level has its share.

    Source: K.-T. Song, S.-C. Chien: Facial expression recognition based on mixture of basic
    expressions and intensities. IEEE SMC 2012, 3123–3128.

    Departures: texture is local binary patterns of the whole face, reduced to principal
    components (the original's texture comes with fitted landmarks); intensities to learn from are
    the ranks, because the original's own are not public.

    Args:
        components: principal components kept.
        hidden: units of the network's hidden layer.
        alpha: L2 penalty of the network.
        random_state: seed of the network's beginning.
    """

    needs = ("lbp",)

    def __init__(
        self, components: int = 60, hidden: int = 48, alpha: float = 1.0, random_state: int = 0
    ) -> None:
        self.components = components
        self.hidden = hidden
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn the mixtures, then where to cut their intensity.

        Raises:
            ValueError: the emotion of a face to learn from is not known, or all are one person's.
        """
        x, ranks = faces.described("lbp"), np.asarray(ranks)
        self.classes_ = np.unique(ranks)
        self.emotions_ = expressions(faces)
        mixtures = np.zeros((len(faces), len(self.emotions_)))
        for column, emotion in enumerate(self.emotions_):
            here = faces.emotion == emotion
            mixtures[here, column] = ranks[here] / int(Rank.STRONG)
        network = self._network(len(x))
        # One expression is a column that the network wants as a vector.
        mixtures = mixtures[:, 0] if len(self.emotions_) == 1 else mixtures
        strangers = np.zeros(len(faces))
        for learnt, watched in by_person(faces):
            once = clone(network).fit(x[learnt], mixtures[learnt])
            strangers[watched] = _sum(once, x[watched])
        self.edges_ = edges(strangers, ranks)
        self.network_ = network.fit(x, mixtures)
        return self

    def predict(self, faces: Faces) -> Levels:
        """The level of the intensity."""
        return cut(self.intensity(faces), self.edges_, self.classes_)

    def intensity(self, faces: Faces) -> Values:
        """The sum of the mixture."""
        return _sum(self.network_, faces.described("lbp"))

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


def expressions(faces: Faces) -> list[str]:
    """The emotions, other than neutral, of faces to learn from.

    Raises:
        ValueError: that of a face is not known.
    """
    if any(emotion is None for emotion in faces.emotion):
        raise ValueError("expected the expressed emotion of every face to learn from; some lack it")
    return sorted({str(emotion) for emotion in faces.emotion} - {str(Emotion.NEUTRAL)})


def _sum(network: Pipeline, x: Float[np.ndarray, "faces length"]) -> Values:
    """The sum of a mixture's parts, those below 0 left out."""
    mixtures = np.asarray(network.predict(x), np.float64).reshape(len(x), -1)
    return np.asarray(mixtures.clip(0).sum(axis=1))
