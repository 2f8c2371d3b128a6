r"""Delimited text, such as CSV: rows of cells, read one at a time with their line numbers; written.

No cell that emorank writes becomes a formula in a spreadsheet or steers a terminal. A text that
begins with = + - @ (or their full-width forms, or a blank) is written with an apostrophe before it,
which spreadsheets take for "this is text". So is one that holds control characters or bytes that
are no UTF-8; these are written as \x1b or \udcff. Numbers such as -0.5 stay numbers. Reading takes
back exactly that, so every cell is read as it was.
"""

import codecs
import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TextIO

from emorank.files import replacing

if TYPE_CHECKING:
    import pandas as pd

Rows = Iterator[tuple[int, list[str]]]
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel since 2007 and LibreOffice; before
_STARTS = re.compile(r"'*[\s=+\-@＝＋－＠]")
_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# Control characters, marks that turn the direction of writing, halves of surrogate pairs.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CODE = r"x[01][0-9a-f]|x7f|x[89][0-9a-f]|u061c|u200[ef]|u202[89a-e]|u206[6-9]|ud[89a-f][0-9a-f]{2}"
_TO_ESCAPE = re.compile(rf"(\\*)({_UNSAFE.pattern})|(\\+)(?={_CODE})")
_ESCAPED = re.compile(rf"(\\+)({_CODE})")


def rows(
    path: Path,
    refusal: Callable[[str], Exception],
    *,
    delimiters: str = ",;\t",
    damaged: str = "strict",
    strip: bool = False,
) -> Rows:
    """Yield each row that is not empty: the number of its last line, from 1, and its cells.

    Where a semicolon or tab separates cells, a comma inside a number is a decimal comma: 0,5 is
    read as 0.5.

    Args:
        path: a file in UTF-8, or in UTF-16 with a byte-order mark; the mark is not read.
        refusal: makes the exception to raise from its message.
        delimiters: what may separate cells; the most frequent one in the first line does, or the
            one that a first line "sep=;" of Excel names.
        damaged: "strict" refuses bytes that are not text, "replace" reads each as U+FFFD.
        strip: leave out the blanks at the ends of each cell that is not guarded.

    Raises:
        Exception: made by `refusal`: the file cannot be read, is not UTF-8, holds NUL bytes, or
            its quotation marks do not match.
    """
    try:
        _refuse_workbook(path, refusal)
        encoding = encoding_of(path)
        with path.open(encoding=encoding, errors=damaged, newline="") as file:
            delimiter, skipped = _delimiter(file, delimiters)
            lines = _text(file, path, refusal)
            for _ in range(skipped):
                next(lines)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    cells = [unguarded(cell, strip) for cell in row]
                    if delimiter in ";\t":
                        cells = [_point(cell) for cell in cells]
                    yield reader.line_num + skipped, cells
    except csv.Error as error:
        line = reader.line_num + skipped
        raise refusal(f"{path}: line {line} is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise refusal(
            f"{path}: line {_undecodable(path)} is not UTF-8; save the table as 'CSV UTF-8' and "
            "try again"
        ) from None
    except OSError as error:
        raise refusal(f"{path}: cannot be read ({error.strerror})") from error


def table(
    path: Path,
    refusal: Callable[[str], Exception],
    *,
    delimiters: str = ",;\t",
    damaged: str = "strict",
) -> tuple[list[str], Rows]:
    """The cells of the first row, none if the file is empty, and the other rows; as `rows`."""
    lines = rows(path, refusal, delimiters=delimiters, damaged=damaged)
    return next((cells for _, cells in lines), []), lines


def _refuse_workbook(path: Path, refusal: Callable[[str], Exception]) -> None:
    with path.open("rb") as file:
        if file.read(4) in _WORKBOOKS:
            raise refusal(
                f"{path}: is a workbook of a table program, or another archive; expected text. "
                "Save the table as 'CSV UTF-8'"
            )


def encoding_of(path: Path) -> str:
    """The encoding of a text by its byte-order mark; UTF-8 without one."""
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _delimiter(file: TextIO, delimiters: str) -> tuple[str, int]:
    """What separates cells, and how many lines come before the table; the file is at its start."""
    first = next((line for line in file if line.strip()), "")
    file.seek(0)
    hint = re.fullmatch(r"sep=(.)\s*", first)
    if hint and hint[1] in delimiters:
        return hint[1], 1
    # A separator in a quoted heading separates nothing.
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(delimiters, key=unquoted.count), 0


def _point(cell: str) -> str:
    """A number with a point for its decimal comma; any other text as it is."""
    return cell.replace(",", ".") if "," in cell and _COMMA.fullmatch(cell.strip()) else cell


def _text(lines: Iterator[str], path: Path, refusal: Callable[[str], Exception]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise refusal(f"{path}: holds NUL bytes, so it is no CSV; save it as 'CSV UTF-8'")
        yield line


def _undecodable(path: Path) -> int:
    """The number of the first line that is not UTF-8."""
    with path.open("rb") as lines:
        decoded = (line == line.decode("utf-8", "ignore").encode() for line in lines)
        return next((number for number, whole in enumerate(decoded, start=1) if not whole), 1)


def write(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows of cells as CSV in UTF-8, whole or not at all; the first one is the header."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines(rows))


def lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Rows of cells as lines of CSV, ended as RFC 4180 says; None is an empty cell."""
    writer = csv.writer(SimpleNamespace(write=str), lineterminator="\r\n")
    return (writer.writerow([_cell(value) for value in row]) for row in rows)


def rows_of(table: "pd.DataFrame") -> Iterator[Sequence[object]]:
    """The header of a table, a row for each level of it, and its rows; what is missing is None."""
    names: list[Any] = list(table.columns)
    yield from zip(*(n if isinstance(n, tuple) else (n,) for n in names), strict=True)
    values = table.astype("object")
    yield from values.where(table.notna(), None).itertuples(index=False, name=None)


def guarded(text: str) -> str:
    """A text as a cell of CSV that is neither a formula nor steers a terminal."""
    if _needs_guard(text) and not _NUMBER.fullmatch(text):
        return "'" + _TO_ESCAPE.sub(_escape, text)
    return text


def unguarded(cell: str, strip: bool = False) -> str:
    """The text of a cell; with `strip` without the blanks at its ends if it is not guarded."""
    if cell.startswith("'") and (_needs_guard(cell[1:]) or _ESCAPED.search(cell)):
        return _ESCAPED.sub(_unescape, cell[1:])
    return cell.strip() if strip else cell


def _needs_guard(text: str) -> bool:
    unsafe = _STARTS.match(text) or _UNSAFE.search(text) or text != text.strip()
    # Such a text would be read as a guarded one.
    return bool(unsafe or (text.startswith("'") and _ESCAPED.search(text)))


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return None
    return guarded(value) if isinstance(value, str) else value


def _escape(match: re.Match[str]) -> str:
    """An even number of backslashes before a code stands for half of them; an odd one, for more."""
    before, unsafe, alone = match.groups()
    if alone is not None:
        return alone * 2
    code = ord(unsafe)
    return before * 2 + (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _unescape(match: re.Match[str]) -> str:
    slashes, code = match.groups()
    half = slashes[: len(slashes) // 2]
    return half + (chr(int(code[1:], 16)) if len(slashes) % 2 else code)
