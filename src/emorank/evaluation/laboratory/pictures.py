"""The pictures that an audit gives to a rank: faces, changed faces, and morphs of two faces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.examination import examine, neutral_of
from emorank.evaluation.laboratory.perturbation import CHANGES, Pixels, dissolved
from emorank.evaluation.laboratory.verdict import Examination
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the expressive face in the pictures of a morph."""

_PAIRS = 3
"""One morph for this many faces that changes are tried on."""


@dataclass(frozen=True)
class Picture:
    """A face, unchanged, changed, or mixed with a neutral face.

    Attributes:
        change: a name in `CHANGES`; empty for none.
        neutral: row of the face that a morph begins with; -1 for no morph.
        share: of the face in the morph.
    """

    face: int
    change: str = ""
    neutral: int = -1
    share: float = 1.0

    def draw(self, framed: Callable[[int], Pixels]) -> Pixels:
        """The pixels of the picture, from those of framed faces."""
        rgb = framed(self.face)
        if self.neutral >= 0:
            return dissolved(framed(self.neutral), rgb, self.share)
        return CHANGES[self.change](rgb) if self.change else rgb


def pictures(faces: pd.DataFrame, number: int, seed: int) -> list[Picture]:
    """Every face unchanged, then `number` of them under each change, and a third as many morphs.

    The faces that are changed are chosen by `seed` and spread over the emotions. `faces` has one
    row per face, with `emotion`, `person`, `sequence`, `frame`, `intensity`.
    """
    shown = [Picture(row) for row in range(len(faces))]
    for change in CHANGES:
        shown += [Picture(row, change) for row in _spread(faces, faces.index, number, seed)]
    pairs = pairs_of(faces)
    for row in _spread(faces, [*pairs], -(-number // _PAIRS), seed):
        shown += [Picture(row, neutral=pairs[row], share=share) for share in SHARES]
    return shown


def pairs_of(faces: pd.DataFrame) -> dict[int, int]:
    """The strongest face of each person and emotion, and the person's neutral face, by row.

    The strongest face is the last frame, or else the one of greatest known intensity. Without a
    neutral face the first frame of the sequence takes its place, as in CK+.
    """
    calm = neutral_of(faces).to_numpy()
    known = faces.assign(row=np.arange(len(faces)))[faces["person"].notna()]
    neutral = known[calm[known["row"]]].groupby("person")["row"].first().to_dict()
    pairs = {}
    for (person, _), rows in known[~calm[known["row"]]].groupby(["person", "emotion"]):
        ordered = rows.sort_values(["frame", "intensity"], na_position="first", kind="stable")
        last = ordered.iloc[-1]
        same = ordered.loc[ordered["sequence"].eq(last["sequence"]).fillna(False), "row"]
        first = neutral.get(person, same.iloc[0] if len(same) else -1)
        if first not in (-1, last["row"]):
            pairs[int(last["row"])] = int(first)
    return pairs


def examine_pictures(
    rank: str,
    faces: pd.DataFrame,
    shown: Sequence[Picture],
    answers: pd.DataFrame,
    ceiling: Estimate | None,
    options: Options,
) -> Examination:
    """Examine a rank or control by its answers to `shown`, the pictures of some faces."""
    about = answers.assign(
        face=[picture.face for picture in shown],
        change=[picture.change for picture in shown],
        morph=pd.Series([p.face if p.neutral >= 0 else None for p in shown], dtype="Int64"),
        step=[picture.share for picture in shown],
    )
    for column in ("emotion", "person"):
        about[column] = faces[column].iloc[about["face"]].to_numpy()
    changed = about[about["change"] != ""].groupby("change", sort=False)
    morphs = about[about["morph"].notna()]
    return examine(
        rank,
        "control" if rank in CONTROLS else "rank",
        faces,
        answers.iloc[: len(faces)],
        changed={str(change): rows for change, rows in changed},
        morphs=morphs if len(morphs) else None,
        ceiling=ceiling,
        options=options,
    )


def _spread(
    faces: pd.DataFrame, rows: Sequence[int] | pd.Index, number: int, seed: int
) -> list[int]:
    """Rows chosen at random, as evenly over the emotions as possible, in the order of the table."""
    order = np.random.default_rng(seed).permutation(np.asarray(rows, np.int64))
    turn = faces.loc[order, "emotion"].fillna("").to_frame().groupby("emotion").cumcount()
    return sorted(int(row) for row in turn.sort_values(kind="stable").index[:number])
