"""The checks that every request has to pass, and the headers that every answer carries.

Plain ASGI around the whole application, so that a body is counted while it arrives, and the answer
to an unforeseen error carries the headers too.
"""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emorank.errors import RatingError
from emorank.room.address import THIS_MACHINE, base_address

MAX_BODY = 64 * 1024  # bytes; a hundred answers are a quarter of it
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = {"GET", "HEAD"}
_DIGITS = 18  # of a length that is meant; Python reads no number of thousands of digits


@dataclass(frozen=True)
class Rules:
    """What an application admits beyond the reading of its pages.

    Attributes:
        max_body: bytes of a request.
        held: bytes of all requests whose bodies are in memory at the same time.
        programs: beginnings of paths where a request without an origin is admitted, because
            programs send none. One with a foreign origin is refused there too.
        sockets: paths of WebSockets.
        own_pictures: whether its pages show pictures that the browser itself holds or makes, and
            may ask for the camera.
    """

    max_body: int = MAX_BODY
    held: int = 256 * MAX_BODY
    programs: tuple[str, ...] = ()
    sockets: frozenset[str] = frozenset()
    own_pictures: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every answer."""
        own, camera = (" blob: data:", "self") if self.own_pictures else ("", "")
        media = f"media-src 'self'{own}; " if self.own_pictures else ""
        return {
            # Everything comes from this server: no inline script, no inline style, no other host.
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
            f"img-src 'self'{own}; {media}connect-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": f"camera=({camera}), microphone=(), geolocation=(), payment=()",
        }


@dataclass(frozen=True)
class Origins:
    """The addresses of this server.

    Attributes:
        base: of the links that it hands out, "https://rate.example.org".
        allowed: origins that a form may come from; all of them are this server.
    """

    base: str
    allowed: frozenset[str]

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.base.startswith("https://")

    @property
    def public(self) -> bool:
        """Whether it has another name than those that this machine has for itself."""
        return urlsplit(self.base).hostname not in THIS_MACHINE

    @property
    def hosts(self) -> frozenset[str]:
        """What may stand in a Host header."""
        return frozenset(origin.partition("://")[2] for origin in self.allowed)


def origins(base_url: str, host: str, port: int) -> Origins:
    """The origins of a server that listens at `host` and `port`, and that visitors call `base_url`.

    Raises:
        RatingError: the base URL is not valid, or names this machine only although others could
            reach the server: under names that it would refuse.
    """
    base = base_address(base_url)
    if host not in THIS_MACHINE and urlsplit(base).hostname in THIS_MACHINE:
        raise RatingError(
            f"--host {host} lets other machines in: say with --base-url what they call this "
            "server (https://rate.example.org), so that links lead here and other names are refused"
        )
    here = {base_address(f"http://{name}:{port}") for name in LOOPBACK}
    return Origins(base, frozenset({base, *here}))


class Attendant:
    """What an application has to say at the guard; this one says nothing of its own."""

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not come in, before its body is read; None if it may."""
        return None

    def told(self, scope: Scope, status: int, sentence: str) -> Response:
        """The answer that says why the guard refuses a request."""
        wait = {"Retry-After": "2"} if status == 503 else None
        return JSONResponse({"error": sentence}, status, wait)

    def note(self, scope: Scope, status: int | None, seconds: float) -> None:
        """Learn of an answer, None where the visitor left before, and how long it took."""


class Guard:
    """Refuses requests that no page should see, and puts the headers on every answer."""

    def __init__(
        self,
        app: ASGIApp,
        origins: Origins,
        rules: Rules | None = None,
        attendant: Attendant | None = None,
    ) -> None:
        self.app, self.origins, self.rules = app, origins, rules or Rules()
        self.attendant = attendant or Attendant()
        self._headers = self.rules.headers
        self._held = 0  # bytes of bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why it is refused."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            if self._admits_socket(scope["path"], headers) and not self.attendant.refusal(scope):
                await self.app(scope, receive, send)
            else:  # before it was accepted: the browser is told 403
                await send({"type": "websocket.close", "code": 1008})
            return
        head = scope["method"] == "HEAD"
        if head:  # the answer to GET, without the body; pages need not care
            scope = {**scope, "method": "GET"}
        begin, status = time.monotonic(), None

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add(scope, MutableHeaders(scope=message))
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._pass_on(scope, headers, receive, send_safely)
        except ClientDisconnect:  # half a request does nothing
            pass
        finally:
            self.attendant.note(scope, status, time.monotonic() - begin)

    async def _pass_on(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope["method"], scope["path"], headers)
        answer = self.attendant.told(scope, *refusal) if refusal else self.attendant.refusal(scope)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if scope["method"] in _SAFE:
            await self.app(scope, receive, send)
            return
        body = _Body(self)
        try:
            await body.read(receive)
            await self.app(scope, _again(body.taken(), receive), send)
        except _RefusedError as refused:
            await self.attendant.told(scope, *refused.args)(scope, receive, send)
        finally:
            self._held -= body.size

    def hold(self, more: int, already: int) -> None:
        """Admit so many more bytes of a body that has some, or raise why not."""
        if already + more > self.rules.max_body:
            raise _RefusedError(413, self._too_large)
        if self._held + more > self.rules.held:
            raise _RefusedError(503, "the server holds too many requests just now; try again")
        self._held += more

    @property
    def _too_large(self) -> str:
        return f"the request is larger than {self.rules.max_body} bytes"

    def _admits_socket(self, path: str, headers: Headers) -> bool:
        ours = headers.get("origin", "").lower() in self.origins.allowed
        return ours and path in self.rules.sockets and self._knows_host(headers)

    def _knows_host(self, headers: Headers) -> bool:
        # A name that somebody else's DNS points here must not be answered (DNS rebinding).
        return headers.get("host", "").lower() in self.origins.hosts

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        if not self._knows_host(headers):
            return 421, "this server does not answer to that name"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > _DIGITS:
            return 400, "the length of the request is no number"
        if int(length) > self.rules.max_body:
            return 413, self._too_large
        if method in _SAFE:
            return None
        # Browsers send both with every POST, so a request without an origin is not from our pages.
        origin = headers.get("origin")
        program = origin is None and path.startswith(self.rules.programs)
        ours = program or (origin or "").lower() in self.origins.allowed
        if ours and headers.get("sec-fetch-site", "same-origin") == "same-origin":
            return None
        return 403, "the request comes from another site"

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers[name] = value
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        if self.origins.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"


class _RefusedError(Exception):
    """A status and a sentence."""


class _Body:
    """The body of a request, counted while it arrives, whatever length it claimed to have."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.size = guard, 0
        self._data = bytearray()

    async def read(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part = message.get("body", b"")
            self.guard.hold(len(part), self.size)
            self.size += len(part)
            self._data += part
            if not message.get("more_body", False):
                return

    def taken(self) -> bytes:
        """All of it, which is then here no longer, so that it is in memory once."""
        data, self._data = bytes(self._data), bytearray()
        return data


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand a body out once, then pass on what the connection receives."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again
