"""What the stages of a study measured (`metrics.json`)."""

from dataclasses import dataclass, field

from emorank.datasets.leakage import Leakage
from emorank.evaluation.classification import Classification
from emorank.evaluation.rank_scores import RankValidation


@dataclass(frozen=True)
class Conservation:
    """How much of the logit arrives at the inputs of each layer, from the output down.

    It is the median over the images.

    Attributes:
        flat: images of which a large part is of one colour, and its share, where the rules need
            care there.
        warning: what that means for their maps, in words; empty without such images.
    """

    layers: tuple[str, ...]
    median_share_of_logit: tuple[float, ...]
    flat: dict[str, float] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True)
class Metrics:
    """A section for each stage that measures; None before the stage has run, or without votes."""

    leakage: Leakage | None = None
    emotion: Classification | None = None
    conservation: Conservation | None = None
    rank: RankValidation | None = None
