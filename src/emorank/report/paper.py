"""The paper's tables and figures as a folder: CSV, LaTeX, PNG, PDF, and a page with them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from emorank.files import replacing
from emorank.progress import Progress, silent
from emorank.report import latex, style
from emorank.report.page import environment

DOTS = 220  # per inch of the PNGs
_ENDINGS = {"table": ("csv", "tex"), "figure": ("png", "pdf")}


@dataclass(frozen=True)
class Item:
    """One numbered table or figure.

    Attributes:
        name: of its files, "table_3-4" or "figure_8".
        number: in the paper, "Tables 3 and 4".
        title: its caption.
        content: a table, or a figure; None where something is missing.
        note: below it.
        shown: the table as LaTeX and page show it, where that is not how the CSV has it.
        photographs: the figure is full of them: on the page it is a JPEG.
        missing: why there is no content, and what to do.
    """

    name: str
    number: str
    title: str
    content: pd.DataFrame | Figure | None
    note: str = ""
    shown: pd.DataFrame | None = None
    photographs: bool = False
    missing: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Its files' names."""
        return tuple(f"{self.name}.{ending}" for ending in _ENDINGS[self.name.partition("_")[0]])

    @property
    def table(self) -> pd.DataFrame | None:
        """The table as LaTeX shows it."""
        content = self.content if isinstance(self.content, pd.DataFrame) else None
        return self.shown if self.shown is not None else content


def write(
    items: Sequence[Item],
    folder: Path,
    title: str,
    *,
    banner: str = "",
    progress: Progress = silent,
) -> Path:
    """Write every table and figure, `tables.tex` and `index.html`; returns the page's path.

    Files of an earlier time whose item is missing now are removed, so that the folder never mixes
    two studies; others in the folder are left alone.

    Args:
        items: in the order of the paper.
        folder: made where it is not there.
        title: of the study.
        banner: what must be said above everything, such as that faces are simulated.
        progress: told after each item.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(items):
        progress(number, len(items), item.number)
        if item.content is None:
            for name in item.files:
                (folder / name).unlink(missing_ok=True)
        for name, data in _made(item).items():
            _put(folder / name, data)
    tables = [item.files[1] for item in items if item.table is not None]
    _put(folder / "tables.tex", latex.document(tables, title).encode())
    page = environment().get_template("paper.html.j2")
    made = page.render(title=title, items=items, banner=banner, picture=_preview, flat=_flat)
    _put(folder / "index.html", made.encode("utf-8", "backslashreplace"))
    progress(len(items), len(items), "")
    return folder / "index.html"


def _made(item: Item) -> dict[str, bytes]:
    """The files of an item."""
    if isinstance(item.content, Figure):
        return dict(
            zip(item.files, (style.png(item.content, DOTS), style.pdf(item.content)), strict=True)
        )
    if item.content is None or item.table is None:
        return {}
    label = f"tab:{item.name.removeprefix('table_')}"
    caption = f"{item.title} ({item.number} of the paper)"
    made = latex.table(item.table, caption=caption, label=label, note=item.note)
    # A spreadsheet would run a cell that begins like a formula; a quote keeps it a text.
    csv = item.content.map(_harmless).to_csv(index=False)
    return dict(
        zip(item.files, (csv.encode("utf-8", "backslashreplace"), made.encode()), strict=True)
    )


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value


def _preview(item: Item) -> Figure | bytes | None:
    """The picture for the page; None for a table."""
    if not isinstance(item.content, Figure):
        return None
    return style.jpeg(item.content) if item.photographs else item.content


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """A header of two lines as one, for the page."""
    if not isinstance(table.columns, pd.MultiIndex):
        return table
    names = [" ".join(filter(None, map(str, levels))) for levels in table.columns]
    return table.set_axis(names, axis=1)


def _put(path: Path, data: bytes) -> None:
    with replacing(path) as partial:
        partial.write_bytes(data)
