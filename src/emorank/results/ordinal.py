"""The ordinal network: what `emorank train --ordinal` learnt from, and how well it does."""

from dataclasses import dataclass
from typing import ClassVar

from emorank.evaluation.level_agreement import LevelAgreement


@dataclass(frozen=True)
class OrdinalTraining:
    """The trained ordinal network.

    Attributes:
        loss: a name of `networks.ordinal.LOSSES`.
        others: what faces were taught to have of emotions that they do not express.
        thresholds: between the levels, ascending.
        faces: by part of the split: how many faces have each level, and of how many persons.
        curves: a row for each epoch, as `networks.training.Epoch`.
        scores: by part: its levels against those of the raters' majority.
    """

    NAME: ClassVar[str] = "ordinal"
    AFTER: ClassVar[str] = "train"

    votes: str
    loss: str
    others: int
    thresholds: tuple[float, ...]
    faces: dict[str, dict[str, int]]
    curves: tuple[dict[str, int | float], ...]
    scores: dict[str, LevelAgreement]

    @property
    def summary(self) -> str:
        """What came out, in a line: faces, epochs, agreement on the validation part."""
        kappa = self.scores["validation"].quadratic_kappa.value
        train, validation = (
            sum(number for level, number in self.faces[part].items() if level != "persons")
            for part in ("train", "validation")
        )
        return (
            f"{train} faces, {len(self.curves)} epochs, quadratic kappa of the "
            f"{validation} validation faces {'–' if kappa is None else f'{kappa:.3f}'}"
        )
