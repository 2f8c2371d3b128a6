"""Tables and lines on the terminal.

Names of files, persons and raters come from outside. They are printed as they are: square brackets
are no markup, and a character that would steer the terminal is written as its escape (`\\x1b`).
Nothing is cut: a file or a pipe gets each row on one line, a terminal folds long words.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from emorank.printable import printable as escaped

MISSING = "–"
_LEAST, _APART = 10, 2  # characters of a column of words that has to fold, and between columns
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
    On a terminal cells of the columns in `one_line`, by default the first, fold after all others.
    """
    names = list(headings)
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [
        number > 0 and bool(cells) and all(_is_number(row[number]) for row in cells)
        for number in range(len(names))
    ]
    columns = zip([printable(name) for name in names], *cells, strict=True)
    widths = [max(cell.cell_len for cell in column) for column in columns]
    console = Console(highlight=False)
    if console.is_terminal:
        last = [name in (names[:1] if one_line is None else one_line) for name in names]
        widths = _fitting(widths, numeric, last, console.width - _APART * len(names))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, number, width in zip(names, numeric, widths, strict=True):
        justify: JustifyMethod = "right" if number else "left"
        table.add_column(printable(name), justify=justify, width=width, overflow="fold")
    for row in cells:
        table.add_row(*row)
    if title:
        print_line(title, "bold")
    # Where not even folded words fit, the terminal breaks the lines.
    console.width = max(console.width, sum(widths) + _APART * len(names))
    console.print(table, crop=False)


def _fitting(
    widths: list[int], numeric: Sequence[bool], last: Sequence[bool], room: int
) -> list[int]:
    """Widths of columns that together are no wider than `room`, as far as words can fold."""
    words = [place for place, number in enumerate(numeric) if not number]
    fitting = list(widths)
    for some in ([place for place in words if not last[place]], words):
        others = sum(fitting) - sum(fitting[place] for place in some)
        left = max(room - others, _LEAST * len(some))
        for rank, place in enumerate(sorted(some, key=widths.__getitem__)):
            fitting[place] = min(widths[place], left // (len(some) - rank))
            left -= fitting[place]
        if sum(fitting) <= room:
            break
    return fitting


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
