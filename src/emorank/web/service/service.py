"""The service as a whole: joins an application, and stands at its door."""

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from emorank.web.desk import Desk
from emorank.web.safety import Attendant, Origins
from emorank.web.service import api, door
from emorank.web.service.metrics import Metrics
from emorank.web.service.problems import BY_STATUS, ProblemError, problem

PROGRAMS = "/v1/"
"""What the paths begin with that programs ask for, without an origin."""


class Service(Attendant):
    """What programs may ask of a desk, who may ask, and what is counted.

    Raises:
        AccessError: others can reach the server and there is no key, or keys cannot be read.
    """

    def __init__(self, desk: Desk, origins: Origins) -> None:
        self.door = door.door_for(origins)
        self.metrics = Metrics(desk)

    def join(self, app: FastAPI) -> None:
        """Add the addresses of the service to an application."""
        app.state.door, app.state.metrics = self.door, self.metrics
        app.include_router(api.router)
        app.include_router(door.router)
        app.router.routes.append(Mount(PROGRAMS.rstrip("/"), app=_elsewhere))

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to who brings no key where one is needed."""
        return self.door.refusal(scope)

    def told(self, scope: Scope, status: int, sentence: str) -> Response:
        """A refusal of the guard: a problem where a program asks."""
        if not scope["path"].startswith(PROGRAMS):
            return super().told(scope, status, sentence)
        wait = {"Retry-After": "2"} if status == 503 else None
        return problem(scope["path"], ProblemError(BY_STATUS[status], sentence, wait))

    def note(self, scope: Scope, status: int | None, seconds: float) -> None:
        """Count an answer."""
        self.metrics.note(scope, status, seconds)


async def _elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer to paths and methods for programs that there are not."""
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
        return
    path = scope["path"]
    routes = [one for one in api.router.routes if isinstance(one, api.ProblemRoute)]
    methods = {method for one in routes if one.path == path for method in one.methods or ()}
    error = ProblemError("not-found", "there is nothing here; /openapi.json lists what there is")
    if methods:
        allowed = ", ".join(sorted(methods))
        came = f"expected {allowed}, got {scope['method']}"
        error = ProblemError("method", came, {"Allow": allowed})
    await problem(path, error)(scope, receive, send)
