"""Rows of the reader as files: JSON and CSV."""

from collections.abc import Sequence
from typing import Any

import msgspec

from emorank import delimited
from emorank.web.service.rows import plain


def as_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """A list of objects, one for each face; what is undefined is null."""
    return msgspec.json.format(msgspec.json.encode([plain(row) for row in rows]), indent=1)


def as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """A table with a line for each face; what is undefined is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = ([row.get(name) for name in names] for row in map(plain, rows))
    return "".join(delimited.lines([names, *cells])).encode()
