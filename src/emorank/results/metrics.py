"""What the stages of a study measured (`metrics.json`)."""

from dataclasses import dataclass, field

from emorank.datasets.leakage import Leakage
from emorank.evaluation.classification import Classification
from emorank.evaluation.laboratory.one_rater import OneRater
from emorank.evaluation.laboratory.validity import Correlations
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
class RanksCompared:
    """The rank that people get and the paper's rule, side by side on the same faces.

    They are the test images whose expression was recognised, which the paper scores.

    Attributes:
        default: the name of the rank that people get.
        truth: what scores are compared with, in words; empty where nothing is known.
        follows: scores against it, by the name of the rank; `default` first, then "paper".
        validated: the default's levels against the raters; those of the paper's rule are
            `Metrics.rank`. None without votes.
        rater: one rater on the same faces; None without votes.
    """

    default: str
    truth: str
    follows: dict[str, Correlations]
    validated: RankValidation | None
    rater: OneRater | None


@dataclass(frozen=True)
class Metrics:
    """A section for each stage that measures; None before the stage has run, or without votes.

    `rank` is of the paper's rule; `ranks` of both, None in studies of earlier versions.
    """

    leakage: Leakage | None = None
    emotion: Classification | None = None
    conservation: Conservation | None = None
    rank: RankValidation | None = None
    ranks: RanksCompared | None = None
