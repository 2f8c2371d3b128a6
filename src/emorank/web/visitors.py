"""Visitors: the cookie of their session, and who they are."""

from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.responses import Response

from emorank.room.consent import agreed
from emorank.room.invites import SESSION_LIFE, Visitor, visitor
from emorank.room.project import Project
from emorank.room.protocol import Protocol
from emorank.web.safety import Origins


class NoSessionError(Exception):
    """The request has no session, or one that is not good for this address."""


class NoConsentError(Exception):
    """The rater has not agreed to take part, and the study asks for that."""


def address(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else "unknown"


def project_of(request: Request) -> Project:
    """The project that is served."""
    return cast(Project, request.app.state.project)


def protocol_of(request: Request) -> Protocol:
    """What the study declares; it never changes."""
    return cast(Protocol, request.app.state.protocol)


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


def guest(request: Request, owner: bool) -> Visitor | None:
    """The person of a session, or None without one."""
    secret = session_of(request, owner)
    known = visitor(project_of(request), secret) if secret else None
    return None if known is None or known.owner != owner else known


def _rater(request: Request) -> str:
    known = guest(request, owner=False)
    if known is None:
        raise NoSessionError
    return cast(str, known.rater)


def _owner(request: Request) -> None:
    if guest(request, owner=True) is None:
        raise NoSessionError


def _taking_part(request: Request) -> str:
    rater = _rater(request)
    if protocol_of(request).consent is not None and not agreed(project_of(request), rater):
        raise NoConsentError
    return rater


# A page takes one of these as a parameter: the id of the rater who asks and has
# agreed to take part, or a check that it is the
# owner. Anybody else gets no page.
Rater = Annotated[str, Depends(_taking_part)]
Owner = Annotated[None, Depends(_owner)]
TheProject = Annotated[Project, Depends(project_of)]
TheOrigins = Annotated[Origins, Depends(origins_of)]
