"""The study that a network comes from, where a study tests the network of another one."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class NetworkSource:
    """Whose network it is.

    Attributes:
        title: of the other study.
        data: title of the data set that the network learnt from.
        faces: that it learnt from.
        persons: of these faces; 0 if no person is known.
    """

    NAME: ClassVar[str] = "network"
    AFTER: ClassVar[str] = "prepare"

    title: str
    data: str
    faces: int
    persons: int

    def sentence(self) -> str:
        """Whose network it is, in one sentence."""
        persons = f" of {self.persons} persons" if self.persons else ""
        return (
            f"The network is that of the study “{self.title}”, which learnt from "
            f"{self.faces:,} faces{persons} ({self.data})."
        )
