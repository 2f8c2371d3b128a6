"""Names of images and of people, each written in one way, so that equal names are equal texts."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote

import pandas as pd

# "C:" is a drive, and not the beginning of an address.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://[^/\\]*", re.IGNORECASE)
# Object stores write their keys as they are (s3://bucket/a%20b.jpg); these percent-encode paths.
_ENCODED = {"http", "https", "ftp", "file"}
_SIGNED = re.compile(r"(^|&)(x-amz-|x-goog-|x-oss-|signature=|sig=|expires=)", re.IGNORECASE)
_FILE = re.compile(r"\.(?!(?:php|aspx?|jsp|cgi)$)\w{2,5}$", re.IGNORECASE)
# Characters that nobody sees, which tables and chats leave at words.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_DIGITS = re.compile(r"([0-9]+)")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def image_name(text: str) -> str:
    r"""The name of an image: composed letters, `/` between folders, no `.` and no empty folder.

    So `img\Zoë.jpg`, `./img//Zoë.jpg`, `img/old/../Zoë.jpg` and the same with ë as e and a mark are
    one image. Of an address (`https://…`, `s3://…`) the host and the query are no part of the name,
    and the path is decoded: `https://faces.example.org/img/a%20b.jpg?X-Amz-Date=1` is
    `img/a b.jpg`. A query that alone says which image it is stays (`show.php?id=7`). In names of
    files, `%20`, `#`, `&` and `+` are letters like others.
    """
    name = unicodedata.normalize("NFC", text)
    while address := _ADDRESS.match(name):
        name = _path(address[1].lower(), name[address.end() :].lstrip("/\\"))
    parts = name.replace("\\", "/").split("/")
    absolute = "/" if not parts[0] and len(parts) > 1 else ""
    kept: list[str] = []
    for part in parts:
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    return absolute + "/".join(kept)


def person_name(text: str) -> str:
    """The name of a person: composed letters, one blank between words; 7.0, as pandas writes it, 7.

    Characters that nobody sees (zero-width blanks, soft hyphens) are left out.

    Capitals stay: `Ann` and `ann` may be two people.
    """
    return whole(" ".join(unicodedata.normalize("NFC", text).translate(_INVISIBLE).split()))


def whole(text: str) -> str:
    """A whole number without decimals, as table programs write it where a column has gaps."""
    number = _WHOLE.fullmatch(text)
    return number[1] if number else text


def natural_order(path: str) -> list[list[tuple[int, str]]]:
    """A key that puts paths in order folder by folder, numbers by value: 9.jpg is before 10.jpg."""
    return [
        [(int(part), "") if k % 2 else (-1, part) for k, part in enumerate(_DIGITS.split(name))]
        for name in path.split("/")
    ]


def decoded(address: str) -> str:
    """A percent-encoded text; as it came where the bytes are no UTF-8."""
    try:
        return unicodedata.normalize("NFC", unquote(address, errors="strict"))
    except UnicodeDecodeError:
        return address


def each(names: pd.Series, spell: Callable[[str], str]) -> pd.Series:
    """`spell` of each name of a column, once for each different one; <NA> stays."""
    spelled = {name: spell(name) for name in names.dropna().unique()}
    return names.map(spelled, na_action="ignore").astype("string")


def _path(scheme: str, rest: str) -> str:
    """The image's name in what follows the host of an address."""
    if scheme not in _ENCODED:
        return rest
    path, _, query = rest.partition("?")
    if "=" in query and (_FILE.search(path) or _SIGNED.search(query)):
        return decoded(path)
    return decoded(rest)
