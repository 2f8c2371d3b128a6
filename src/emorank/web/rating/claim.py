"""The page behind an invite link: a button that claims it.

Opening the link claims nothing, because mail programs open links to check them.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Path, Request
from pydantic import AfterValidator
from starlette.responses import RedirectResponse, Response

from emorank.errors import RatingError, StorageError
from emorank.room.consent import agreed
from emorank.room.invites import Visitor, addressee, claim, invited
from emorank.room.raters import rater_name
from emorank.room.store import practice_standing, standing
from emorank.web.rating.entrance import agreement_to, declined, door, not_agreed
from emorank.web.rating.language import choice_of, language_of, page_in
from emorank.web.visitors import (
    TheProject,
    address,
    guest,
    project_of,
    session_of,
    set_session,
)

router = APIRouter()
Result = TypeVar("Result")
# Mail programs take the full stop or bracket after a link for a part of it.
Agree = Annotated[str, Form(max_length=64)]
Secret = Annotated[str, Path(max_length=128), AfterValidator(lambda text: _BEHIND.sub("", text))]
_BEHIND = re.compile(r"[^A-Za-z0-9_-]+$")


@router.get("/")
def start(request: Request) -> Response:
    """Go on to the page of a session; without one, say how to come in."""
    for owner, place in ((False, "/rate"), (True, "/owner")):
        if session_of(request, owner):
            return RedirectResponse(place, 303)
    _ = language_of(request)
    lines = [
        _(
            "You come in with the link that you were sent. Open it here once, then this page knows "
            "you."
        )
    ]
    heading = _("The rating room")
    return page_in(_, "message.html", title="emorank", heading=heading, lines=lines)


@router.get("/invite/{secret}")
def show(request: Request, project: TheProject, secret: Secret) -> Response:
    """Say what the link is for, if it can be claimed."""
    person = _use(request, secret, lambda: invited(project, secret))
    if isinstance(person, Response):
        return person
    if person.rater is None:
        return door(request, project, f"/invite/{secret}", 0, None)
    faces = standing(project, person.rater).total + practice_standing(project, person.rater).total
    known = agreed(project, person.rater)
    name = rater_name(project, person.rater)
    return door(request, project, f"/invite/{secret}", faces, name, known)


@router.post("/invite/{secret}")
def take(request: Request, project: TheProject, secret: Secret, agree: Agree = "") -> Response:
    """Use the link up, and open a session; a rater has to agree first, where the study asks."""
    language = choice_of(request).wished(request)
    person = _use(request, secret, lambda: invited(project, secret))
    if isinstance(person, Response):
        return person
    text_hash = None
    if person.rater is not None and not agreed(project, person.rater):
        may, text_hash = agreement_to(request, language, agree)
        if not may:
            return not_agreed(request)
    result = _use(request, secret, lambda: claim(project, secret, language.code, text_hash))
    if isinstance(result, Response):
        return result
    session, person = result
    answer = _go(person)
    set_session(request, answer, session, person.owner)
    return answer


@router.get("/declined")
def decline(request: Request) -> Response:
    """Thanks to somebody who does not agree."""
    return declined(request)


def _use(request: Request, secret: str, use: Callable[[], Result]) -> Result | Response:
    """What the use of a link gives; without that, the page of the session, or a refusal.

    Refusals are counted.
    """
    known = _known(request, secret)
    failures = request.app.state.failures
    if known is None:
        failures.check(secret)
    try:
        return use()
    except StorageError:
        raise
    except RatingError:
        if known is not None:
            return _go(known)
        failures.add(secret, address(request))
        _ = language_of(request)
        heading = _("No way in")
        lines = [
            _(
                "This link does not work: it was used already, has expired, was revoked, or is "
                "incomplete; ask the person who invited you for a new one."
            )
        ]
        return page_in(_, "message.html", 404, title="Link", heading=heading, lines=lines)


def _known(request: Request, secret: str) -> Visitor | None:
    """The person of a session of this browser whose link this is, or was.

    Another person's link does not lead to this one's page: two raters may share a computer.
    """
    guests = [guest(request, owner) for owner in (False, True)]
    if not any(guests):
        return None
    person = addressee(project_of(request), secret)
    return next((known for known in guests if known and person in (None, known)), None)


def _go(person: Visitor) -> Response:
    return RedirectResponse("/owner" if person.owner else "/rate", 303)
