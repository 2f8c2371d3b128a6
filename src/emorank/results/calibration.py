"""The calibrated rank: what `emorank calibrate` fitted, and how well it does."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from emorank.evaluation.laboratory.learning import LearningPoint


@dataclass(frozen=True)
class RatedFaces:
    """How many rated faces there were, of how many persons, and of each level."""

    images: int
    persons: int
    levels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Coefficient:
    """What an input counts for, with its 95 % interval."""

    input: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibratedRank:
    """The fitted rank.

    Attributes:
        crossfit: folds of the persons that it was fitted on; 0 for the validation persons alone.
        inputs: features of the relevance that the model takes.
        model: proportional odds, from `ranking.calibrated.dumped`.
        sure: the least probability at which a level is given.
        coefficients: of the standardised inputs.
        intervals_over: what was drawn again for their intervals, "persons" or "images".
        curve: kappa on the tested faces for more and more rated faces; empty without test faces.
    """

    NAME: ClassVar[str] = "calibration"
    AFTER: ClassVar[str] = "train"

    crossfit: int
    inputs: tuple[str, ...]
    model: dict[str, Any]
    sure: float
    rated: RatedFaces
    coefficients: tuple[Coefficient, ...]
    intervals_over: str
    curve: tuple[LearningPoint, ...]
    tested: RatedFaces
