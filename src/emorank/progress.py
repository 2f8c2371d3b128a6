"""How long work reports its progress, whoever watches."""

from typing import Protocol


class Progress(Protocol):
    """A function of the number of units done, the total number, and a short note."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show the progress; must not raise."""


def silent(done: int, total: int, note: str = "") -> None:
    """Show nothing."""
