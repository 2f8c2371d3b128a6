"""What the page's scripts are told when something goes wrong: a status and a sentence."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from emorank.errors import ImageError, PlanError, RelevanceError
from emorank.web.desk import BusyError
from emorank.web.service.problems import ProblemError
from emorank.web.service.reading import while_waited_for
from emorank.web.window.shelf import ForgottenError

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class GoneError(Exception):
    """The page that asked is closed, or has given up; nobody reads an answer."""


async def while_open(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is given up when the page does not wait for it any longer.

    The body of the request must have been read.

    Raises:
        GoneError: it does not.
        ProblemError: it took too long.
    """
    answer = await while_waited_for(request, work)
    if answer is None:
        raise GoneError
    return answer


class AnsweringRoute(APIRoute):
    """A route whose errors are answered as the page understands them: `{"error": "…"}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of a request, which raises nothing but errors of HTTP."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException:
                raise
            except Exception as error:
                return _refusal(request, error)

        return answer


def _refusal(request: Request, error: Exception) -> Response:
    headers: dict[str, str] = {}
    match error:
        case BusyError():
            status, sentence = 429, str(error)
            headers["Retry-After"] = str(error.seconds)
        case GoneError():
            return Response(status_code=499)
        case ProblemError():
            status, sentence = 503, error.detail
        case ForgottenError():
            status, sentence = 404, "This picture is no longer in memory; give it again."
        case ImageError():
            status, sentence = 422, error.reason
        case PlanError() | RelevanceError():
            status, sentence = 422, str(error)
        case RequestValidationError():
            status, sentence = 422, "The request is not as expected."
        case OSError():
            status, sentence = 507, f"It was read, but cannot be kept: {error.strerror or error}."
        case _:
            status, sentence = 500, "Something went wrong here; the log of the server says what."
    if status >= 500 and status != 503:
        place = getattr(request.scope.get("route"), "path", "an unknown place")
        _LOG.error("%s %s: %s", request.method, place, error, exc_info=error)
    return JSONResponse({"error": sentence}, status, headers)
