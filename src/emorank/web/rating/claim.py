"""The page behind an invite link: a button that claims it.

Opening the link claims nothing, because mail programs open links to check them.
"""

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from emorank.errors import RatingError, StorageError
from emorank.room.invites import claim, invited
from emorank.room.raters import rater_name
from emorank.web.templating import page
from emorank.web.visitors import TheProject, address, session_of, set_session

router = APIRouter()
Result = TypeVar("Result")
Secret = Path(pattern=r"^[A-Za-z0-9_-]{1,128}$")


@router.get("/")
def start(request: Request) -> Response:
    """Go on to the page of a session; without one, say how to come in."""
    for owner, place in ((False, "/rate"), (True, "/owner")):
        if session_of(request, owner):
            return RedirectResponse(place, 303)
    return page("message.html", title="emorank", heading="The rating room", lines=[_HOW])


@router.get("/invite/{secret}")
def show(request: Request, project: TheProject, secret: str = Secret) -> Response:
    """Say what the link is for, if it can be claimed."""
    guest = _use(request, lambda: invited(project, secret))
    if isinstance(guest, Response):
        return guest
    about = project.about()
    name = None if guest.rater is None else rater_name(project, guest.rater)
    return page("rating/invite.html", title=about.title, about=about, rater=name, secret=secret)


@router.post("/invite/{secret}")
def take(request: Request, project: TheProject, secret: str = Secret) -> Response:
    """Use the link up, and open a session."""
    result = _use(request, lambda: claim(project, secret))
    if isinstance(result, Response):
        return result
    session, guest = result
    answer = RedirectResponse("/owner" if guest.owner else "/rate", 303)
    set_session(request, answer, session, guest.owner)
    return answer


_HOW = "You come in with the link that you were sent. Open it here once, then this page knows you."


def _use(request: Request, use: Callable[[], Result]) -> Result | Response:
    """What the use of a link gives, or the page that refuses it; such failures are counted."""
    failures = request.app.state.failures
    failures.check(address(request))
    try:
        return use()
    except StorageError:
        raise
    except RatingError as error:
        failures.add(address(request))
        text = str(error)
        lines = [text[0].upper() + text[1:]]
        return page("message.html", 404, title="Link", heading="No way in", lines=lines)
