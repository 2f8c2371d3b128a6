"""How well a study does for each group of persons: what `emorank groups` measured."""

from dataclasses import dataclass
from typing import ClassVar

from emorank.evaluation.group_scores import Attribute


@dataclass(frozen=True)
class GroupResults:
    """Results by attribute, over the images of the test part.

    `source` says where the groups come from; `simulated`, whether the persons were rendered.
    """

    NAME: ClassVar[str] = "groups"
    AFTER: ClassVar[str] = "validate"

    source: str
    simulated: bool
    images: int
    attributes: tuple[Attribute, ...]
