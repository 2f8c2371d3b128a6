"""A WebSocket with limits: how long it may be silent, in how many pieces messages come, what waits.

uvicorn bounds the size of a message and closes connections that do not answer its pings. It bounds
neither the pieces of a message, which may be empty, nor the answers to pings that nobody takes.
"""

import asyncio
from typing import Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

MAX_MESSAGE = 2**20
"""Bytes."""
MAX_PIECES = 256
"""Of one message."""
MAX_UNSENT = 2**22
"""Bytes that may wait to be taken, answers to pings among them."""
_TOO_BIG = 1009  # RFC 6455, 7.4.1


class Seat(Protocol):
    """The place of a connection among all of a server."""

    @property
    def patience(self) -> float:
        """Seconds without a byte taken."""

    def heard(self) -> None:
        """A whole message has come."""

    def leave(self) -> None:
        """The connection has ended."""

    def cut(self) -> None:
        """Close the connection at once, whatever is still unsent."""


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket in a seat that it keeps until it ends."""

    def __init__(self, *, seat: Seat, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.seat = seat
        self._stuck: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the visitor takes what is said."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MAX_UNSENT:
            self.seat.cut()

    def handle_cont(self, event: Frame) -> None:
        """Take the next piece of a message."""
        if len(self.frames) >= MAX_PIECES:
            self.frames = []
            self.conn.fail(_TOO_BIG, f"more than {MAX_PIECES} pieces")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on; only this gives the visitor more time."""
        super().send_receive_event_to_app()
        self.seat.heard()

    def pause_writing(self) -> None:
        """Wait for a visitor who takes too little, but not for ever."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.seat.patience, self.seat.cut)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._free()

    def connection_lost(self, exc: Exception | None) -> None:
        """Go."""
        self._free()
        self.seat.leave()
        super().connection_lost(exc)

    def _free(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
