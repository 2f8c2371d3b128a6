"""How every figure looks, and figures as bytes: the same for the same input."""

import functools
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emorank.evaluation.rank_scores import RANKS
from emorank.vocabulary import NONE, Emotion

# Okabe and Ito's colours, told apart with every kind of colour vision.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
# The stronger the darker, so that the order is seen in black and white too.
RANK_COLOURS = dict(zip(RANKS, ("#86BFE6", "#C06C14", "#7A1F2B"), strict=True))
COLOURS_OF_LEVELS = {NONE: "#c3cad2", **RANK_COLOURS}
# Searched for: as far apart as seven colours can be with every kind of colour vision.
COLOURS_OF_EMOTIONS = {
    Emotion.ANGER: "#9F2126",
    Emotion.CONTEMPT: "#FC62F2",
    Emotion.DISGUST: "#72BA87",
    Emotion.FEAR: "#6D3C96",
    Emotion.HAPPY: "#B27001",
    Emotion.SADNESS: "#0831F4",
    Emotion.SURPRISE: "#089094",
    Emotion.NEUTRAL: "#7A838D",
}
INK, PALE = "#1f2933", "#d9dee4"
DPI = 110


_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8a94a0",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": PALE,
    "legend.frameon": False,
    "text.parse_math": False,  # a file name may hold dollars
    "image.interpolation": "nearest",
}
_P = ParamSpec("_P")


@contextmanager
def _style() -> Iterator[None]:
    """Our style, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Let a function draw in our style."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with _style():
            return draw(*args, **kwargs)

    return drawn


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as PNG, without date or version in it."""
    buffer = io.BytesIO()
    with _style():  # ticks are made when they are drawn
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def pdf(figure: Figure, dpi: int = 300) -> bytes:
    """The figure as PDF, its letters as TrueType as journals want them, without a date."""
    buffer = io.BytesIO()
    metadata = {"Creator": None, "Producer": None, "CreationDate": None}
    with _style(), mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(buffer, format="pdf", dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def jpeg(figure: Figure) -> bytes:
    """The figure as JPEG, for figures full of photographs and heatmaps."""
    buffer = io.BytesIO()
    options = {"quality": 85, "subsampling": 0, "optimize": True}
    with _style():
        figure.savefig(buffer, format="jpeg", dpi=DPI, pil_kwargs=options)
    return buffer.getvalue()


def blank(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def short(text: str, most: int = 70) -> str:
    """A name for a picture: printable, on one line, its end kept when it is long."""
    clean = "".join(c if c.isprintable() else "�" for c in text)
    return clean if len(clean) <= most else "…" + clean[1 - most :]
