"""The tables of FER+ and CREMA-D: how many raters chose each emotion.

FER+ (`fer2013new.csv`): ten votes an image on eight emotions, "unknown" and "NF" (no face). Images
that were taken out have no name there, and four names are there twice: the line's number makes
these names differ.

CREMA-D (`processedResults/tabulatedVotes.csv`): four to twelve votes a clip on six emotions. Each
clip was judged three times: by voice, by face, by both; the hundred-thousands of the row's number
say which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.tabular import Offenders, csv_rows, quoted
from emorank.errors import VotesError

_SHOWN = {"1": "voice", "2": "face", "3": "voice and face"}
# No image has ten million raters; a greater count is a mistake.
_MOST = 10_000_000


@dataclass(frozen=True)
class CountLayout:
    """Which column of a table of counts holds what.

    Attributes:
        name: of such tables, for messages.
        image: the column of the image's name; `group` says which part of the table a row is in.
        words: column of counts → category.
    """

    name: str
    image: str
    group: str
    words: dict[str, str]

    @property
    def columns(self) -> set[str]:
        """All columns that a table must have."""
        return {self.image, self.group, *self.words}


FERPLUS = CountLayout(
    "FER+ votes",
    "Image name",
    "Usage",
    {
        "neutral": "neutral", "happiness": "happy", "surprise": "surprise", "sadness": "sadness",
        "anger": "anger", "disgust": "disgust", "fear": "fear", "contempt": "contempt",
        "unknown": "unknown", "NF": "no face",
    },
)  # fmt: skip
CREMAD = CountLayout(
    "CREMA-D votes",
    "fileName",
    "",
    {"A": "anger", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sadness"},
)


def layout_of(header: Sequence[str]) -> CountLayout | None:
    """The layout that a header is of, if any."""
    return next((one for one in (FERPLUS, CREMAD) if one.columns <= set(header)), None)


def read_emotion_votes(path: Path, layout: CountLayout) -> EmotionVotes:
    """Read the counts of a table; a VotesError names the first places where it does not fit."""
    header, rows = csv_rows(path)
    missing = sorted(layout.columns - set(header))
    if missing:
        raise VotesError(f"{path}: is no table of {layout.name}; missing {', '.join(missing)}")
    places = {name: header.index(name) for name in layout.columns}
    offenders = Offenders()
    names, groups, counts = [], [], []
    seen: set[tuple[str, str]] = set()
    for number, row in rows:
        where = f"line {number}"
        if len(row) != len(header):
            offenders.add("wrong number of columns", f"{where} has {len(row)}, not {len(header)}")
            continue
        cells = [row[places[column]].strip() for column in layout.words]
        bad = [cell for cell in cells if not cell.isdecimal() or int(cell[:9]) > _MOST]
        if bad:
            offenders.add("count that is no whole number", f"{where} {quoted(bad[0])}")
            continue
        key = row[places[layout.group]].strip()
        group = _SHOWN.get(key[:1], "unknown") if layout is CREMAD else key
        name = row[places[layout.image]].strip()
        if not name or (name, group) in seen:
            name = f"{name} (line {number})".strip()
        seen.add((name, group))
        names.append(name)
        groups.append(group)
        counts.append([int(cell) for cell in cells])
    offenders.raise_if_any(f"{path}: not a valid table of {layout.name}")
    if not counts:
        raise VotesError(f"{path}: holds no votes; expected one row an image")
    images = pd.DataFrame({"image": names, "group": groups}, dtype="string")
    return EmotionVotes(images, tuple(layout.words.values()), np.array(counts, np.int64))
