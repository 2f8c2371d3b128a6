"""The calibrated rank: what `emorank calibrate` fitted, and how well it does."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from emorank.evaluation.laboratory.learning import LearningPoint
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.evaluation.statistics.uncertainty import FEW, Estimate


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
        crossfit: folds of the persons that it was fitted on, each measured by a classifier that has
            not learnt from them; 0 where the network itself has not learnt from any.
        inputs: features of the relevance that the model takes.
        model: proportional odds, from `ranking.proportional_odds.to_values`.
        sure: the least probability at which a level is given.
        coefficients: of the standardised inputs.
        intervals_over: what was drawn again for their intervals, "persons" or "images".
        curve: kappa on the tested faces for more and more rated faces; empty without test faces.
        agreement: of the most probable level, so without abstaining, with the raters' majority on
            the tested faces; None without such faces.
        uncalibrated: the same of the levels of the contrast to neutral, which need no votes; None
            also if the network does not know neutral.
        folds: if the tested faces are those that it was fitted on, the number of folds of persons,
            each tested by a model that was fitted on the others; 0 if they are other faces.
        source: title of the study of other faces that it was fitted on; empty for its own.
        left_out: rated faces not fitted on, because they share a person, a sequence or a
            near-identical picture with the faces of the network.
        pictures: SHA-256 of each picture that it was fitted on, as in the table of faces.
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
    agreement: LevelAgreement | None = None
    uncalibrated: LevelAgreement | None = None
    folds: int = 0
    source: str = ""
    left_out: int = 0
    pictures: tuple[str, ...] = ()

    def coefficient(self, one: Coefficient) -> Estimate:
        """A coefficient with its interval, rough if it is over few persons."""
        return Estimate(one.value, one.low, one.high, rough=self.rated.persons < FEW)

    def kappa(self, point: LearningPoint) -> Estimate:
        """Kappa at a point of the curve with its interval, rough if it is over few persons."""
        return Estimate(point.kappa, point.low, point.high, rough=self.tested.persons < FEW)
