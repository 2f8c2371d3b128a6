"""Limits on connections: how many there are, and how long one may let the server wait.

uvicorn has none of them (https://github.com/Kludex/uvicorn/issues/157): without them idle
connections use up the files that a process may open, and then nobody can come in.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emorank.web.sockets import Socket

_LOG = logging.getLogger(__name__)
_MOST, _RESERVE = 1000, 256  # connections; files for the database, pictures and new connections
_WITHOUT_LIMIT = 512  # files of a process on Windows, where nothing tells


@dataclass(frozen=True)
class Limits:
    """How many connections, and how many seconds.

    Attributes:
        connections: at once; `of_address` of them from one address.
        head: from the first byte of a request to its last header; at first from the connection on.
        body: from there to its last byte.
        idle: between two requests, and without a byte taken of an answer.
        silent: from one message on a WebSocket to the next.
    """

    connections: int
    of_address: int
    head: float = 10
    body: float = 20
    idle: float = 30
    silent: float = 120

    @property
    def at_a_time(self) -> int:
        """How many may be opened before the first of them is looked at, and perhaps closed."""
        return max(1, self.connections // 8)


def limits(shared: bool) -> Limits:
    """Limits well below the number of files that this process may open.

    `shared`: all visitors come from one address, that of a proxy; otherwise one has at most half.
    """
    files = _file_limit()
    most = min(_MOST, max(files - _RESERVE, files // 2))
    return Limits(most, most if shared else most // 2)


def _file_limit() -> int:
    try:
        import resource
    except ImportError:
        return _WITHOUT_LIMIT
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST + _RESERVE if soft == resource.RLIM_INFINITY else soft


class Phase(Enum):
    """What a connection waits for."""

    HEAD = auto()  # a request has begun, or the first one has not
    BODY = auto()
    ANSWER = auto()  # the application works, or the visitor takes the answer
    IDLE = auto()  # the next request
    SOCKET = auto()  # the next message on a WebSocket


class Crowd:
    """The connections of a server; makes room for new ones by closing those that wait longest."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._counts: Counter[str] = Counter()
        # By address, the one that waits longest first; not those that wait for the application.
        self._waiting: dict[str, dict[Connection, None]] = {}

    def enter(self, new: "Connection") -> bool:
        """Take a connection in; False if there is no room and none can be made."""
        crowded = None
        if self._counts[new.address] >= self.limits.of_address:
            crowded = new.address
        elif self._counts.total() >= self.limits.connections:
            crowded = max(
                self._waiting, key=lambda address: len(self._waiting[address]), default=""
            )
        if crowded is not None:
            _LOG.warning(
                "too many connections (%s in all, %s from one address are admitted): those that "
                "wait longest are closed",
                self.limits.connections,
                self.limits.of_address,
            )
            oldest = next(iter(self._waiting.get(crowded, ())), None)
            if oldest is None:
                return False
            oldest.cut()
        self._counts[new.address] += 1
        return True

    def leave(self, connection: "Connection") -> None:
        """Forget a connection."""
        self.note(connection, waits=False)
        self._counts[connection.address] -= 1
        if not self._counts[connection.address]:
            del self._counts[connection.address]

    def note(self, connection: "Connection", waits: bool) -> None:
        """Note whether a connection waits for its visitor, from now on."""
        others = self._waiting.setdefault(connection.address, {})
        others.pop(connection, None)
        if waits:
            others[connection] = None
        elif not others:
            del self._waiting[connection.address]


class Connection(H11Protocol):
    """uvicorn's connection with a time for everything that the visitor has to do."""

    def __init__(self, *, crowd: Crowd, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.crowd, self.address = crowd, ""
        self._inside = False
        self._phase = Phase.HEAD
        self._timer: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Come in, or be sent away."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._inside = self.crowd.enter(self)
        if self._inside:
            self._begin(Phase.HEAD)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on; only what is complete gives the visitor more time."""
        if self._phase is Phase.IDLE:
            self._begin(Phase.HEAD)
        super().data_received(data)
        self._follow(self._phase)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._follow(Phase.IDLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Go."""
        self._go()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Become a WebSocket, which keeps this seat."""
        # uvicorn makes it of a class that it was given, and has no argument for a seat.
        self.ws_protocol_class = partial(Socket, seat=self)  # type: ignore[assignment]
        super().handle_websocket_upgrade(event)
        self.heard()

    @property
    def patience(self) -> float:
        """Seconds without a byte taken."""
        return self.crowd.limits.idle

    def heard(self) -> None:
        """Wait for the next message."""
        if self._inside:
            self._begin(Phase.SOCKET)

    def leave(self) -> None:
        """Give the seat back."""
        self._go()

    def cut(self) -> None:
        """Close the connection at once, whatever is still unsent."""
        self._go()
        self.transport.abort()

    def _follow(self, otherwise: Phase) -> None:
        phase = otherwise
        if self.cycle is not None and not self.cycle.response_complete:
            phase = Phase.BODY if self.cycle.more_body else Phase.ANSWER
        if self._inside and phase is not self._phase:
            self._begin(phase)

    def _begin(self, phase: Phase) -> None:
        self._phase, self._unsent = phase, 0
        self.crowd.note(self, waits=phase is not Phase.ANSWER)
        self._set_timer()

    def _set_timer(self) -> None:
        bounds = self.crowd.limits
        seconds = {
            Phase.HEAD: bounds.head, Phase.BODY: bounds.body, Phase.SOCKET: bounds.silent
        }  # fmt: skip
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds.get(self._phase, bounds.idle), self._late)

    def _late(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        works = self._phase is Phase.ANSWER and not unsent
        taken = self._phase is not Phase.SOCKET and unsent not in (0, self._unsent)
        if works or taken:  # the visitor takes the answer, if slowly
            self._unsent = unsent
            self._set_timer()
        else:
            self.cut()

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._inside:
            self._inside = False
            self.crowd.leave(self)
