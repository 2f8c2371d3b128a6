"""Tables and lines on the terminal.

Names of files, persons and raters come from outside. They are printed as they are: square brackets
are no markup, and a character that would steer the terminal is written as its escape (`\\x1b`).
"""

import re
from collections.abc import Collection, Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emorank.printable import printable as escaped

MISSING = "–"
_NUMBER = re.compile(r"[+\-−]?\d.*|–.*|")


def print_table(
    headings: Iterable[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    one_line: Collection[str] | None = None,
) -> None:
    """Print a table; columns of numbers are aligned to the right, but never the first column.

    A cell is anything with a text; None is printed as a dash, and a rich `Text` keeps its style.
    Cells of the columns in `one_line` do not wrap; these are the first column by default.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for number, heading in enumerate(headings):
        numeric = number > 0 and bool(cells) and all(_is_number(row[number]) for row in cells)
        table.add_column(
            printable(heading),
            justify="right" if numeric else "left",
            no_wrap=heading in one_line if one_line is not None else number == 0,
        )
    for row in cells:
        table.add_row(*row)
    if title:
        print_line(title, "bold")
    Console(highlight=False).print(table)


def print_line(words: str | Text, style: str = "") -> None:
    """Print a line that only the terminal itself wraps."""
    text = words if isinstance(words, Text) else printable(words)
    Console(highlight=False).print(text, style=style, soft_wrap=True)


def printable(words: str) -> Text:
    """Text without markup and without characters that steer the terminal."""
    return Text(escaped(words))


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    return printable(MISSING if value is None else str(value))


def _is_number(cell: Text) -> bool:
    return _NUMBER.fullmatch(cell.plain) is not None
