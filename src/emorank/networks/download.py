"""Fetches a published file: from several places in turn, checked, going on where it broke off."""

import hashlib
import json
import logging
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from emorank.environment import check_online
from emorank.errors import WeightsError
from emorank.files import naming
from emorank.networks.pip_settings import package_indexes, pip_setting
from emorank.progress import Progress, silent

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""
TRIES = 10
"""How often one place is asked, as long as each time brings something."""
CHUNK = 1 << 18
LARGEST_PAGE = 8_000_000
_LOG = logging.getLogger(__name__)
_PAGES = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


@dataclass(frozen=True)
class PublishedFile:
    """A file that everybody can fetch.

    Attributes:
        name: of the file.
        size: bytes.
        sha256: all of its digits, or the first ones where no more are published.
        origin: what it is and how it is fetched, for people.
        project: whose page in a package index has a link to it; or
        address: where it is.
    """

    name: str
    size: int
    sha256: str
    origin: str
    project: str = ""
    address: str = ""

    def places(self) -> list[str]:
        """The pages of this machine's package indexes, each ending with `/`, or the address."""
        if not self.project:
            return [self.address]
        return [f"{index}/{self.project}/" for index in package_indexes()]


class _CannotBeHad(Exception):
    """One place does not give the file; the message says why."""


def fetch(files: Sequence[PublishedFile], folder: Path, progress: Progress = silent) -> Path:
    """Fetch the first of `files` that can be had into `folder`.

    What came of a file stays there as `NAME.part` if the connection breaks, and the next call goes
    on from there. The file has its name only when it is whole and has the right sum.

    Args:
        files: equally good files, the one to try first at the beginning.
        folder: made if it is missing.
        progress: told the megabytes done and in all.

    Raises:
        WeightsError: none can be had; the message lists what was tried and why it failed.
        OfflineError: emorank is told to open no connection, and none lies in the folder.
        OSError: the folder cannot be written.
    """
    for file in files:
        if _sum(folder / file.name).startswith(file.sha256):
            _LOG.info("%s lies in %s already", file.name, folder)
            return folder / file.name  # brought there, or fetched by a process that was stopped
    check_online(
        f"fetching {' or '.join(map(_described, files))}",
        f"fetch one of them on another machine and put it, under its name, into {folder}",
    )
    folder.mkdir(parents=True, exist_ok=True)
    tried = []
    for file in files:
        for place in file.places():
            try:
                return _from_place(file, place, folder, progress)
            except _CannotBeHad as error:
                _LOG.info("%s cannot be had from %s: %s", file.name, _shown(place), error)
                tried.append(f"  {_shown(place)}: {error}")
    raise WeightsError("\n".join(["tried:", *tried]))


def _from_place(file: PublishedFile, place: str, folder: Path, progress: Progress) -> Path:
    address = _linked(file.name, place) if place.endswith("/") else place
    part, whole = folder / f"{file.name}.part", folder / file.name
    for number in range(TRIES):
        before = _size(part)
        _LOG.info(
            "fetches %s from %s, try %d, %s of %s bytes are here",
            *(file.name, _shown(address), number + 1, f"{before:,}", f"{file.size:,}"),
        )
        reason = _go_on(file, address, part, progress) if before != file.size else ""
        came = _size(part)
        if came == file.size:
            digest = _sum(part)
            if digest.startswith(file.sha256):
                part.replace(whole)
                return whole
            part.unlink()
            _LOG.info("%s came whole and is another file; it was deleted", file.name)
            reason = f"SHA-256 {digest[:12]}…, expected {file.sha256[:12]}…"
            if before == 0:  # else it may be the earlier part that is wrong: once more, all of it
                break
        elif came == before:
            break
    raise _CannotBeHad(reason)


def _go_on(file: PublishedFile, address: str, part: Path, progress: Progress) -> str:
    """Append to the part what is missing; why it is not whole, if the connection broke."""
    have = _size(part) if _size(part) < file.size else 0
    with _opened(address, {"Range": f"bytes={have}-"} if have else {}) as answer:
        if answer.status != 206:  # the server sends all of it
            have = 0
        elif not str(answer.headers["Content-Range"]).startswith(f"bytes {have}-"):
            raise _CannotBeHad("it answers with another part than the one asked for")
        offered = answer.headers["Content-Length"]
        if offered is not None and offered != str(file.size - have):
            raise _CannotBeHad(f"{offered} bytes, expected {file.size - have:,}")
        with naming(part), part.open("ab") as out:
            out.truncate(have)
            while have < file.size:
                try:
                    chunk = answer.read1(min(CHUNK, file.size - have))
                except (OSError, HTTPException) as error:
                    return f"broke off at {have:,} of {file.size:,} bytes ({_reason(error)})"
                if not chunk:
                    return f"broke off at {have:,} of {file.size:,} bytes"
                out.write(chunk)
                have += len(chunk)
                progress(have // 10**6, file.size // 10**6, f"MB, {urlsplit(address).hostname}")
    return ""


def _size(part: Path) -> int:
    """Bytes of a file; 0 if it is not there."""
    return part.stat().st_size if part.exists() else 0


def _sum(file: Path) -> str:
    """SHA-256 of a file; no digit if it is not there."""
    if not file.is_file():
        return ""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _linked(name: str, page: str) -> str:
    """The address of a file of that name on the page of a package index, in JSON or HTML."""
    with _opened(page, {"Accept": _PAGES}) as answer:
        try:
            content = answer.read(LARGEST_PAGE + 1)
        except (OSError, HTTPException) as error:
            raise _CannotBeHad(_reason(error)) from error
        kind, base = answer.headers.get_content_type(), answer.url
    if len(content) > LARGEST_PAGE:
        raise _CannotBeHad(f"a page of more than {LARGEST_PAGE:,} bytes")
    try:
        if kind.endswith("json"):
            links = [str(file["url"]) for file in json.loads(content)["files"]]
        else:
            reader = _Links()
            reader.feed(content.decode("utf-8"))
            links = reader.links
    except (ValueError, KeyError, TypeError) as error:
        raise _CannotBeHad(f"not the page of a package index ({kind})") from error
    for link in links:
        address = urljoin(base, link)
        if unquote(urlsplit(address).path).endswith(f"/{name}"):
            return _with_login(address, page)
    raise _CannotBeHad(f"{name} is not among its {len(links)} files")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for key, value in attrs if (tag, key) == ("a", "href") and value]


@contextmanager
def _opened(address: str, headers: dict[str, str]) -> Iterator[HTTPResponse]:
    """The answer of a server; a login in the address is sent to this server alone.

    Raises:
        _CannotBeHad: no connection, or an answer that is no success.
    """
    try:
        # S310: the opener below knows http and https only
        ask = request.Request(_shown(address), headers=headers)  # noqa: S310
        ask.add_header("User-Agent", "emorank")
        ask.add_header("Accept-Encoding", "identity")
        parts = urlsplit(address)
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            basic = b64encode(login.encode()).decode()
            ask.add_unredirected_header("Authorization", f"Basic {basic}")
        answer = _opener().open(ask, timeout=TIMEOUT)
    except (OSError, HTTPException, ValueError) as error:
        raise _CannotBeHad(_reason(error)) from error
    with answer:
        yield cast(HTTPResponse, answer)


def _opener() -> request.OpenerDirector:
    """Opens http and https, and follows redirections to no other scheme; as pip's settings say."""
    proxy, cert = pip_setting("proxy"), pip_setting("cert")
    try:
        trusted = ssl.create_default_context(cafile=cert or None)
    except OSError as error:
        raise _CannotBeHad(f"pip's setting cert, {cert}: {error.strerror}") from error
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None),
        request.HTTPHandler(),
        request.HTTPSHandler(context=trusted),
        request.HTTPDefaultErrorHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(error: Exception) -> str:
    """What went wrong, in a few words and without the address."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, URLError):
        return str(error.reason)
    if isinstance(error, TimeoutError):
        return f"nothing came for {TIMEOUT:.0f} s"
    return str(error) or type(error).__name__


def _described(file: PublishedFile) -> str:
    """Its name, its size and where it is to be had."""
    places = " or ".join(map(_shown, file.places()))
    return f"{file.name} ({file.size:,} bytes, at {places})"


def _shown(address: str) -> str:
    """An address without name and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _with_login(address: str, page: str) -> str:
    """The address, with the login of the page if both are of one server."""
    of_page, parts = urlsplit(page), urlsplit(address)
    if parts.netloc == of_page.netloc.rpartition("@")[2]:
        parts = parts._replace(netloc=of_page.netloc)
    return urlunsplit(parts)
