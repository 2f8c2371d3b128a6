"""Kamarol et al. 2017: expression and intensity of image sequences by votes and a Markov model."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from emorank.baselines.level_cuts import Levels, Values, mean_level, person_splits
from emorank.baselines.markov import Markov
from emorank.baselines.table_of_faces import Faces, emotions_of
from emorank.vocabulary import Emotion

SMOOTHING = 1.0  # added to every count of starts and transitions
FLOOR = 0.05  # least variance of a vote


@dataclass(eq=False, repr=False)
class Kamarol(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """The frames vote for the expression; a hidden Markov model finds its segments.

    Each frame votes for every expression with its probability, weighted by the greatest of them;
    the sequence has the expression with most votes. All frames of a neutral sequence are None. In
    other sequences the states neutral, onset and apex of a hidden Markov model mean Minimal,
    Average and Strong; the model observes the intensity for which each frame votes. The states are
    known in training, so the parameters are counts, means and variances.

    Source: S. K. A. Kamarol, M. H. Jaward, H. Kälviäinen, J. Parkkinen, R. Parthiban: Joint facial
    expression recognition and intensity estimation based on weighted votes of image sequences.
    Pattern Recognition Letters 92, 2017, 25–32.

    Differences: in the article votes use geometric features, Markov models recognise the expression
    and a change-point detector finds the segments. The survey that is reproduced here describes a
    Markov model with three states, and so does this class. Features are histograms of gradients. A
    face that is in no sequence is a sequence of one frame.
    """

    needs = ("hog",)

    components: int = 80  # number of principal components
    cost: float = 0.02  # C of the logistic regressions that vote

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn to vote, then the Markov model from votes on persons who are left out in turn.

        Raises:
            ValueError: the emotion of a face is unknown, or all faces are of one person.
        """
        emotions_of(faces)  # raises where one is unknown
        x, ranks = faces.descriptor("hog"), np.asarray(ranks)
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
        states = self.states_[self._posterior(faces).argmax(axis=1)]
        return np.where(self._neutral(faces) > 0.5, 0, states).astype(np.int64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level, weighted by the share of votes against neutral."""
        mean = mean_level(self._posterior(faces), self.states_)
        return np.asarray((1 - self._neutral(faces)) * mean)

    def expression(self, faces: Faces) -> np.ndarray[Any, Any]:
        """The expression with most votes of the frames of each face's sequence."""
        return np.asarray(self.voter_.classes_[self._votes(faces).argmax(axis=1)])

    def _neutral(self, faces: Faces) -> Float[np.ndarray, " faces"]:
        """The votes for neutral over those for neutral and the strongest other, in [0, 1]."""
        votes = self._votes(faces)
        neutral = self.voter_.classes_ == str(Emotion.NEUTRAL)
        if not neutral.any():
            return np.zeros(len(faces))
        own, other = votes[:, neutral].max(axis=1), votes[:, ~neutral].max(axis=1, initial=0.0)
        return np.asarray(own / (own + other))

    def _votes(self, faces: Faces) -> Float[np.ndarray, "faces emotions"]:
        """The votes of the sequence of each frame, in the order of the voter's classes."""
        p = self.voter_.predict_proba(faces.descriptor("hog"))
        sure = p.max(axis=1, keepdims=True)
        votes = np.empty_like(p)
        for chain in chains(faces):
            votes[chain] = (sure[chain] * p[chain]).sum(axis=0) / sure[chain].sum()
        return np.asarray(votes)

    def _posterior(self, faces: Faces) -> Float[np.ndarray, "faces states"]:
        if self.markov_ is None:
            return np.ones((len(faces), len(self.states_)))
        observed = _observed(self.intensities_, faces.descriptor("hog"))
        return self.markov_.posterior(observed, chains(faces))

    def _intensities(
        self, x: Float[np.ndarray, "faces length"], states: Levels, faces: Faces
    ) -> tuple[Pipeline, Values]:
        """A model that votes for intensities, and votes on persons whom its model has not seen."""
        voter = self._voter(len(x))
        votes = np.zeros(len(x))
        for learn, test in person_splits(faces):
            votes[test] = _observed(clone(voter).fit(x[learn], states[learn]), x[test])
        return voter.fit(x, states), votes

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


def _observed(voter: Pipeline, x: Float[np.ndarray, "faces length"]) -> Values:
    """The mean of a frame's votes for intensity; the Markov model observes it."""
    return mean_level(voter.predict_proba(x), voter.classes_)


def _markov(
    votes: Values,
    states: Levels,
    levels: Int[np.ndarray, " states"],
    order: list[Int[np.ndarray, " frames"]],
) -> Markov:
    """Smoothed counts, means and variances of known states."""
    at = np.searchsorted(levels, states)
    starts = np.full(len(levels), SMOOTHING)
    moves = np.full((len(levels), len(levels)), SMOOTHING)
    for chain in order:
        starts[at[chain[0]]] += 1
        np.add.at(moves, (at[chain[:-1]], at[chain[1:]]), 1)
    seen = [votes[at == k] for k in range(len(levels))]
    return Markov(
        starts / starts.sum(),
        moves / moves.sum(axis=1, keepdims=True),
        np.array([some.mean() for some in seen]),
        np.array([some.var() + FLOOR**2 for some in seen]),
    )
