"""Rows of the reader as files: JSON and CSV."""

from collections.abc import Sequence
from typing import Any

import msgspec

from emorank import delimited


def as_json(rows: Sequence[dict[str, Any]]) -> bytes:
    """A list of objects, one for each face; what is undefined is null."""
    return msgspec.json.format(msgspec.json.encode(rows, enc_hook=_plain), indent=1)


def as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """A table with a line for each face; what is undefined is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = ([_cell(row.get(name)) for name in names] for row in rows)
    return "".join(delimited.lines([names, *cells])).encode()


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python."""
    return value.item()


def _cell(value: Any) -> Any:
    return None if value != value else value  # NaN is not itself
