"""How long work tells how far it is, without knowing who watches."""

from typing import Protocol


class Progress(Protocol):
    """Called with the units done, the units in all, and a short note on the present state."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Take notice; must not raise."""


def silent(done: int, total: int, note: str = "") -> None:
    """Watch nothing."""
