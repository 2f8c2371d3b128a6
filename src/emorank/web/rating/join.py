"""The open link: everybody who has it may take part, each person once."""

import hmac
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from emorank.room.consent import agreed
from emorank.room.enrolment import faces_ahead
from emorank.room.open_link import (
    Arrival,
    FullError,
    StrangeIdError,
    admit,
    arrival,
    open_key,
    place_of,
)
from emorank.room.protocol import OpenLink
from emorank.web.rating.entrance import agreement_to, door, not_agreed
from emorank.web.rating.language import choice_of, language_of, page_in
from emorank.web.visitors import TheProject, guest, protocol_of, set_session

router = APIRouter(prefix="/join")
OpenKey = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Agree = Annotated[str, Form(max_length=64)]


@router.get("/{key}")
def show(request: Request, project: TheProject, key: OpenKey) -> Response:
    """Say what the study is, and ask for consent; the same person's place is recognised."""
    who = _who(request, project, key)
    if isinstance(who, Response):
        return who
    known = guest(request, owner=False)
    here = None if known is None else known.rater
    rater = place_of(project, who.participant) if who.participant else here
    if here is not None and here == rater:  # two people may share a computer
        return RedirectResponse("/rate", 303)
    again = rater is not None and agreed(project, rater)
    return door(request, project, f"/join/{key}", faces_ahead(project), agreed=again)


@router.post("/{key}")
def take(request: Request, project: TheProject, key: OpenKey, agree: Agree = "") -> Response:
    """Give the person a place, and open a session."""
    who = _who(request, project, key)
    if isinstance(who, Response):
        return who
    link, language = _link(request), choice_of(request).wished(request)
    rater = place_of(project, who.participant) if who.participant else None
    text_hash = None
    if rater is None or not agreed(project, rater):
        may, text_hash = agreement_to(request, language, agree)
        if not may:
            return not_agreed(request)
    try:
        session, _ = admit(project, link, who, text_hash, language.code)
    except FullError:
        heading = language("The study is full")
        lines = [language("As many people as it needs have taken part. Thank you for coming.")]
        return _told(request, 409, heading, lines)
    answer = RedirectResponse("/rate", 303)
    set_session(request, answer, session, owner=False)
    return answer


def _link(request: Request) -> OpenLink:
    link = protocol_of(request).open_link
    if link is None:
        raise HTTPException(404)
    return link


def _who(request: Request, project: TheProject, key: str) -> Arrival | Response:
    """The ids of who comes; a page that says so if the address has none that can be one."""
    link, right = _link(request), open_key(project)
    if right is None or not hmac.compare_digest(right, key):
        raise HTTPException(404)
    try:
        return arrival(link, dict(request.query_params))
    except StrangeIdError:
        _ = language_of(request)
        heading = _("This link is not complete")
        lines = [
            _(
                "It has to say who comes, and does not: {name} is missing or cannot be read. Open "
                "it as you were given it.",
                name=link.participant,
            )
        ]
        return _told(request, 400, heading, lines)


def _told(request: Request, status: int, heading: str, lines: Sequence[str]) -> Response:
    language = language_of(request)
    return page_in(language, "message.html", status, title="emorank", heading=heading, lines=lines)
