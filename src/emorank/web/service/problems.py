"""Errors as programs read them: `application/problem+json` (RFC 9457)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
PAGES = "/problems/"
"""What the addresses of the pages about problems begin with."""


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, what it is called, and what to do."""

    status: int
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "malformed": Kind(
        400, "The request is malformed", "Repair its headers, or its multipart body."
    ),
    "no-key": Kind(
        401,
        "No key, or one that is not known",
        "Send the header 'Authorization: Bearer KEY'. Whoever runs the server makes a key with: "
        "emorank serve key new",
    ),
    "another-site": Kind(
        403,
        "The request comes from another site",
        "Pages of other sites may not ask this server. Programs send no Origin header.",
    ),
    "behind-a-proxy": Kind(
        403,
        "A proxy passed the request on to a server without keys",
        "Start the server with --base-url and the address that visitors use, and make a key.",
    ),
    "not-found": Kind(404, "There is nothing here", "/openapi.json lists what there is."),
    "method": Kind(
        405, "This method is not allowed here", "The header Allow names those that are."
    ),
    "not-acceptable": Kind(
        406,
        "There is no answer of that kind",
        "Send 'Accept: image/png', or 'Accept: application/x-npz'.",
    ),
    "too-large": Kind(
        413,
        "The request is too large",
        "Send fewer or smaller pictures; docs/service.md lists the limits.",
    ),
    "media-type": Kind(
        415,
        "The body is of a type that is not read",
        "Send the content of one picture with an image type or application/octet-stream, or "
        "several as multipart/form-data.",
    ),
    "another-name": Kind(
        421,
        "The server does not answer to that name",
        "Use the address that the server printed, or start it with --base-url.",
    ),
    "picture": Kind(
        422, "No picture of the request can be read", "The detail says why, for each picture."
    ),
    "question": Kind(422, "The question cannot be answered", "The detail says what can be asked."),
    "wrong-keys": Kind(429, "Too many wrong keys came", "Wait for the seconds in Retry-After."),
    "busy": Kind(429, "Too many wait already", "Try again after the seconds in Retry-After."),
    "broken": Kind(500, "Something went wrong in the server", "The log of the server says what."),
    "unavailable": Kind(503, "The server cannot answer just now", "Try again in a moment."),
}
BY_STATUS = {kind.status: name for name, kind in reversed(KINDS.items())}
"""The first kind of each status."""


_SCHEMA = {"$ref": "#/components/schemas/Problem"}


class ProblemError(Exception):
    """A problem that is answered: its kind, what exactly it is, headers, further members."""

    def __init__(
        self, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, headers, more


class Problem(BaseModel):
    """What went wrong, as RFC 9457 writes it."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(description="The address of a page about this kind of problem.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What exactly is wrong, and what to do.")
    instance: str = Field(description="The path that was asked.")


def problem(path: str, error: ProblemError) -> Response:
    """The answer that tells of a problem with a request of `path`."""
    kind = KINDS[error.kind]
    content = {
        "type": PAGES + error.kind,
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "instance": path,
    } | error.more
    # Of the path a client may have sent bytes that are no UTF-8: they are written as escapes.
    text = json.dumps(content).encode()
    return Response(text, kind.status, dict(error.headers or {}), MEDIA_TYPE)


def described(*names: str) -> dict[int | str, dict[str, Any]]:
    """For the description of the interface: what may go wrong, with an example of each."""
    answers: dict[int | str, dict[str, Any]] = {}
    for name in names:
        kind = KINDS[name]
        answer = answers.setdefault(
            kind.status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}}},
        )
        answer["description"] = "; ".join(filter(None, (answer["description"], kind.title)))
        answer["content"][MEDIA_TYPE]["examples"][name] = {"value": _example(name)}
        if kind.status == 429:
            answer["headers"] = {
                "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}
            }
    return answers


def _example(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "type": PAGES + name,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.advice,
        "instance": "/v1/faces",
    }
