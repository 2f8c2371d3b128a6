"""The pictures that an audit shows to a rank: faces, changed faces, and faces between two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.laboratory.examination import neutral_of
from emorank.evaluation.laboratory.perturbation import CHANGES, Pixels, dissolved

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How far along each morph a picture is taken."""

_PAIRS = 3
"""There is a morph for so many faces that changes are tried on."""


@dataclass(frozen=True)
class Picture:
    """What is shown: a face as it is, changed, or mixed with a neutral one.

    Attributes:
        face: its row.
        change: its name in `CHANGES`; empty for none.
        neutral: row of the face that a morph begins with; -1 for no morph.
        share: of the face in the morph.
    """

    face: int
    change: str = ""
    neutral: int = -1
    share: float = 1.0

    def draw(self, framed: Callable[[int], Pixels]) -> Pixels:
        """Its pixels, from the framed faces."""
        rgb = framed(self.face)
        if self.neutral >= 0:
            return dissolved(framed(self.neutral), rgb, self.share)
        return CHANGES[self.change](rgb) if self.change else rgb


def pictures(faces: pd.DataFrame, number: int, seed: int) -> list[Picture]:
    """Every face as it is, then `number` of them changed, and a third as many morphs.

    Args:
        faces: one row per face, `emotion`, `person`, `sequence`, `frame`, `intensity`.
        number: of faces that changes are tried on, spread over the emotions.
        seed: of their choice.
    """
    shown = [Picture(row) for row in range(len(faces))]
    for change in CHANGES:
        shown += [Picture(row, change) for row in _spread(faces, faces.index, number, seed)]
    pairs = pairs_of(faces)
    for row in _spread(faces, [*pairs], -(-number // _PAIRS), seed):
        shown += [Picture(row, neutral=pairs[row], share=share) for share in SHARES]
    return shown


def pairs_of(faces: pd.DataFrame) -> dict[int, int]:
    """The strongest face of each person and emotion, and the person's neutral one to begin with.

    Strongest is the last frame, or else the greatest known intensity. Without a neutral face the
    sequence's first frame is the beginning, as in CK+.
    """
    calm = neutral_of(faces).to_numpy()
    known = faces.assign(row=np.arange(len(faces)))[faces["person"].notna()]
    begins = known[calm[known["row"]]].groupby("person")["row"].first().to_dict()
    pairs = {}
    for (person, _), rows in known[~calm[known["row"]]].groupby(["person", "emotion"]):
        ordered = rows.sort_values(["frame", "intensity"], na_position="first", kind="stable")
        last = ordered.iloc[-1]
        same = ordered.loc[ordered["sequence"].eq(last["sequence"]).fillna(False), "row"]
        first = begins.get(person, same.iloc[0] if len(same) else -1)
        if first not in (-1, last["row"]):
            pairs[int(last["row"])] = int(first)
    return pairs


def _spread(
    faces: pd.DataFrame, rows: Sequence[int] | pd.Index, number: int, seed: int
) -> list[int]:
    """Some of the rows, as many of each emotion as can be, in the order of the table."""
    order = np.random.default_rng(seed).permutation(np.asarray(rows, np.int64))
    turn = faces.loc[order, "emotion"].fillna("").to_frame().groupby("emotion").cumcount()
    return sorted(int(row) for row in turn.sort_values(kind="stable").index[:number])
