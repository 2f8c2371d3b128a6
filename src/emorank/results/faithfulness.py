"""How faithful explanations are, method by method: what `emorank faithfulness` measured."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from emorank.evaluation.maps.map_scores import MapScore, Settings
from emorank.evaluation.statistics.uncertainty import Estimate


@dataclass(frozen=True)
class Faithfulness:
    """The result of a measurement.

    Attributes:
        stages: the layers that got new weights, from the output down.
        area: the mean share of each facial region of the image; empty where no face was found.
        located: on how many of the faces the regions are known.
        passes: what a method takes for a face, in forward passes, measured.
        scores: means over the faces, with intervals over persons.
    """

    NAME: ClassVar[str] = "faithfulness"
    AFTER: ClassVar[str] = "test"

    settings: Settings
    images: tuple[str, ...]
    persons: int
    stages: tuple[str, ...]
    area: dict[str, float]
    located: int
    passes: dict[str, float]
    scores: tuple[MapScore, ...]

    def estimate(self, method: str, measure: str, of: str = "", at: float = 0.0) -> Estimate | None:
        """The mean of one measure of one method; None where it was not measured."""
        return self._by_name.get((method, measure, of, at))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str, float], Estimate]:
        return {(s.method, s.measure, s.of, round(s.at, 6)): s.estimate for s in self.scores}
