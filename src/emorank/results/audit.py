"""How far each rank of a study can be believed: what `emorank audit` measured."""

from dataclasses import dataclass
from typing import ClassVar

from emorank.evaluation.laboratory.examination import TRUTHS
from emorank.evaluation.laboratory.verdict import Examination
from emorank.evaluation.statistics.uncertainty import Estimate

_COLUMNS = {words: column for column, words in TRUTHS.items()}


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes:
        headline: how far the ranks of the study can be believed, in one sentence.
        faces: how many, all of the test part; of `persons` (None if no person is known).
        tried: faces on which changes that should not matter were tried.
        ceiling: how well a rater agrees with the majority of the others; None without votes.
        ranks: the study's ranks first, then somebody's scores, then the controls.
        unavailable: ranks that the study cannot give, and why.
        unmeasured: what cannot be measured on these faces, and why.
        asked: whether the ranks were asked about the emotion that each face is labelled with,
            instead of the one that the network names.
    """

    NAME: ClassVar[str] = "audit"
    AFTER: ClassVar[str] = "rank"

    headline: str
    faces: int
    persons: int | None
    tried: int
    ceiling: Estimate | None
    ranks: tuple[Examination, ...]
    unavailable: dict[str, str]
    unmeasured: tuple[str, ...]
    asked: bool = False

    @property
    def truth(self) -> str:
        """What the ranks are compared with; empty if nothing is known of these faces."""
        return self.ranks[0].truth if self.ranks else ""

    @property
    def truth_column(self) -> str:
        """The column of `audit.parquet` that holds the truth; empty if there is none."""
        return _COLUMNS.get(self.truth, "")
