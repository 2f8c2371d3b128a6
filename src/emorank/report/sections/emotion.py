"""How well expressed emotions are recognised."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.classification import Classification
from emorank.report.figures import draw_matrix
from emorank.report.page import Section, section_of
from emorank.report.style import blank, styled
from emorank.report.tables import baseline_row, estimates, floats
from emorank.report.words import capitalised, emotion_label


def section(result: Classification) -> Section:
    """The test of emotions: scores over all, of each emotion, and the confusion matrix."""
    return section_of(
        "emotion",
        "Expressed emotion",
        result=result,
        accuracy=accuracy_table(result),
        classes=class_table(result),
        reasons=reasons(result),
        confusion=confusion(result.confusion, list(map(emotion_label, result.classes))),
    )


def accuracy_table(result: Classification) -> pd.DataFrame:
    """Accuracy, balanced accuracy, macro F1 and the baseline, with their intervals."""
    rows = [
        ("Accuracy", result.accuracy_over_persons, 0),
        *baseline_row("… always “{}”", result.baseline),
        ("Balanced accuracy", result.balanced_accuracy, 0),
        ("Mean F1 over the classes", result.macro_f1, 0),
    ]
    return estimates([(name, e, result.count) for name, e, _ in rows])


def class_table(result: Classification) -> pd.DataFrame:
    """Precision, recall, F1 and support of each class of the emotion test."""
    return pd.DataFrame(
        {
            "Emotion": [capitalised(score.label) for score in result.per_class],
            "Precision": floats(score.precision for score in result.per_class),
            "Recall": floats(score.recall for score in result.per_class),
            "F1": floats(score.f1 for score in result.per_class),
            "Images": [score.support for score in result.per_class],
            "Predicted": [score.predicted for score in result.per_class],
        }
    )


def reasons(result: Classification) -> list[str]:
    """Why the dashes of the table are dashes, one sentence each."""
    return [f"{capitalised(s.label)}: {s.reason}" for s in result.per_class if s.reason]


@styled
def confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> Figure:
    """A confusion matrix, true against predicted: counts, and shares of the row as shades."""
    size = max(2.8, 0.52 * len(labels) + 1.4)
    figure = blank(size + 0.3, size)
    axes = figure.add_subplot()
    draw_matrix(axes, np.asarray(matrix), labels)
    axes.set(xlabel="predicted", ylabel="true")
    return figure
