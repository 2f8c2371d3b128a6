"""Who may come in: programs with a key, browsers whose user has shown one."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from emorank.errors import AccessError
from emorank.room.secret import hashed
from emorank.web.failures import Failures, TooOftenError
from emorank.web.safety import Origins
from emorank.web.service.keys import Key, Keys
from emorank.web.service.problems import PAGES, ProblemError, problem
from emorank.web.templating import page

OPEN = ("/healthz", "/key", "/static/", PAGES)
"""What is answered without a key: exact paths, and beginnings that end with a slash."""
LIFE = 12 * 60 * 60.0
"""Seconds that a browser stays known."""
_SESSIONS = 1000
_WAIT = {"Retry-After": "60"}
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class _Session:
    """A browser that has shown a key; it ends with the key."""

    key: Key
    until: float


class Door:
    """Refuses those who bring no key.

    Args:
        keys: that open; None where the server answers this machine only and nobody needs one.
        secure: whether browsers reach the server by TLS.
        clock: seconds, for sessions.
    """

    def __init__(
        self, keys: Keys | None, secure: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.keys, self.secure, self._clock = keys, secure, clock
        self._failures = Failures(clock=clock)
        self._sessions: dict[str, _Session] = {}  # by the hash of the cookie, the oldest first

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not come in; None where it may."""
        try:
            self._check(scope)
        except ProblemError as error:
            if error.kind != "no-key" or not _is_page(scope):
                return problem(scope["path"], error)
            return _form(401, known=False)
        return None

    def open_with(self, secret: str, address: str) -> str:
        """A new session for who shows a key: what the cookie holds.

        Raises:
            ProblemError: the key is not known.
        """
        key = self._key(secret, address)
        session = secrets.token_urlsafe(32)
        now = self._clock()
        for name in [name for name, old in self._sessions.items() if old.until <= now]:
            del self._sessions[name]
        while len(self._sessions) >= _SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[hashed(session)] = _Session(key, now + LIFE)
        return session

    def leave(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(hashed(session), None)

    @property
    def cookie(self) -> str:
        """The name of the cookie; __Host- binds it to this host and to TLS."""
        return f"{'__Host-' if self.secure else ''}emorank_key"

    def _check(self, scope: Scope) -> None:
        path = scope["path"]
        if any(path.startswith(one) if one.endswith("/") else path == one for one in OPEN):
            return
        headers = Headers(scope=scope)
        if self.keys is None:
            found = next((name for name in _FORWARDED if name in headers), None)
            if found is not None:
                raise ProblemError(
                    "behind-a-proxy",
                    f"the header '{found}' says that a proxy passed this on, and this server "
                    "answers its own machine only; start it with --base-url",
                )
            return
        cookies = cookie_parser(headers.get("cookie", ""))
        if self.cookie in cookies and self.knows(cookies[self.cookie]):
            return
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _no_key("this server needs a key: send 'Authorization: Bearer KEY'")
        client = scope.get("client")
        self._key(secret.strip(), client[0] if client else "unknown")

    def knows(self, cookie: str) -> bool:
        """Whether a cookie is that of a session.

        Raises:
            ProblemError: the keys cannot be read.
        """
        session = self._sessions.get(hashed(cookie))
        if session is None or session.until <= self._clock():
            return False
        return session.key in self._all()

    def _key(self, secret: str, address: str) -> Key:
        keys = self._all()  # also tells that the file is damaged
        key = None if self.keys is None or not keys else self.keys.find(secret)
        if key is not None:
            return key
        try:
            self._failures.check(hashed(secret))
            self._failures.add(hashed(secret), address)
        except TooOftenError:
            raise ProblemError(
                "wrong-keys", "too many wrong keys came from there; wait a minute", _WAIT
            ) from None
        raise _no_key("this key is not known (any longer)")

    def _all(self) -> tuple[Key, ...]:
        try:
            return () if self.keys is None else self.keys.all()
        except AccessError:
            raise ProblemError("unavailable", "the keys of this server cannot be read") from None


def door_for(origins: Origins) -> Door:
    """The door of a server: without keys where it answers its own machine only.

    Raises:
        AccessError: others can reach it and there is no key, or the keys cannot be read.
    """
    if not origins.public:
        return Door(None, origins.secure)
    keys = Keys()
    if not keys.all():
        raise AccessError(
            f"{origins.base} can be reached by others, and whoever asks there needs a key; there "
            f"is none yet ({keys.path}). Make one with: emorank serve key new"
        )
    return Door(keys, origins.secure)


def _no_key(detail: str) -> ProblemError:
    return ProblemError("no-key", detail, {"WWW-Authenticate": 'Bearer realm="emorank"'})


def _is_page(scope: Scope) -> bool:
    """Whether a browser wants to show the answer."""
    wanted = Headers(scope=scope).get("accept", "")
    return scope["type"] == "http" and scope["method"] == "GET" and "text/html" in wanted


def _form(status: int, *, known: bool) -> Response:
    return page("service/key.html", status, title="emorank: key", known=known)


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


@router.get("/key")
async def ask(request: Request) -> Response:
    """The page that asks for a key."""
    door = _door(request)
    if door.keys is None:
        return RedirectResponse("/", 303)
    try:
        known = door.knows(request.cookies.get(door.cookie, ""))
    except ProblemError as error:
        return problem("/key", error)
    return _form(200, known=known)


@router.post("/key")
async def show_key(request: Request) -> Response:
    """Let a browser in whose user shows a key."""
    door = _door(request)
    fields = parse_qs((await request.body())[:1000].decode("utf-8", "replace"))
    secret = fields.get("key", [""])[0].strip()
    try:
        session = door.open_with(secret, request.client.host if request.client else "unknown")
    except ProblemError as error:
        return problem("/key", error)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        door.cookie, session, int(LIFE), path="/", secure=door.secure, httponly=True,
        samesite="strict",
    )  # fmt: skip
    return answer


@router.post("/key/leave")
async def leave(request: Request) -> Response:
    """Forget this browser."""
    door = _door(request)
    door.leave(request.cookies.get(door.cookie, ""))
    answer = RedirectResponse("/key", 303)
    answer.delete_cookie(door.cookie, path="/", secure=door.secure, httponly=True)
    return answer
