"""The study that a network comes from, where a study tests the network of another one."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class NetworkSource:
    """Title of the other study, and the data, faces and persons (0: not known) it learnt from.

    The shipped network has no title.
    """

    NAME: ClassVar[str] = "network"
    AFTER: ClassVar[str] = "prepare"

    title: str
    data: str
    faces: int
    persons: int

    def sentence(self) -> str:
        """Whose network it is, in one sentence."""
        if not self.title:
            return (
                "The network is the one that comes with emorank. Whom it learnt from is not known, "
                "so whether it has seen these faces is not known either."
            )
        persons = f" of {self.persons} persons" if self.persons else ""
        return (
            f"The network is that of the study “{self.title}”, which learnt from "
            f"{self.faces:,} faces{persons} ({self.data})."
        )
