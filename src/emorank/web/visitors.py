"""Visitors: the cookie of their session, and a limit on guessing links."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.responses import Response

from emorank.room.invites import SESSION_LIFE, visitor
from emorank.room.project import Project
from emorank.web.safety import Origins

MAX_ADDRESSES = 10_000


class NoSessionError(Exception):
    """The request has no session, or one that is not good for this address."""


class TooOftenError(Exception):
    """Too many links that do not work came from one address."""


@dataclass
class Failures:
    """Counts the links that did not work, by address; no answer after `limit` in a minute."""

    limit: int = 10
    clock: Callable[[], float] = time.monotonic
    _times: dict[str, deque[float]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def check(self, address: str) -> None:
        """Raise TooOftenError if the address has failed too often in the last minute."""
        with self._turn:
            times = self._times.get(address)
            while times and times[0] < self.clock() - 60:
                times.popleft()
            if times and len(times) >= self.limit:
                raise TooOftenError

    def add(self, address: str) -> None:
        """Note a failure."""
        with self._turn:
            if len(self._times) >= MAX_ADDRESSES:  # forget the oldest, so that memory has a bound
                self._times.pop(next(iter(self._times)))
            self._times.setdefault(address, deque(maxlen=self.limit)).append(self.clock())


def address(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else "unknown"


def project_of(request: Request) -> Project:
    """The project that is served."""
    return cast(Project, request.app.state.project)


def origins_of(request: Request) -> Origins:
    """The addresses of the server."""
    return cast(Origins, request.app.state.origins)


def cookie_name(request: Request, owner: bool) -> str:
    """The cookie of an owner or a rater; __Host- binds it to this host and to TLS.

    The name contains the project, because browsers share cookies among the ports of a host: the
    session of one project must not replace that of another.
    """
    prefix = "__Host-" if origins_of(request).secure else ""
    return f"{prefix}emorank_{'owner' if owner else 'rater'}_{request.app.state.mark}"


def set_session(request: Request, response: Response, secret: str, owner: bool) -> None:
    """Hand a session to the browser."""
    response.set_cookie(
        cookie_name(request, owner),
        secret,
        max_age=SESSION_LIFE // 1000,
        httponly=True,
        samesite="lax",
        secure=origins_of(request).secure,
        path="/",
    )


def session_of(request: Request, owner: bool) -> str:
    """The secret in the cookie; empty without one."""
    return request.cookies.get(cookie_name(request, owner), "")


def _guest(request: Request, owner: bool) -> str | None:
    """The id of the rater who asks, or None for the owner."""
    secret = session_of(request, owner)
    guest = visitor(project_of(request), secret) if secret else None
    if guest is None or guest.owner != owner:
        raise NoSessionError
    return guest.rater


def _rater(request: Request) -> str:
    return cast(str, _guest(request, owner=False))


def _owner(request: Request) -> None:
    _guest(request, owner=True)


# A page takes one of these as a parameter: the id of the rater who asks, or a check that it is the
# owner. Anybody else gets no page.
Rater = Annotated[str, Depends(_rater)]
Owner = Annotated[None, Depends(_owner)]
TheProject = Annotated[Project, Depends(project_of)]
TheOrigins = Annotated[Origins, Depends(origins_of)]
