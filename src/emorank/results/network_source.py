"""The study that a network comes from, where a study tests the network of another one."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class NetworkSource:
    """Title of the other study, and the data, faces and persons (0: not known) it learnt from."""

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
