"""The ranks of a study beside other estimators: what `emorank compare` measured."""

from dataclasses import dataclass, field
from typing import ClassVar

from emorank.evaluation.comparison import EstimatorComparison


@dataclass(frozen=True)
class Times:
    """Milliseconds per image to learn, to compute descriptors, to predict; None if not needed."""

    fit_ms: float | None = None
    features_ms: float | None = None
    predict_ms: float | None = None


@dataclass(frozen=True)
class Circumstances:
    """On which faces and by which votes estimators were compared.

    Attributes:
        labels: whether nobody rated: neutral is None, and any expression is Strong.
        folds: of persons, each tested once; 0 for the study's own split.
        votes: name of the votes file.
        levels: how many of the tested faces have each level.
    """

    labels: bool
    folds: int
    votes: str = ""
    faces: int = 0
    neutral: int = 0
    levels: dict[str, int] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        expressive: over the faces that express an emotion; None where nobody rated them.
        all: over the neutral faces too; None if there are none.
        left_out: estimators that could not be measured, and why.
    """

    NAME: ClassVar[str] = "comparison"
    AFTER: ClassVar[str] = "rank"

    expressive: EstimatorComparison | None
    all: EstimatorComparison | None
    timing: dict[str, Times]
    left_out: dict[str, str]
    about: Circumstances
