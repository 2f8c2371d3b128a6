"""What every request has to pass, and what every answer carries, before any page has a say.

Plain ASGI around the whole application, so that a body is counted while it comes, and the answer to
an unforeseen error carries the headers too.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emorank.room.address import base_address

MAX_BODY = 64 * 1024  # bytes; a hundred answers are a quarter of it
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = {"GET", "HEAD"}
_TOO_LARGE = f"the request is larger than {MAX_BODY} bytes"
HEADERS = {
    # Nothing but what this server itself serves: no inline script, no inline style, no other host.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


@dataclass(frozen=True)
class Origins:
    """Where this server is reached.

    Attributes:
        base: of the links that it hands out, "https://rate.example.org".
        allowed: origins that a form may come from, all of them this server.
    """

    base: str
    allowed: frozenset[str]

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.base.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """What may stand in a Host header."""
        return frozenset(origin.partition("://")[2] for origin in self.allowed)


def origins(base_url: str, host: str, port: int) -> Origins:
    """The origins of a server that listens at `host` and `port` and is known as `base_url`.

    Raises:
        RatingError: the base URL is none.
    """
    base = base_address(base_url)
    here = {base_address(f"http://{name}:{port}") for name in LOOPBACK}
    return Origins(base, frozenset({base, *here}))


class Guard:
    """Refuses what no page should see, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, known: Origins) -> None:
        self.app, self.known = app, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            return
        headers = Headers(scope=scope)
        bodiless = scope["method"] == "HEAD"
        if bodiless:  # what GET answers, without the body; no page has to know of it
            scope = {**scope, "method": "GET"}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, MutableHeaders(scope=message))
            elif bodiless:
                message = {**message, "body": b""}
            await send(message)

        refused = self._refusal(scope["method"], headers)
        if refused is not None:
            await JSONResponse({"error": refused[1]}, refused[0])(scope, receive, guarded)
            return
        if scope["method"] not in _SAFE:
            body = await _body(receive)
            if body is None:
                await JSONResponse({"error": _TOO_LARGE}, 413)(scope, receive, guarded)
                return
            receive = _replayed(body, receive)
        await self.app(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        # A name that somebody else's DNS points here must not be answered (DNS rebinding).
        if headers.get("host", "").lower() not in self.known.hosts:
            return 421, "this server is not known by that name"
        if not headers.get("content-length", "0").isdecimal():
            return 400, "the length of the request is no number"
        if int(headers.get("content-length", "0")) > MAX_BODY:
            return 413, _TOO_LARGE
        if method in _SAFE:
            return None
        # Browsers send both with every POST; what has neither is no page of ours.
        if headers.get("origin", "").lower() not in self.known.allowed:
            return 403, "the request comes from another site"
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, "the request comes from another site"
        return None

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        if self.known.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large, whatever length it claimed to have."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Hand a body out once; what comes after it is the connection's own."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replaying() -> Message:
        return left.pop() if left else await receive()

    return replaying
