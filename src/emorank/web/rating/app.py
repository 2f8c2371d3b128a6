"""The application of the rating room: its pages, and its answers to errors."""

import logging
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from emorank.errors import RatingError, StorageError
from emorank.room.project import Project
from emorank.room.protocol import protocol_of
from emorank.room.store import Closed, Contradicted, NotOnScale, UnknownShowing
from emorank.web.failures import Failures, TooOftenError
from emorank.web.rating import claim, course, display, join, owner, rater
from emorank.web.rating.language import Choice, choice_of, language_of, page_in
from emorank.web.rating.served import Served
from emorank.web.safety import Guard, Origins
from emorank.web.visitors import NoConsentError, NoSessionError

_LOG = logging.getLogger(__name__)
# A browser learns of an error a status and a sentence, never the cause.
_SENTENCES: tuple[tuple[type[Exception], int, str], ...] = (
    (NoSessionError, 401, "You are not known here (any longer): open the link that you were sent."),
    (NoConsentError, 403, "You have not agreed to take part: open the link that you were sent."),
    (TooOftenError, 429, "Too many links that do not work; wait a minute."),
    (UnknownShowing, 404, "There is no such picture among yours."),
    (Closed, 409, "This rating is closed; no more answers are taken. Thank you."),
    (Contradicted, 409, "An answer came twice and differed; load this page anew to go on."),
    (NotOnScale, 422, "The request is not as expected."),
    (StorageError, 503, "The database does not answer just now; try again in a moment."),
    (RatingError, 409, "This cannot be done."),
    (Exception, 500, "Something went wrong here; the log of the server says what."),
)
_NO_PAGE, _NOT_HERE, _NOT_AT_ALL, _STRANGE = (
    "There is no such page.",
    "This cannot be done here.",
    "This cannot be done.",
    "The request is not as expected.",
)
SENTENCES = (*(text for _, _, text in _SENTENCES), _NO_PAGE, _NOT_HERE, _NOT_AT_ALL, _STRANGE)
"""All of them, for the catalogues."""


def make_app(project: Project, origins: Origins) -> Guard:
    """The application that serves one project, behind its guard."""
    # No generated pages about the interface: they would load scripts from elsewhere.
    app = FastAPI(title="emorank rating room", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.project, app.state.origins = project, origins
    app.state.mark = project.mark()
    app.state.protocol = protocol_of(project)
    app.state.languages = Choice(app.state.protocol.languages)
    app.state.failures = Failures()
    app.state.served = Served()
    app.state.panels = owner.Memo(owner.panels_of)
    app.state.scale_panels = owner.Memo(owner.scale_panels_of)
    app.state.agreement = owner.Memo(owner.agreement_of)
    for part in (claim, join, course, rater, display, owner):
        app.include_router(part.router)
    # The first mount whose path fits answers.
    for path, package in (("/static/rating", "emorank.web.rating"), ("/static", "emorank.web")):
        app.mount(path, StaticFiles(directory=str(files(package) / "static")))
    for kind, _, _ in _SENTENCES:
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Whether the server runs and reaches its database."""
        project.about()
        return {"status": "ok"}

    return Guard(app, origins)


def _answer(request: Request, error: Exception) -> Response:
    status, sentence = next((s, text) for kind, s, text in _SENTENCES if isinstance(error, kind))
    if status >= 500:  # the database's own message is enough; other errors need their trace
        trace = None if isinstance(error, StorageError) else error
        # The pattern of the address, because the address itself may hold the secret of a link.
        place = getattr(request.scope.get("route"), "path", "an unknown place")
        _LOG.error("%s %s: %s", request.method, place, error, exc_info=trace)
    # The page's script ends with thanks when the rating is closed, and at no other error.
    more = {"closed": True} if isinstance(error, Closed) else {}
    return _message(request, status, sentence, **more)


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    sentences = {404: _NO_PAGE, 405: _NOT_HERE}
    answer = _message(request, status, sentences.get(status, _NOT_AT_ALL))
    answer.headers.update(headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    return _message(request, 422, _STRANGE)


def _message(request: Request, status: int, sentence: str, **more: bool) -> Response:
    try:
        language = language_of(request)
    except StorageError:  # the session cannot be looked up
        language = choice_of(request).wished(request)
    told = language(sentence)
    if "text/html" in request.headers.get("accept", ""):
        return page_in(language, "message.html", status, title="emorank", heading=told, lines=[])
    return JSONResponse({"error": str(told), **more}, status)
