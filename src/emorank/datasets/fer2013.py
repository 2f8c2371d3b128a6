"""FER2013: 35 887 grey faces of 48×48 pixels inside one CSV file; FER+ labels where they are.

`fer2013.csv` has the columns emotion, pixels (2304 numbers) and Usage; `icml_face_data.csv` is the
same in another order. The images are not files: `fer0000001` is the second row, as FER+ counts
rows, and the reader decodes a row. Nothing says who the persons are.

FER+ (`fer2013new.csv` beside it) gives ten annotators' votes for each row. The label is the
emotion with the most votes. Rows where two emotions have equally many, or where "unknown" or "NF"
(no face) has the most, are left out; the problems say how many.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from emorank import delimited
from emorank.datasets import folder_walk
from emorank.datasets.table import SIX_AND_NEUTRAL, Card, Dataset, Problem, dataset
from emorank.errors import DatasetError, ImageError, PlanError
from emorank.vocabulary import Emotion

SOURCES = ("auto", "fer2013", "ferplus")

CARD = Card(
    name="FER2013",
    title="FER2013, the Kaggle facial expression recognition challenge",
    licence="Database Contents License (images found by web search, rights with their owners)",
    citation=(
        "Goodfellow, I. J., et al. (2013). Challenges in Representation Learning: A report on "
        "three machine learning contests. ICONIP 2013, 117-124."
    ),
    url="https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge",
    cropped=True,
    counts=dict(zip(SIX_AND_NEUTRAL, (4953, 547, 5121, 8989, 6077, 4002, 6198), strict=True)),
)
FERPLUS = replace(
    CARD,
    name="FER+",
    title="FER2013 with the FER+ labels",
    licence=f"Labels: MIT (Microsoft). Images: {CARD.licence}",
    citation=(
        "Barsoum, E., Zhang, C., Canton Ferrer, C., Zhang, Z. (2016). Training Deep Networks for "
        "Facial Expression Recognition with Crowd-Sourced Label Distribution. ICMI 2016. "
        f"{CARD.citation}"
    ),
    url="https://github.com/microsoft/FERPlus",
    counts=None,  # the number depends on the rule for votes
)

SIDE = 48
_PIXELS = ("fer2013.csv", "icml_face_data.csv")
_VOTES = "fer2013new.csv"
_VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def recognise(root: Path) -> bool:
    """Whether the folder holds the CSV file with the pixels."""
    return folder_walk.find_file(root, _PIXELS) is not None


def load(root: Path, labels: str = "auto") -> Dataset:
    """Read the labels and index the rows; pixels are decoded when an image is read.

    Args:
        root: the folder with the CSV file.
        labels: "fer2013" for the original labels, "ferplus" for the votes' majority, "auto" for
            the votes where their file lies beside the pixels.

    Raises:
        DatasetError: the file is missing or has other columns, or the votes belong to other rows.
        PlanError: no such labels.
    """
    if labels not in SOURCES:
        raise PlanError(f"labels is '{labels}'; expected one of {', '.join(SOURCES)}")
    folder_walk.require_folder(root, CARD.name)
    file, votes = folder_walk.find_file(root, _PIXELS), folder_walk.find_file(root, (_VOTES,))
    if file is None:
        raise DatasetError(
            f"{root}: expected fer2013.csv with columns emotion, pixels, Usage; found no such file"
        )
    if labels == "ferplus" and votes is None:
        raise DatasetError(
            f"{root}: FER+ labels need fer2013new.csv beside fer2013.csv; found none"
        )
    spans, column, codes, reasons = _index(file)
    plus = votes is not None and labels != "fer2013"
    card = FERPLUS if plus else CARD
    emotions = _majorities(votes, len(codes)) if plus and votes is not None else _originals(codes)
    rows = []
    for row in spans:
        emotion = emotions[row]
        if isinstance(emotion, Emotion):
            rows.append({"image": _name(row), "emotion": emotion.value})
        else:
            reasons[emotion] += 1
    problems = [Problem(f"({number} rows)", reason) for reason, number in sorted(reasons.items())]
    reader = RowReader(file, column, {_name(row): span for row, span in spans.items()})
    return dataset(card, root, rows, problems, reader)


@dataclass(frozen=True)
class RowReader:
    """Decodes one row of the CSV file, read from its place in bytes; the file may have 300 MB."""

    file: Path
    column: int
    spans: Mapping[str, tuple[int, int]]

    def __call__(self, image: str) -> UInt8[np.ndarray, "48 48 3"]:
        """Return the grey face as RGB; raises ImageError."""
        if image not in self.spans:
            raise ImageError(image, f"is no usable row of {self.file.name}")
        start, length = self.spans[image]
        try:
            with self.file.open("rb") as data:
                data.seek(start)
                fields = data.read(length).decode("ascii").strip().split(",")
            values = np.array(fields[self.column].strip('" ').split(), dtype=np.int64)
        except (OSError, ValueError, IndexError, OverflowError) as error:
            raise ImageError(image, f"cannot be decoded from {self.file.name}: {error}") from error
        if values.size != SIDE * SIDE or values.min() < 0 or values.max() > 255:
            raise ImageError(
                image, f"has {values.size} pixels; expected 2304 numbers from 0 to 255"
            )
        return np.repeat(values.astype(np.uint8).reshape(SIDE, SIDE, 1), 3, axis=2)


def _index(file: Path) -> tuple[dict[int, tuple[int, int]], int, list[str], Counter[str]]:
    """Return the usable rows' places in bytes, the column of the pixels, all labels, other reasons.

    Lines are split here and not by a CSV reader, which does not know its place in bytes.
    """
    spans: dict[int, tuple[int, int]] = {}
    codes: list[str] = []
    reasons: Counter[str] = Counter()
    with file.open("rb") as lines:
        head = lines.readline(65_536)
        cells = head.decode("utf-8-sig", "replace").strip().split(",")
        names = [name.strip(' "').lower() for name in cells]
        if "emotion" not in names or "pixels" not in names:
            raise DatasetError(
                f"{file}: expected the columns emotion, pixels, Usage; "
                f"found {', '.join(names)[:80]}"
            )
        label, column, start = names.index("emotion"), names.index("pixels"), len(head)
        for line in lines:
            fields = line.split(b",")
            if line.strip():
                code = fields[label] if len(fields) > label else b""
                codes.append(code.strip(b'" \r\n').decode("ascii", "replace"))
                if len(fields) == len(names) and len(fields[column].split()) == SIDE * SIDE:
                    spans[len(codes) - 1] = (start, len(line))
                else:
                    reasons["the row does not have 2304 pixels"] += 1
            start += len(line)
    return spans, column, codes, reasons


def _originals(codes: list[str]) -> dict[int, Emotion | str]:
    words = {str(index): emotion for index, emotion in enumerate(SIX_AND_NEUTRAL)}
    return {row: words.get(code, "no label from 0 to 6") for row, code in enumerate(codes)}


def _majorities(file: Path, rows: int) -> dict[int, Emotion | str]:
    """Return the emotion with the most votes for each row, or the reason why there is none."""
    names, lines = delimited.table(file, DatasetError)
    missing = [name for name in _VOTE_COLUMNS if name not in names]
    if missing:
        raise DatasetError(f"{file}: lacks the columns {', '.join(missing)} of FER+")
    places = [names.index(name) for name in _VOTE_COLUMNS]
    try:
        votes = np.array([[int(cells[place]) for place in places] for _, cells in lines])
    except (IndexError, ValueError) as error:
        raise DatasetError(f"{file}: a vote is no whole number ({error})") from error
    if len(votes) != rows:
        raise DatasetError(
            f"{file}: has votes for {len(votes)} rows, the pixels have {rows}; the two files must "
            "be of one release, row by row"
        )
    return {row: majority(counts) for row, counts in enumerate(votes)}


def majority(votes: np.ndarray) -> Emotion | str:
    """Return the emotion with the most of ten votes (in FER+'s column order), or a reason."""
    leaders = np.flatnonzero(votes == votes.max())
    if len(leaders) > 1:
        return "FER+: no emotion has more votes than every other"
    word = _VOTE_COLUMNS[leaders[0]]
    if word in ("unknown", "NF"):
        return f"FER+: most votes for '{word}'"
    return Emotion.parse(word)


def _name(row: int) -> str:
    return f"fer{row:07d}"
