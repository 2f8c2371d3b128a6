"""How well a study does for each group of persons: what `emorank groups` measured."""

from dataclasses import dataclass
from typing import ClassVar

from emorank.evaluation.group_scores import Attribute


@dataclass(frozen=True)
class GroupResults:
    """Results by group.

    Attributes:
        source: where the groups come from, in words.
        simulated: whether persons and groups were rendered.
        images: of the test part.
        attributes: one each.
    """

    NAME: ClassVar[str] = "groups"
    AFTER: ClassVar[str] = "validate"

    source: str
    simulated: bool
    images: int
    attributes: tuple[Attribute, ...]
