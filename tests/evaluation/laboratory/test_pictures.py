"""The pictures of an audit: faces, changed faces, and faces on the way from a neutral one."""

import numpy as np
import pandas as pd

from emorank.evaluation.laboratory.perturbation import CHANGES
from emorank.evaluation.laboratory.pictures import SHARES, Picture, pairs_of, pictures


def people():
    """Two persons: one with sequences and a neutral face, one with a sequence alone."""
    rows = [
        ("a", "happy", "s1", 1), ("a", "happy", "s1", 2), ("a", "happy", "s1", 3),
        ("a", "neutral", None, None),
        ("b", "fear", "s2", 2), ("b", "fear", "s2", 1),
        ("c", "happy", None, None),
        (None, "happy", None, None),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["person", "emotion", "sequence", "frame"])
    return table.astype({"frame": "Int64"}).assign(intensity=np.nan)


def test_morphs_begin_with_the_persons_own_face():
    """The person's own neutral face, or the first frame of the sequence."""
    assert pairs_of(people()) == {2: 3, 4: 5}


def test_pictures_are_every_face_then_changed_ones_then_morphs():
    """As many as were asked for; the same every time."""
    table = people()
    shown = pictures(table, 2, seed=1)
    assert shown[:8] == [Picture(row) for row in range(8)]
    assert len([p for p in shown if p.change]) == 2 * len(CHANGES)
    morphs = [p for p in shown if p.neutral >= 0]
    assert [p.share for p in morphs] == [*SHARES]
    assert shown == pictures(table, 2, seed=1)
    assert pictures(table, 0, seed=1) == shown[:8]
    emotions = {table["emotion"][p.face] for p in pictures(table, 3, seed=0) if p.change}
    assert emotions == {"happy", "neutral", "fear"}


def test_a_picture_draws_what_it_says():
    """The face, changed, or on the way from the neutral one."""
    faces = [np.full((8, 8, 3), shade, np.uint8) for shade in (100, 200)]
    assert Picture(1).draw(faces.__getitem__) is faces[1]
    assert Picture(1, "10 % darker").draw(faces.__getitem__).mean() == 180
    assert Picture(1, neutral=0, share=0.25).draw(faces.__getitem__).mean() == 125
