"""Kamarol et al. 2017: expression and intensity of image sequences by votes and a Markov model."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from emorank.baselines.level_cuts import Levels, Values, by_person, expected
from emorank.baselines.song_chien import expressions
from emorank.baselines.table_of_faces import Faces
from emorank.errors import needing
from emorank.vocabulary import Emotion

SMOOTHING = 1.0  # added to every count of starts and transitions
FLOOR = 0.05  # least variance of a vote


class Kamarol(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Weighted votes of the frames name the expression, a hidden Markov model its segments.

    Each frame votes for the expressions with their probabilities, weighed by how sure it is; the
    sequence has the expression with most votes. A neutral sequence is None throughout. In any
    other, the states neutral, onset and apex of a hidden Markov model stand for Minimal, Average
    and Strong. It observes what each frame votes for intensity. Its states are known in training,
    so its parameters are counts and moments, and no iteration can exchange states.

    Source: S. K. A. Kamarol, M. H. Jaward, H. Kälviäinen, J. Parkkinen, R. Parthiban: Joint facial
    expression recognition and intensity estimation based on weighted votes of image sequences.
    Pattern Recognition Letters 92, 2017, 25–32.

    Departures: the article's votes weigh geometric features and its Markov models recognise the
    expression, a change-point detector the segments; the survey that is reproduced here reads it
    as a Markov model with three states, and so it is built. Features are histograms of gradients.
    A face that comes from no sequence is a sequence of one.

    Args:
        components: principal components kept.
        cost: C of the logistic regressions that vote.
    """

    needs = ("hog",)

    def __init__(self, components: int = 80, cost: float = 0.02) -> None:
        self.components = components
        self.cost = cost

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn who votes how, then the Markov model from the votes of persons left out in turn.

        Raises:
            ValueError: the emotion of a face to learn from is not known, or all are one person's.
        """
        expressions(faces)
        x, ranks = faces.described("hog"), np.asarray(ranks)
        emotion = faces.emotion.astype(str)
        self.voter_ = self._voter(len(x)).fit(x, emotion)
        expressed = emotion != Emotion.NEUTRAL
        own, states = faces.take(np.flatnonzero(expressed)), ranks[expressed]
        self.states_ = np.unique(states)
        self.markov_ = None
        if len(self.states_) > 1:
            self.intensities_, votes = self._intensities(x[expressed], states, own)
            self.markov_ = _markov(votes, states, self.states_, chains(own))
        self.classes_ = np.unique(ranks)
        return self

    def predict(self, faces: Faces) -> Levels:
        """The most probable state of each frame, given its whole sequence."""
        found = self.states_[self._posterior(faces).argmax(axis=1)]
        return np.where(self._neutral(faces) > 0.5, 0, found).astype(np.int64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level, weighed by the votes that the sequence is not neutral."""
        mean = expected(self._posterior(faces), self.states_)
        return np.asarray((1 - self._neutral(faces)) * mean)

    def expression(self, faces: Faces) -> np.ndarray[Any, Any]:
        """What the frames of each face's sequence vote for."""
        return np.asarray(self.voter_.classes_[self._votes(faces).argmax(axis=1)])

    def _neutral(self, faces: Faces) -> Float[np.ndarray, " faces"]:
        """How many times as many votes neutral has as the strongest other, brought into [0, 1]."""
        votes = self._votes(faces)
        neutral = self.voter_.classes_ == str(Emotion.NEUTRAL)
        if not neutral.any():
            return np.zeros(len(faces))
        own, other = votes[:, neutral].max(axis=1), votes[:, ~neutral].max(axis=1, initial=0.0)
        return np.asarray(own / (own + other))

    def _votes(self, faces: Faces) -> Float[np.ndarray, "faces emotions"]:
        """Each frame's sequence's votes, in the order of the voter's classes."""
        p = self.voter_.predict_proba(faces.described("hog"))
        sure = p.max(axis=1, keepdims=True)
        votes = np.empty_like(p)
        for chain in chains(faces):
            votes[chain] = (sure[chain] * p[chain]).sum(axis=0) / sure[chain].sum()
        return np.asarray(votes)

    def _posterior(self, faces: Faces) -> Float[np.ndarray, "faces states"]:
        if self.markov_ is None:
            return np.ones((len(faces), len(self.states_)))
        order = chains(faces)
        observed = self._observed(self.intensities_, faces.described("hog"))
        posterior = np.empty((len(faces), len(self.states_)))
        posterior[np.concatenate(order)] = self.markov_.predict_proba(
            observed[np.concatenate(order)], [len(chain) for chain in order]
        )
        return posterior

    def _intensities(
        self, x: Float[np.ndarray, "faces length"], states: Levels, faces: Faces
    ) -> tuple[Pipeline, Float[np.ndarray, "faces votes"]]:
        """Who votes for intensities, and how such a voter votes on persons that it never saw."""
        voter = self._voter(len(x))
        votes = np.zeros((len(x), 1))
        for learnt, watched in by_person(faces):
            once = clone(voter).fit(x[learnt], states[learnt])
            votes[watched] = self._observed(once, x[watched])
        return voter.fit(x, states), votes

    def _observed(
        self, voter: Pipeline, x: Float[np.ndarray, "faces length"]
    ) -> Float[np.ndarray, "faces 1"]:
        """What the Markov model sees of a frame: the mean of its votes for intensity."""
        return expected(voter.predict_proba(x), voter.classes_)[:, None]

    def _voter(self, count: int) -> Pipeline:
        return make_pipeline(
            PCA(min(self.components, count // 2), random_state=0),
            StandardScaler(),
            LogisticRegression(C=self.cost, max_iter=1000),
        )


def chains(faces: Faces) -> list[Int[np.ndarray, " frames"]]:
    """The positions of each sequence's faces in the order of their frames."""
    names = [f"\0{i}" if name is None else str(name) for i, name in enumerate(faces.sequence)]
    codes = np.unique(names, return_inverse=True)[1]
    order = np.lexsort((faces.frame, codes))
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _markov(
    votes: Float[np.ndarray, "faces votes"],
    states: Levels,
    levels: Int[np.ndarray, " states"],
    order: list[Int[np.ndarray, " frames"]],
) -> Any:
    """A Gaussian Markov model whose states were seen: smoothed counts, means and variances."""
    with needing("compare", "comparing ranks with other estimators"):
        from hmmlearn.hmm import GaussianHMM
    at = np.searchsorted(levels, states)
    starts = np.full(len(levels), SMOOTHING)
    moves = np.full((len(levels), len(levels)), SMOOTHING)
    for chain in order:
        starts[at[chain[0]]] += 1
        np.add.at(moves, (at[chain[:-1]], at[chain[1:]]), 1)
    model = GaussianHMM(len(levels), covariance_type="diag")
    model.startprob_ = starts / starts.sum()
    model.transmat_ = moves / moves.sum(axis=1, keepdims=True)
    model.means_ = np.array([votes[at == k].mean(axis=0) for k in range(len(levels))])
    model.covars_ = np.array([votes[at == k].var(axis=0) + FLOOR**2 for k in range(len(levels))])
    return model
