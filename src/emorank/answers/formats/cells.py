"""Cells of a CSV that a spreadsheet may open: none of them becomes a formula there.

A cell that begins with = + - @ (or their full-width forms, or a blank, tab or line break) is
written with an apostrophe before it, which spreadsheets take for "this is text". Reading removes
the apostrophe from exactly those cells, so every cell is read as it was.
"""

import re

_STARTS = re.compile(r"'*[\s=+\-@＝＋－＠]")


def guarded(cell: str) -> str:
    """A cell as it is written."""
    return f"'{cell}" if _needs_guard(cell) else cell


def unguarded(cell: str) -> str:
    """A cell without its guard; a cell without one loses the blanks at its ends."""
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell.strip()


def _needs_guard(cell: str) -> bool:
    return _STARTS.match(cell) is not None or cell != cell.strip()
