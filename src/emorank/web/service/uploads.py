"""The pictures in the body of a request. They stay in memory; names are names and no paths."""

import logging
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from emorank.printable import printable
from emorank.web.service.problems import ProblemError

# What is wrong with a body is told to who sent it, and is no line of the log.
logging.getLogger("python_multipart").setLevel(logging.ERROR)
MOST = 16
"""Pictures of a request."""
_NAME, _BOUNDARY = 200, 200  # characters
_ONE = "picture"  # what a picture is called that has no name
_TYPES = (
    "expected the content of a picture with the header 'Content-Type: image/jpeg' (or another "
    "image type, or application/octet-stream), or several as multipart/form-data"
)


@dataclass(frozen=True)
class Upload:
    """A picture's file: what it is called, and its content."""

    name: str
    data: bytes


async def uploads(request: Request) -> list[Upload]:
    """The pictures of a request, in their order.

    Raises:
        ProblemError: there is none, or too many, or the body is of another type or malformed.
    """
    header = request.headers.get("content-type", "")
    kind, options = parse_options_header(header)
    if kind == b"multipart/form-data":
        found = _parts(await request.body(), options.get(b"boundary", b""))
    elif kind == b"application/octet-stream" or kind.startswith(b"image/"):
        found = [Upload(_ONE, await request.body())]
    else:
        came = f"got '{printable(header[:_NAME])}'" if header else "got no Content-Type"
        raise ProblemError("media-type", f"{_TYPES}; {came}")
    if not found or not any(one.data for one in found):
        raise ProblemError("picture", f"{_TYPES}; the body holds no picture")
    return found


@dataclass
class _Part:
    """A part as far as it has been read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)

    def keep_header(self) -> None:
        self.headers[bytes(self.name).lower()] = bytes(self.value)
        self.name, self.value = bytearray(), bytearray()

    def upload(self, number: int) -> Upload:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        path = options.get(b"filename", b"").decode("utf-8", "replace").replace("\\", "/")
        name = printable(path.rpartition("/")[2].strip())[:_NAME]
        return Upload(name or f"{_ONE} {number}", bytes(self.data))


def _parts(body: bytes, boundary: bytes) -> list[Upload]:
    if not 0 < len(boundary) <= _BOUNDARY:
        raise ProblemError("malformed", "expected a boundary in the header Content-Type")
    parts: list[_Part] = []
    ended: list[bool] = []

    def begin() -> None:
        if len(parts) == MOST:
            raise ProblemError(
                "too-large", f"expected at most {MOST} pictures in a request; send several requests"
            )
        parts.append(_Part())

    callbacks: Any = {
        "on_part_begin": begin,
        "on_header_field": lambda data, start, end: parts[-1].name.extend(data[start:end]),
        "on_header_value": lambda data, start, end: parts[-1].value.extend(data[start:end]),
        "on_header_end": lambda: parts[-1].keep_header(),
        "on_part_data": lambda data, start, end: parts[-1].data.extend(data[start:end]),
        "on_end": lambda: ended.append(True),
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ProblemError("malformed", f"the multipart body is malformed: {error}") from error
    if not ended:
        raise ProblemError("malformed", "the multipart body ends before its last boundary")
    return [part.upload(number) for number, part in enumerate(parts, start=1)]
