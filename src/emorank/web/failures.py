"""A limit on guessing secrets: those that do not work are counted for a minute."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_COUNTED = 10_000


class TooOftenError(Exception):
    """A link or key that does not work was tried too often, or too many came from one address."""


@dataclass
class Failures:
    """Counts the uses of links, or keys, that do not work, in the last minute.

    A link that works is never refused. One that does not may be tried `of_link` times. All those
    from one address are at most `of_address` different ones, because many people may share it.
    """

    of_link: int = 10
    of_address: int = 60
    clock: Callable[[], float] = time.monotonic
    _times: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def check(self, link: str) -> None:
        """Raise TooOftenError if a link has failed too often to be looked up again."""
        with self._turn:
            if self._count(("link", link)) >= self.of_link:
                raise TooOftenError

    def add(self, link: str, address: str) -> None:
        """Note a failure; raise TooOftenError if there were too many from that address."""
        with self._turn:
            again = self._count(("link", link)) > 0
            if not again and self._count(("address", address)) >= self.of_address:
                raise TooOftenError
            for key in [("link", link)] + [("address", address)] * (not again):
                times = self._times.pop(key, deque())
                self._forget()
                self._times[key] = times  # the newest last
                times.append(self.clock())

    def _forget(self) -> None:
        """Forget what is older than a minute, and the oldest if there are too many."""
        while self._times:
            key = next(iter(self._times))
            if self._count(key) and len(self._times) < MAX_COUNTED:
                return
            del self._times[key]

    def _count(self, key: tuple[str, str]) -> int:
        times = self._times.get(key, deque())
        while times and times[0] < self.clock() - 60:
            times.popleft()
        return len(times)
