"""Faces of each emotion and level, with the heatmaps that people look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from emorank.heatmaps import jpeg, summed_overlay
from emorank.reading.reader import RankedFace
from emorank.report.page import Section, section_of
from emorank.report.score_line import number
from emorank.vocabulary import Emotion


@dataclass(frozen=True)
class Example:
    """One face with its heatmap.

    Attributes:
        image: its id.
        expressed: the emotion that was named, of that `probability`.
        rank: None, Minimal, Average or Strong, by the rank that people get, of that `score`.
        pixels: JPEG of what the network saw.
        overlay: JPEG of the heatmap over it.
        note: anything else to say, "raters: Strong".
    """

    image: str
    expressed: str
    rank: str
    score: str
    probability: float
    pixels: bytes
    overlay: bytes
    note: str = ""


def example(face: RankedFace, note: str = "") -> Example:
    """The example that a ranked face with a heatmap makes."""
    row = face.row
    return Example(
        row["image"],
        row["expressed"],
        row["rank"],
        number(row["score"]),
        float(row["expressed_p"]),
        jpeg(face.pixels),
        jpeg(summed_overlay(face.pixels, face.heatmap)),
        note,
    )


def section(examples: Sequence[Example], *, rank: str, neutral: bool) -> Section:
    """Faces by emotion, from the weakest level to the strongest.

    Args:
        examples: in the order in which they are shown.
        rank: the rank that gave the levels, in words.
        neutral: whether the network knows neutral, against which the heatmap is.
    """
    grid: dict[str, list[Example]] = {}
    for one in examples:
        grid.setdefault(Emotion(one.expressed).label, []).append(one)
    return section_of("examples", "Faces and heatmaps", grid=grid, rank=rank, neutral=neutral)
