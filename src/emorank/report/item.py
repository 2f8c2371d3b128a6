"""A numbered table or figure of an article."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

_ENDINGS = {"table": ("csv", "tex"), "figure": ("png", "pdf")}


@dataclass(frozen=True)
class Item:
    """One numbered table or figure.

    Attributes:
        name: of its files, "table_3-4" or "figure_8".
        number: in the paper, "Tables 3 and 4".
        content: None where something is missing.
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
