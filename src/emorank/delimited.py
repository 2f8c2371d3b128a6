"""Delimited text, such as CSV: rows of cells, read one at a time, with their line numbers."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

Rows = Iterator[tuple[int, list[str]]]


def rows(
    path: Path,
    refusal: Callable[[str], Exception],
    *,
    delimiters: str = ",",
    damaged: str = "strict",
) -> Rows:
    """Yield each row that is not empty: the number of its last line, from 1, and its cells.

    Args:
        path: a file in UTF-8; a byte-order mark at its start is not read.
        refusal: makes the exception to raise from its message.
        delimiters: what may separate cells; the most frequent one in the first line does.
        damaged: "strict" refuses bytes that are not UTF-8, "replace" reads each as U+FFFD.

    Raises:
        Exception: made by `refusal`: the file cannot be read, is not UTF-8, holds NUL bytes, or
            its quotation marks do not match.
    """
    try:
        with path.open(encoding="utf-8-sig", errors=damaged, newline="") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(delimiters, key=first.count)
            reader = csv.reader(_text(file, path, refusal), delimiter=delimiter, strict=True)
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    yield reader.line_num, row
    except csv.Error as error:
        raise refusal(f"{path}: line {reader.line_num} is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise refusal(
            f"{path}: line {_undecodable(path)} is not UTF-8; save the table as 'CSV UTF-8' and "
            "try again"
        ) from None
    except OSError as error:
        raise refusal(f"{path}: cannot be read ({error.strerror})") from error


def table(
    path: Path, refusal: Callable[[str], Exception], *, damaged: str = "strict"
) -> tuple[list[str], Rows]:
    """The cells of the first row, none if the file is empty, and the other rows; as `rows`."""
    lines = rows(path, refusal, damaged=damaged)
    return next((cells for _, cells in lines), []), lines


def _text(lines: Iterator[str], path: Path, refusal: Callable[[str], Exception]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise refusal(f"{path}: holds NUL bytes, so it is no CSV; save it as 'CSV UTF-8'")
        yield line


def _undecodable(path: Path) -> int:
    """The number of the first line that is not UTF-8."""
    with path.open("rb") as lines:
        decoded = (line == line.decode("utf-8", "ignore").encode() for line in lines)
        return next(number for number, whole in enumerate(decoded, start=1) if not whole)
