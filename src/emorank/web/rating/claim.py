"""The page behind an invite link: a button that claims it.

Opening the link claims nothing, because mail programs open links to check them.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import AfterValidator
from starlette.responses import RedirectResponse, Response

from emorank.errors import RatingError, StorageError
from emorank.room.invites import Visitor, addressee, claim, invited
from emorank.room.raters import rater_name
from emorank.web.templating import page
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
Secret = Annotated[str, Path(max_length=128), AfterValidator(lambda text: _BEHIND.sub("", text))]
_BEHIND = re.compile(r"[^A-Za-z0-9_-]+$")


@router.get("/")
def start(request: Request) -> Response:
    """Go on to the page of a session; without one, say how to come in."""
    for owner, place in ((False, "/rate"), (True, "/owner")):
        if session_of(request, owner):
            return RedirectResponse(place, 303)
    return page("message.html", title="emorank", heading="The rating room", lines=[_HOW])


@router.get("/invite/{secret}")
def show(request: Request, project: TheProject, secret: Secret) -> Response:
    """Say what the link is for, if it can be claimed."""
    person = _use(request, secret, lambda: invited(project, secret))
    if isinstance(person, Response):
        return person
    about = project.about()
    name = None if person.rater is None else rater_name(project, person.rater)
    return page("rating/invite.html", title=about.title, about=about, rater=name, secret=secret)


@router.post("/invite/{secret}")
def take(request: Request, project: TheProject, secret: Secret) -> Response:
    """Use the link up, and open a session."""
    result = _use(request, secret, lambda: claim(project, secret))
    if isinstance(result, Response):
        return result
    session, person = result
    answer = _go(person)
    set_session(request, answer, session, person.owner)
    return answer


_HOW = "You come in with the link that you were sent. Open it here once, then this page knows you."


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
    except RatingError as error:
        if known is not None:
            return _go(known)
        failures.add(secret, address(request))
        text = str(error)
        lines = [f"{text[0].upper()}{text[1:]}."]
        return page("message.html", 404, title="Link", heading="No way in", lines=lines)


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
