"""The shards that are still to be done, and when to give one up."""

from collections import Counter, deque
from collections.abc import Iterator

IN_VAIN = 5
"""Ends of processes in a row, at the same shard or before any, after which a run gives up."""


class ToDo:
    """Shards that nobody works on; those whose process has ended come first.

    Args:
        shards: their numbers, asked for one at a time.
    """

    def __init__(self, shards: Iterator[int]) -> None:
        self._shards = shards
        self._again: deque[int] = deque()
        self._in_vain: Counter[int | None] = Counter()

    def next(self) -> int | None:
        """The next shard; None if all are given."""
        return self._again.popleft() if self._again else next(self._shards, None)

    def again(self, shard: int, *, later: bool = False) -> None:
        """Take a shard back: it is given next, or after the others that were taken back."""
        if later:
            self._again.append(shard)
        else:
            self._again.appendleft(shard)

    def went_on(self, about: int | None) -> None:
        """A shard has more images done than before; None: a process has its network loaded."""
        self._in_vain[about] = 0

    def in_vain(self, about: int | None) -> int:
        """Count a process that ended before it did anything; returns how many did in a row."""
        self._in_vain[about] += 1
        return self._in_vain[about]
