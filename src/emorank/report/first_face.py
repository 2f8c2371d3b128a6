"""The first thing that a report shows: one face, where its expression shows, how strong it is."""

from markupsafe import Markup

from emorank.heatmaps import jpeg, summed_overlay
from emorank.reading.reader import RankedFace
from emorank.report.headline import TITLES
from emorank.report.page import fill
from emorank.report.reading import contrast_line, has_line, places, question
from emorank.report.score_line import number
from emorank.report.style import png
from emorank.vocabulary import Emotion

_DPI = 220  # twice that of other figures: it is shown as large as text


def first_face(face: RankedFace, rank: str) -> Markup:
    """The face, its heatmap, its level, and the line of its score.

    `rank` is the name of the rank that the face has been ranked by.
    """
    row = face.row
    return fill(
        "templates/first_face.html.j2",
        image=row["image"],
        expressed=row["expressed"],
        emotion=Emotion(row["expressed"]).label,
        level=row["rank"],
        question=question(row),
        score=f"{TITLES[rank]}: {number(row['score'])}",
        probability=f"{row['expressed_p']:.2f}",
        places=places(face),
        pixels=jpeg(face.pixels),
        overlay=jpeg(summed_overlay(face.pixels, face.heatmap)),
        line=png(contrast_line(face), _DPI) if has_line(row) else None,
    )
