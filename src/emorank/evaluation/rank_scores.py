"""The records of the rank validation, and the rows of Tables 6–9 from a confusion matrix."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.evaluation.classification import Baseline, class_scores
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.vocabulary import Emotion, Rank

RANKS = tuple(rank.label for rank in Rank)
METRICS = ("accuracy", "precision", "recall", "f1")
Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class RankScore:
    """One row of Tables 6–9: a rank against the two others, within one emotion.

    `accuracy` is (true positives + true negatives) / images of the emotion. A value that is not
    defined is None, and `reason` says why.
    """

    rank: str
    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int
    reason: str = ""


@dataclass(frozen=True)
class EmotionRanks:
    """The ranks of one emotion; `confusion` has the annotated ranks as rows."""

    emotion: str
    count: int
    confusion: Matrix
    scores: tuple[RankScore, ...]


@dataclass(frozen=True)
class Population:
    """How the test images divide: images = unlabelled + neutral + unrated + disputed + joint.

    Attributes:
        images: in the test part.
        unlabelled: without a known emotion.
        neutral: truly neutral, so without an intensity.
        unrated: without a vote.
        disputed: the raters tied, and ties are left out.
        joint: all other images; the joint score is over these.
        wrong_emotion: of these, images whose emotion was not recognised.
        unranked: of these, images that were recognised but have no rank.
        conditional: of these, images that were recognised and ranked; the paper scores these.
    """

    images: int
    unlabelled: int
    neutral: int
    unrated: int
    disputed: int
    joint: int
    wrong_emotion: int
    unranked: int
    conditional: int


@dataclass(frozen=True)
class Joint:
    """How often emotion *and* rank are right, over all test images that have an intensity.

    Attributes:
        accuracy: both right, with Wilson's interval.
        accuracy_over_persons: the same with the bootstrap over persons.
        emotion_accuracy: the emotion right, over the same images, with Wilson's interval.
        baseline: always answering with the most frequent pair ("Strong Happy").
    """

    count: int
    accuracy: Estimate
    accuracy_over_persons: Estimate
    emotion_accuracy: Estimate
    baseline: Baseline | None


@dataclass(frozen=True)
class RankValidation:
    """Ranks against raters.

    All scores but `joint` are over the test images whose emotion was recognised, without neutral
    ones, as in the paper. A score that is not defined is None, with its reason.

    Attributes:
        averages: of each metric over the rows of all emotions that have a value.
        population: how many images are scored, and how many are not for which reason.
        confusion: over all emotions, rows the annotated rank, columns the predicted one.
        accuracy: of the rank, with Wilson's interval.
        accuracy_over_persons: the same with the bootstrap over persons.
        balanced_accuracy: mean recall over the ranks that occur.
        mean_absolute_error: in ranks.
        spearman: between the predicted rank and the mean rating.
    """

    emotions: tuple[EmotionRanks, ...]
    averages: dict[str, float | None]
    population: Population
    confusion: Matrix
    accuracy: Estimate
    accuracy_over_persons: Estimate
    balanced_accuracy: Estimate
    quadratic_kappa: Estimate
    mean_absolute_error: Estimate
    spearman: Estimate
    baseline: Baseline | None
    joint: Joint


def rank_scores(matrix: np.ndarray[Any, Any]) -> tuple[RankScore, ...]:
    """The rows of Tables 6–9 for one emotion, from its 3×3 confusion matrix, rows annotated.

    A rank that was neither given by the raters nor predicted has the accuracy 1 and no precision,
    recall or F1; the paper prints 0 for them (Table 7, Strong Fear).
    """
    total = int(matrix.sum())
    scores = []
    for i, score in enumerate(class_scores(matrix, RANKS)):
        values = asdict(score)
        wrong = int(matrix[i].sum() + matrix[:, i].sum() - 2 * matrix[i, i])
        scores.append(
            RankScore(
                rank=values.pop("label"),
                accuracy=1 - wrong / total if total else None,
                reason=values.pop("reason").replace("of this class", "of this rank"),
                **values,
            )
        )
    return tuple(scores)


def score_rows(emotions: tuple[EmotionRanks, ...]) -> pd.DataFrame:
    """Tables 6–9 without their last row: one row per emotion and rank, NaN where undefined."""
    names = ["emotion", "rank", *METRICS, "support"]
    rows = [
        [Emotion(e.emotion).label, s.rank, s.accuracy, s.precision, s.recall, s.f1, s.support]
        for e in emotions
        for s in e.scores
    ]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(dict.fromkeys(METRICS, "float64"))


def scores_table(result: RankValidation) -> pd.DataFrame:
    """Tables 6–9: `emotion`, `rank`, the four metrics (NaN where undefined), `support`.

    The last row, "Average" and "all", holds the averages and the number of images.
    """
    table = score_rows(result.emotions)
    last = {
        "emotion": "Average",
        "rank": "all",
        **result.averages,
        "support": result.population.conditional,
    }
    rows = [*table.to_dict("records"), last]
    return pd.DataFrame(rows, columns=table.columns).astype(table.dtypes.to_dict())


def averages(table: pd.DataFrame) -> dict[str, float | None]:
    """The mean of accuracy, precision, recall and F1 over the rows that have a value."""
    means = {name: table[name].astype(float).mean() for name in METRICS}
    return {name: None if np.isnan(mean) else float(mean) for name, mean in means.items()}
