"""When this server first sent each picture.

A picture is sent before it is seen. So an answer that follows sooner than the shortest viewing time
came too soon, whatever time it claims. What another process sent is not known here: a browser may
show it from its own cache.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from fastapi import Request

MOST = 200_000  # pictures to remember, some 30 MB


@dataclass
class Served:
    """Remembers the first sending of each showing; `clock` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    _times: dict[str, float] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def note(self, showing: str) -> None:
        """Note that the picture is sent now, unless it was before."""
        with self._turn:
            if len(self._times) >= MOST:  # forget the oldest, so that memory has a bound
                self._times.pop(next(iter(self._times)))
            self._times.setdefault(showing, self.clock())

    def since(self, showing: str) -> int | None:
        """Milliseconds since the first sending; None if there was none."""
        with self._turn:
            first = self._times.get(showing)
            return None if first is None else int(1000 * (self.clock() - first))


def served_of(request: Request) -> Served:
    """What the server that has this request has sent."""
    return cast(Served, request.app.state.served)
