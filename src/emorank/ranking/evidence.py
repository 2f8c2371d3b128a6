"""A rank that needs no votes: the evidence for an expression, cut into thirds for each emotion.

The score is one feature of the relevance of the contrast between the expression and neutral
(docs/ranking.md says how it was chosen, and how well it follows intensity). Its scale is different
for each emotion and network, so the cuts are thirds of the scores of faces that the network did not
learn from: a face is Strong if it has more evidence than two thirds of these faces.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.errors import StudyError
from emorank.vocabulary import Emotion

SCORE = "balance"
LEAST = 9  # faces of an emotion; with fewer, the thirds of all faces are used
ANY = "any"  # the key of the thirds over all emotions

Cuts = dict[str, tuple[float, float]]
"""For each emotion and for `ANY`: the score where Minimal ends and the one where Strong begins."""


def cuts(score: Float[np.ndarray, " face"], emotion: Sequence[str]) -> Cuts:
    """Thirds of the scores of each emotion with enough faces, and of all scores.

    Give only faces that the network did not learn from and for which it does not predict neutral;
    `emotion` is what each expresses.

    Raises:
        StudyError: there are fewer than three faces in all.
    """
    if len(score) < 3:
        raise StudyError(
            "expected at least 3 faces on which the network was not trained and for which it does "
            f"not predict neutral, to cut the evidence into thirds, got {len(score)}"
        )
    by_emotion = pd.Series(score).groupby(np.asarray(emotion, dtype=object))
    enough = {str(word): scores for word, scores in by_emotion if len(scores) >= LEAST}
    return {word: _thirds(scores) for word, scores in ({ANY: pd.Series(score)} | enough).items()}


def levels(
    score: Float[np.ndarray, " face"], emotion: Sequence[str], cut: Cuts
) -> Int[np.ndarray, " face"]:
    """The level of each face by its place in `LEVELS`; None, 0, where neutral is predicted."""
    edges = np.array([cut.get(str(word), cut[ANY]) for word in emotion]).reshape(-1, 2)
    neutral = np.asarray(emotion, dtype=object) == Emotion.NEUTRAL
    return np.where(neutral, 0, 1 + (np.asarray(score)[:, None] >= edges).sum(1))


def _thirds(score: "pd.Series[float]") -> tuple[float, float]:
    low, high = np.quantile(score, [1 / 3, 2 / 3])
    return float(low), float(high)
