"""The checks that every request has to pass, and the headers that every answer carries.

Plain ASGI around the whole application, so that a body is counted while it arrives, and the answer
to an unforeseen error carries the headers too.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emorank.errors import RatingError
from emorank.room.address import THIS_MACHINE, base_address

MAX_BODY = 64 * 1024  # bytes; a hundred answers are a quarter of it
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = {"GET", "HEAD"}
_TOO_LARGE = f"the request is larger than {MAX_BODY} bytes"
HEADERS = {
    # Everything comes from this server: no inline script, no inline style, no other host.
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


class Guard:
    """Refuses requests that no page should see, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self.app, self.origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why it is refused."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            return
        headers = Headers(scope=scope)
        head = scope["method"] == "HEAD"
        if head:  # the answer to GET, without the body; pages need not care
            scope = {**scope, "method": "GET"}

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, MutableHeaders(scope=message))
            elif head:
                message = {**message, "body": b""}
            await send(message)

        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await JSONResponse({"error": refusal[1]}, refusal[0])(scope, receive, send_safely)
            return
        if scope["method"] not in _SAFE:
            try:
                body = await _body(receive)
            except ClientDisconnect:  # half a request does nothing
                return
            if body is None:
                await JSONResponse({"error": _TOO_LARGE}, 413)(scope, receive, send_safely)
                return
            receive = _again(body, receive)
        await self.app(scope, receive, send_safely)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        # A name that somebody else's DNS points here must not be answered (DNS rebinding).
        if headers.get("host", "").lower() not in self.origins.hosts:
            return 421, "this server does not answer to that name"
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return 400, "the length of the request is no number"
        if int(length) > MAX_BODY:
            return 413, _TOO_LARGE
        if method in _SAFE:
            return None
        # Browsers send both with every POST, so a request without an origin is not from our pages.
        ours = headers.get("origin", "").lower() in self.origins.allowed
        if ours and headers.get("sec-fetch-site", "same-origin") == "same-origin":
            return None
        return 403, "the request comes from another site"

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        if self.origins.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None as soon as it is too large, whatever length it claimed to have."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand a body out once, then pass on what the connection receives."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again
