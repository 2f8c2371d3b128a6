"""The application: its pages, and what becomes of errors."""

import logging
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from emorank.errors import RatingError, StorageError
from emorank.room.project import Project
from emorank.room.store import Closed, Contradicted, UnknownShowing
from emorank.web import claim, owner, rate
from emorank.web.safety import Guard, Origins
from emorank.web.templating import page
from emorank.web.visitors import Failures, NobodyError, TooOftenError

_LOG = logging.getLogger(__name__)
# What a browser is told of an error: a status and a sentence, never how it came about.
_SAID: tuple[tuple[type[Exception], int, str], ...] = (
    (NobodyError, 401, "You are not known here (any longer): open the link that you were sent."),
    (TooOftenError, 429, "Too many links that do not work; wait a minute."),
    (UnknownShowing, 404, "There is no such picture among yours."),
    (Closed, 409, "This rating is closed; no more answers are taken. Thank you."),
    (Contradicted, 409, "An answer came twice and differed; load this page anew to go on."),
    (StorageError, 503, "The database does not answer just now; try again in a moment."),
    (RatingError, 409, "This cannot be done."),
    (Exception, 500, "Something went wrong here; the log of the server says what."),
)


def make_app(project: Project, origins: Origins) -> Guard:
    """The application that serves one project, behind its guard."""
    # No pages about the interface: they would load scripts from elsewhere.
    app = FastAPI(title="emorank rating room", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.project, app.state.origins = project, origins
    app.state.mark = project.mark()
    app.state.failures = Failures()
    app.state.summaries = owner.Kept(owner.summary_of)
    app.state.agreement = owner.Kept(owner.agreeing_of)
    for part in (claim, rate, owner):
        app.include_router(part.router)
    static = str(files("emorank.web") / "static")
    app.mount("/static", StaticFiles(directory=static), "static")
    for kind, _, _ in _SAID:
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
    status, sentence = next((s, text) for kind, s, text in _SAID if isinstance(error, kind))
    if status >= 500:  # what the database says is enough; what nobody foresaw needs its trace
        trace = None if isinstance(error, StorageError) else error
        # The pattern and not the address, which may have the secret of a link in it.
        place = getattr(request.scope.get("route"), "path", "an unknown place")
        _LOG.error("%s %s: %s", request.method, place, error, exc_info=trace)
    # The page's script thanks and ends when the rating is closed, and at no other refusal.
    return _say(
        request, status, sentence, **({"closed": True} if isinstance(error, Closed) else {})
    )


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    said = {404: "There is no such page.", 405: "This cannot be done here."}
    answer = _say(request, status, said.get(status, "This cannot be done."))
    answer.headers.update(headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    return _say(request, 422, "The request is not as expected.")


def _say(request: Request, status: int, sentence: str, **more: bool) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return page("message.html", status, title="emorank", heading=sentence, lines=[])
    return JSONResponse({"error": sentence, **more}, status)
