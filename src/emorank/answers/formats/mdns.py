"""The intensity ratings of MDNS: 0 (not at all) to 4 (extremely), face by face, emotion by emotion.

`primary_expression_annotations.json` maps a face to its emotions and each emotion to the ratings of
nine annotators. A rating becomes an answer by a cut: the lowest ratings that count as Minimal,
Average and Strong. The published words are 0 not at all, 1 somewhat, 2 moderately, 3 very, 4
extremely; the cut (1, 2, 3) takes somewhat for Minimal, moderately for Average, very and extremely
for Strong, and not at all for None.

Source: Bryant, Deng, Sephus, Xia and Perona 2022, CVPR.
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from emorank.answers.answers_table import answers_table
from emorank.answers.declared import UNSAID, Cut, Declared
from emorank.errors import VotesError

CUT: Cut = (1, 2, 3)
MOST = 4


def is_mdns(content: Any) -> bool:
    """Whether JSON maps names to mappings of words to lists."""
    if not isinstance(content, dict) or not content:
        return False
    face = next(iter(content.values()))
    return isinstance(face, dict) and bool(face) and isinstance(next(iter(face.values())), list)


def read_mdns(content: dict[str, Any], declared: Declared = UNSAID) -> pd.DataFrame:
    """The ratings as answers; by `CUT` unless a cut or what ratings mean is declared.

    The annotators are anonymous: "position 3" is the third number in the list of a face, and may be
    another person's at the next face. The cut ascends from 0 to 5 (5: never).

    Raises:
        VotesError: a rating is no whole number from 0 to 4; the first is named.
    """
    if declared.cut:
        check_cut(declared.cut)
    declared = replace(declared, cut=declared.cut or CUT)
    words = [declared.number(rating) for rating in range(MOST + 1)]
    rows = []
    for image, emotions in content.items():
        if not isinstance(emotions, dict):
            raise VotesError(f"{image!r:.60}: expected an object of emotions")
        for emotion, values in emotions.items():
            if not isinstance(values, list):
                raise VotesError(f"{image!r:.60}, {emotion!r:.60}: expected a list of ratings")
            for position, rating in enumerate(values, start=1):
                # A bool is an int in Python and a mistake here.
                if type(rating) is not int or not 0 <= rating <= MOST:
                    raise VotesError(
                        f"{image!r:.60}, {emotion!r:.60}: expected ratings from 0 to {MOST}, "
                        f"came {rating!r:.60}"
                    )
                rows.append((image, emotion, f"position {position}", words[rating]))
    return answers_table(pd.DataFrame(rows, columns=["image", "emotion", "rater", "answer"]))


def check_cut(cut: Cut) -> None:
    """Raise a VotesError unless a cut is three ascending ratings."""
    if len(cut) != 3 or list(cut) != sorted(cut) or not all(0 <= low <= MOST + 1 for low in cut):
        raise VotesError(
            f"cut {','.join(f'{low:g}' for low in cut)}: expected the lowest ratings that count as "
            f"Minimal, Average and Strong, ascending from 0 to {MOST + 1} ({MOST + 1}: never), "
            "such as 1,2,3"
        )
