"""The tracks of a film as sequences of faces, for data sets and for estimators of sequences."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from emorank import delimited, images
from emorank.baselines import Faces
from emorank.errors import StudyError
from emorank.film.curves import SMOOTH
from emorank.film.look import face_file
from emorank.film.measure import FACES
from emorank.vocabulary import NONE, Emotion

MANIFEST = "faces.csv"
"""The table of the pictures of faces, in the folder of a film."""
COLUMNS = ("image", "emotion", "person", "sequence", "frame")


def manifest(name: str, frames: pd.DataFrame) -> Iterator[Sequence[object]]:
    """Rows of a table of images (docs/datasets.md) with a picture for each face; the header first.

    `person` and `sequence` are the track, with the name of the film before it. `emotion` is what
    the smooth curve names, neutral where that has the level None, and as the network names the face
    where there is no curve.

    Args:
        name: of the film.
        frames: the table of its frames.
    """
    yield COLUMNS
    seen = frames[frames["face"].notna()]
    named = seen["predicted"]
    if f"{SMOOTH}_rank" in seen:
        shown = seen[f"{SMOOTH}_rank"] != NONE
        named = seen[f"{SMOOTH}_expressed"].where(shown, str(Emotion.NEUTRAL))
    for frame, face, emotion, sequence in zip(
        seen["frame"], seen["face"], named, seen["sequence"], strict=True
    ):
        yield f"{FACES}/{face_file(frame, face)}", emotion, sequence, sequence, frame


def faces_of(folder: Path | str, side: int = 224) -> Faces:
    """The faces of a watched film as the estimators of `baselines` take them, track by track.

    Args:
        folder: of the film, read with `save_faces`.
        side: of the pictures in pixels: that of the faces from which the estimator has learnt.

    Returns:
        The rows of `faces.csv`; person and sequence are the tracks. Emotions are unknown.

    Raises:
        StudyError: there are no pictures of faces.
        ImageError: one cannot be read; when it is asked for.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise StudyError(
            f"{folder}: holds no {MANIFEST}; read the film with --save-faces (save_faces=True)"
        )
    _, lines = delimited.table(folder / MANIFEST, StudyError)
    rows = [dict(zip(COLUMNS, cells, strict=True)) for _, cells in lines]

    def pixels(row: int) -> UInt8[np.ndarray, "side side 3"]:
        return images.resize(images.read(folder / rows[row]["image"]), side)

    def digest(image: str) -> str:
        content = (folder / image).read_bytes()
        return hashlib.sha256(content + str(side).encode()).hexdigest()

    def column(values: list[str | None]) -> np.ndarray:
        return np.array([*values, None], object)[:-1]

    sequence = column([row["sequence"] for row in rows])
    return Faces(
        digest=column([digest(row["image"]) for row in rows]),
        pixels=pixels,
        rows=np.arange(len(rows)),
        person=sequence,
        emotion=column([None] * len(rows)),
        sequence=sequence,
        frame=np.array([int(row["frame"]) for row in rows], np.int64),
    )
