"""The addresses for programs, and how errors are told there."""

import json
import logging
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from emorank import __version__
from emorank.errors import EmorankError, ImageError, WeightsError
from emorank.web.desk import BusyError, Desk, desk_of
from emorank.web.service import answers
from emorank.web.service.accepted import accepted
from emorank.web.service.metrics import GONE, Metrics
from emorank.web.service.networks import networks
from emorank.web.service.problems import (
    BY_STATUS,
    KINDS,
    PAGES,
    Problem,
    ProblemError,
    described,
    problem,
)
from emorank.web.service.reading import explained, read_faces, while_waited_for
from emorank.web.service.uploads import MOST, uploads

_LOG = logging.getLogger(__name__)
_PNG, _NPZ, _BYTES = "image/png", "application/x-npz", "application/octet-stream"
TheDesk = Annotated[Desk, Depends(desk_of)]


class ProblemRoute(APIRoute):
    """A route whose errors are told as problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, and what tells of its errors."""
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return problem(request.url.path, _problem_of(request, error))

        return handle_or_tell


def _problem_of(request: Request, error: Exception) -> ProblemError:
    match error:
        case ProblemError():
            return error
        case BusyError():
            return ProblemError("busy", str(error), {"Retry-After": str(error.seconds)})
        case RequestValidationError():
            return ProblemError("question", "; ".join(map(_words, error.errors())))
        case HTTPException():
            kind = BY_STATUS.get(error.status_code, "malformed")
            return ProblemError(kind, KINDS[kind].advice, error.headers)
        case ImageError():
            return ProblemError("picture", str(error))
        case EmorankError() if not isinstance(error, WeightsError):
            return ProblemError("question", _without_place(request, str(error)))
    # The pattern of the path: what strangers send is not repeated in the log.
    place = getattr(request.scope.get("route"), "path", "")
    _LOG.error("%s %s: %s", request.method, place, error, exc_info=error)
    return ProblemError("broken", KINDS["broken"].advice)


def _without_place(request: Request, sentence: str) -> str:
    """The sentence without the place of the study on this machine, which is nobody's business."""
    study = cast(Desk, request.app.state.desk).study
    return sentence if study is None else sentence.replace(str(study.folder), study.folder.name)


def _words(error: Any) -> str:
    """What is wrong with a word of the question: "face: input should be a valid integer"."""
    where = [str(one) for one in error["loc"] if one != "query"]
    said = str(error["msg"])
    return f"{'.'.join(where)}: {said[:1].lower()}{said[1:]}"


router = APIRouter(route_class=ProblemRoute)
_ANY = {"schema": {"type": "string", "format": "binary"}}
_IMAGES = dict.fromkeys(("image/jpeg", "image/png", "image/webp", _BYTES), _ANY)
_MULTIPART = {
    "schema": {
        "type": "object",
        "required": ["picture"],
        "properties": {
            "picture": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "minItems": 1,
                "maxItems": MOST,
            }
        },
    },
    "encoding": {"picture": {"contentType": "image/*, application/octet-stream"}},
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The content of a picture's file; or several files as multipart/form-data, "
        "whatever the fields are called.",
        "content": {**_IMAGES, "multipart/form-data": _MULTIPART},
    }
}
_POSTED = (
    *("malformed", "no-key", "another-site", "too-large", "media-type", "another-name"),
    *("picture", "question", "busy", "wrong-keys", "broken", "unavailable"),
)
_ASKED = ("no-key", "another-name", "wrong-keys", "broken")


@router.post(
    "/v1/faces",
    tags=["faces"],
    summary="Name and rank the expression of every face",
    openapi_extra=_BODY,
    responses={
        200: {
            "model": answers.Faces,
            "description": "The faces of each picture, or why it has none.",
            "content": {"application/json": {"example": answers.FACES_EXAMPLE}},
        },
        **described(*_POSTED),
    },
)
async def faces(
    request: Request, desk: TheDesk, query: Annotated[answers.FacesQuery, Query()]
) -> Response:
    """Find every face in one picture or in several, name what it expresses, and rank how strongly.

    Pictures stay in memory while they are read, and are not kept.
    """
    found = await uploads(request)
    answer = await while_waited_for(request, read_faces(desk, query, found))
    return _json(answer)


@router.post(
    "/v1/explanations",
    tags=["faces"],
    summary="Show which pixels speak for the expression of a face",
    openapi_extra=_BODY,
    responses={
        200: {
            "description": "By the header Accept: a figure (image/png, the default), or arrays "
            "(application/x-npz or application/octet-stream), which NumPy reads without pickle: "
            "relevance float32 (3, side, side), pixels uint8 (side, side, 3), classes, "
            "probabilities, explained, against, preset, warning, and row, JSON.",
            "content": {_PNG: _ANY, _NPZ: _ANY, _BYTES: _ANY},
        },
        **described(*_POSTED, "not-acceptable"),
    },
)
async def explanations(
    request: Request, desk: TheDesk, query: Annotated[answers.ExplanationQuery, Query()]
) -> Response:
    """Explain one face of one picture: why this emotion, and not neutral or another one."""
    kind = accepted(request.headers.get("accept", ""), (_PNG, _NPZ, _BYTES))
    if kind is None:
        raise ProblemError("not-acceptable", KINDS["not-acceptable"].advice)
    found = await uploads(request)
    if len(found) != 1:
        raise ProblemError(
            "question", f"expected one picture, got {len(found)}; send a request for each"
        )
    answer = await while_waited_for(request, explained(desk, query, found[0], kind == _PNG))
    return Response(answer, 200 if answer else GONE, media_type=kind)


@router.get(
    "/v1/networks",
    tags=["server"],
    summary="What network there is, and what may be asked of it",
    responses={200: {"model": answers.Networks}, **described(*_ASKED)},
)
async def list_networks(desk: TheDesk) -> Response:
    """The network, its emotions, ranks and presets, and what it is not for."""
    return _json((await desk.work(networks, desk)).model_dump())


@router.get(
    "/healthz",
    tags=["server"],
    summary="Whether the server runs",
    responses={200: {"model": answers.Health}, **described("another-name")},
)
async def health() -> Response:
    """For a supervisor; it needs no key and tells nothing else."""
    return _json({"status": "ok"})


@router.get(
    "/metrics",
    tags=["server"],
    summary="What the server counts, for Prometheus",
    responses={
        200: {
            "description": "Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **described(*_ASKED),
    },
)
async def metrics(request: Request) -> Response:
    """Requests by route and status, seconds, the queue, deaths of decoders, memory."""
    return cast(Metrics, request.app.state.metrics).answer()


@router.get("/openapi.json", include_in_schema=False)
async def description() -> Response:
    """The description of the interface (OpenAPI)."""
    return _json(openapi())


@router.get(PAGES + "{name}", include_in_schema=False)
async def about_problem(name: str) -> Response:
    """What a kind of problem is, and what to do."""
    if name not in KINDS:
        raise ProblemError("not-found", f"the problems are: {', '.join(KINDS)}")
    kind = KINDS[name]
    return PlainTextResponse(f"{kind.title} (status {kind.status})\n\n{kind.advice}\n")


def openapi() -> dict[str, Any]:
    """The description of the interface; the same for every server."""
    if not _OPENAPI:
        found = get_openapi(
            title="emorank",
            version=__version__,
            summary="Reads a face, names the expressed emotion, shows why, and ranks how strongly.",
            description=answers.NOT_FOR,
            routes=router.routes,
        )
        components = found.setdefault("components", {})
        components["schemas"]["Problem"] = Problem.model_json_schema()
        components["securitySchemes"] = {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key of `emorank serve key new`, where others can reach the "
                "server; one that answers its own machine only needs none.",
            }
        }
        _OPENAPI.update(found | {"security": [{}, {"key": []}]})
    return _OPENAPI


_OPENAPI: dict[str, Any] = {}


def _json(answer: Any) -> Response:
    """An answer, or what is noted where nobody waits for one."""
    if answer is None:
        return Response(status_code=GONE)
    # The names of files may hold what is no UTF-8, which is written as escapes.
    return Response(json.dumps(answer, allow_nan=False).encode(), media_type="application/json")
