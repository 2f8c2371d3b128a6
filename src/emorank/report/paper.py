"""The paper's tables and figures as a folder: CSV, LaTeX, PNG, PDF, and a page with them all."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from emorank import delimited
from emorank.files import replacing
from emorank.progress import Progress, silent
from emorank.report import latex, style
from emorank.report import page as page_module
from emorank.report.item import Item
from emorank.report.page import Page, Section, fill
from emorank.report.words import capitalised

DOTS = 220  # per inch of the PNGs


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
    two studies; others in the folder are left alone. The title is that of the study; `banner` is
    what must be said above everything, such as that faces are simulated.
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
    kind, lead = "emorank: the paper’s tables and figures", fill("templates/paper_lead.html.j2")
    page = Page(kind, title, tuple(map(_section, items)), simulated=banner, lead=lead)
    progress(len(items), len(items), "")
    return page_module.write(page, folder / "index.html")


def _section(item: Item) -> Section:
    """An item on the page."""
    table = None if item.table is None else _flat(item.table)
    body = fill("templates/paper_item.html.j2", item=item, table=table, picture=_preview(item))
    return Section(item.name, capitalised(item.number), body)


def _made(item: Item) -> dict[str, bytes]:
    """The files of an item."""
    if isinstance(item.content, Figure):
        pictures = (style.png(item.content, DOTS), style.pdf(item.content))
        return dict(zip(item.files, pictures, strict=True))
    if item.content is None or item.table is None:
        return {}
    label = f"tab:{item.name.removeprefix('table_')}"
    caption = f"{item.title} ({item.number} of the paper)"
    made = latex.table(item.table, caption=caption, label=label, note=item.note)
    csv = "".join(delimited.lines(delimited.rows_of(item.content)))
    return dict(zip(item.files, (csv.encode(), made.encode()), strict=True))


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
