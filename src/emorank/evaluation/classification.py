"""How well expressed emotions are recognised: the test of a trained classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.evaluation.statistics import confusion
from emorank.evaluation.statistics.columns import people
from emorank.evaluation.statistics.uncertainty import (
    LEVEL,
    RESAMPLES,
    Estimate,
    bootstrap,
    counts_per_cluster,
    no_narrower,
    wilson,
)

_STATISTICS = {
    "accuracy": confusion.accuracy,
    "balanced_accuracy": confusion.balanced_accuracy,
    "macro_f1": confusion.macro_f1,
}


@dataclass(frozen=True)
class ClassScore:
    """Scores of one class against all others; an undefined one is None, and `reason` says why."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int
    reason: str = ""


@dataclass(frozen=True)
class Baseline:
    """The accuracy of always answering with the most frequent class.

    Attributes:
        source: the part of the split in which it is the most frequent, "train" or "test".
        accuracy: on the test part, with Wilson's interval.
    """

    label: str
    source: str
    accuracy: Estimate


@dataclass(frozen=True)
class Classification:
    """The emotion test.

    Attributes:
        classes: in the order of the confusion matrix.
        confusion: counts, rows the true class, columns the predicted one.
        count: images tested.
        unlabelled: images left out because their true class is unknown.
        persons: number of persons on the images tested; None if no person is known.
        accuracy: with Wilson's interval, which assumes that images are independent.
        accuracy_over_persons: the same accuracy with the bootstrap over persons; this one is shown.
        balanced_accuracy: mean recall over the classes with images.
        macro_f1: mean F1 over the classes with images.
        baseline: the majority class; None if there are no images.
    """

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    count: int
    unlabelled: int
    persons: int | None
    accuracy: Estimate
    accuracy_over_persons: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate
    per_class: tuple[ClassScore, ...]
    baseline: Baseline | None


def classification(
    truth: Sequence[Any] | pd.Series,
    predicted: Sequence[str] | pd.Series,
    classes: Sequence[str],
    *,
    rng: np.random.Generator,
    persons: Sequence[Any] | pd.Series | None = None,
    majority: str | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Classification:
    """Score predicted against true classes.

    Images whose true class is missing are left out; an image whose person is missing counts as one
    more person. `classes` are all that may occur, in the order of the tables. `majority` is the
    most frequent class of the train part, for the baseline; without it, the baseline is the most
    frequent class of these images (the first of equals), which makes it too good.

    Raises:
        ValueError: lengths differ, or a class is not among `classes`.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"{len(truth)} true classes but {len(predicted)} predicted ones")
    # Compared by position; the index of a Series is ignored.
    true = np.array(list(truth), dtype=object)
    guess = np.array(list(predicted), dtype=object)
    known = ~np.asarray(pd.isna(true), dtype=bool)
    true, guess = true[known].astype(str), guess[known].astype(str)
    names = [str(name) for name in classes]
    for word, values in (("true", true), ("predicted", guess)):
        unknown = sorted(set(values.tolist()) - set(names))
        if unknown:
            raise ValueError(f"{word} class {unknown[0]!r} is not among {', '.join(names)}")

    who = people(persons, known)
    position = {name: i for i, name in enumerate(names)}
    rows = np.array([position[name] for name in true], dtype=np.int64)
    columns = np.array([position[name] for name in guess], dtype=np.int64)
    tables = counts_per_cluster(rows, columns, (len(names), len(names)), who.number)
    estimates = bootstrap(_STATISTICS, tables, rng, unit=who.unit, resamples=resamples, level=level)
    matrix = tables.sum(axis=0)
    return Classification(
        classes=tuple(names),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        count=len(true),
        unlabelled=int((~known).sum()),
        persons=who.size if who.unit == "persons" else None,
        accuracy=wilson(int(np.trace(matrix)), len(true), level),
        accuracy_over_persons=no_narrower(estimates["accuracy"], int(np.trace(matrix)), len(true)),
        balanced_accuracy=estimates["balanced_accuracy"],
        macro_f1=estimates["macro_f1"],
        per_class=class_scores(matrix, names),
        baseline=majority_baseline(matrix, names, majority, level),
    )


def class_scores(matrix: np.ndarray[Any, Any], labels: Sequence[str]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class from a confusion matrix, rows the truth.

    A class that is never predicted has no precision; a class without images has no recall and no
    F1. They are None and not 0, which is what the paper prints (Table 7, Strong Fear).
    """
    hits, support, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    scores = []
    for i, label in enumerate(labels):
        empty = support[i] == 0
        reasons = ["no image of this class"] * bool(empty)
        reasons += ["never predicted"] * bool(predicted[i] == 0)
        scores.append(
            ClassScore(
                label=str(label),
                precision=None if predicted[i] == 0 else float(hits[i] / predicted[i]),
                recall=None if empty else float(hits[i] / support[i]),
                f1=None if empty else float(2 * hits[i] / (support[i] + predicted[i])),
                support=int(support[i]),
                predicted=int(predicted[i]),
                reason=", ".join(reasons),
            )
        )
    return tuple(scores)


def majority_baseline(
    matrix: np.ndarray[Any, Any],
    labels: Sequence[str],
    majority: str | None = None,
    level: float = LEVEL,
) -> Baseline | None:
    """The accuracy of always answering with `majority`, or else with the most frequent class.

    `matrix` has the truth in its rows; `majority` is the most frequent class of the train part.
    """
    support, total = matrix.sum(axis=1), int(matrix.sum())
    if total == 0:
        return None
    if majority is not None and majority not in labels:
        raise ValueError(f"majority class {majority!r} is not among {', '.join(labels)}")
    best = int(support.argmax()) if majority is None else list(labels).index(majority)
    source = "test" if majority is None else "train"
    return Baseline(str(labels[best]), source, wilson(int(support[best]), total, level))
