"""Persons, sequences and pictures that the test part shares with the training part.

The validation part counts as training here, because it chooses the weights.

*Near-identical* is measured with the perceptual hash of `phash.py` on prepared faces, at a
distance of at most `DISTANCE` of 256 bits. The threshold was measured on the 204 photographs of
the Face Research Lab London Set (102 persons, neutral and smiling, one studio), as distributed
(256×256) and as prepared (aligned by five landmarks, 224×224):

| pairs | at most 36 bits apart: distributed; prepared | nearest or farthest, in bits |
|---|---|---|
| two persons, same expression | 0 and 0 of 10 302 | nearest 52; 56 |
| two persons, other expression | 0 and 0 of 10 302 | nearest 66; 58 |
| copies: JPEG quality 30, 10 % brighter or darker, 48 px wide | all and all | farthest 10; 10 |
| copies shifted by 1 px along one axis or both | all and all | farthest 34; 34 |
| copies shifted, brighter, smaller and JPEG quality 60 at once | all and all | farthest 34; 24 |
| the same copies, aligned again by landmarks of their own (of 50) | all | farthest 22 |
| copies shifted by 2 px | 99 % and 99 % | farthest 44; 46 |
| copies mirrored | none and none | median 126 |
| one person, neutral and smiling | 1 and 20 of 102 | nearest 32; 18 |

So mirrored copies and larger shifts are not noticed, and two pictures of a person who hardly moves
count as near-identical. Neighbouring frames of a film, such as the three frames of each CK+48
sequence, are near-identical, so they are noticed even where sequences are unknown.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from emorank.datasets.phash import nearest, words
from emorank.errors import DatasetError

DISTANCE = 36
EXAMPLES = 5

Kind = Literal["person", "sequence", "pixels"]


@dataclass(frozen=True)
class Pair:
    """A test image and one training image with which it shares something."""

    test: str
    training: str
    kind: Kind
    distance: int | None = None  # in bits, for pixels


@dataclass(frozen=True)
class Leakage:
    """How many test images share something with the training part (training and validation).

    Attributes:
        test, training: number of test images, and of all others in the split.
        person: test images of a person who is also in the training part; None if no test image
            has a known person; persons may then still be shared.
        sequence: the same for sequences.
        pixels: test images with a near-identical training image; None if there are no hashes.
        distance: greatest number of bits, of 256, in which near-identical pictures differ.
        pairs: a few examples of each kind, the nearest pictures first.
    """

    test: int
    training: int
    person: int | None
    sequence: int | None
    pixels: int | None
    distance: int
    pairs: tuple[Pair, ...]

    @property
    def fractions(self) -> dict[Kind, float | None]:
        """Each number as a share of all test images."""
        numbers = {kind: getattr(self, kind) for kind in get_args(Kind)}
        return {kind: None if n is None else n / self.test for kind, n in numbers.items()}


def leakage(
    table: pd.DataFrame, split: pd.DataFrame, distance: int = DISTANCE, examples: int = EXAMPLES
) -> Leakage:
    """Count what the test part shares with the training part.

    Args:
        table: faces with columns image, person, sequence, and `phash` (64 hexadecimal digits)
            where pictures are compared.
        split: columns image and part, as `splits.split` returns it. Faces that are not in it, and
            rows of it that are not in the table, are not counted.
        distance: greatest number of bits in which near-identical pictures differ, 0 … 256.
        examples: greatest number of pairs of each kind in the result.

    Raises:
        DatasetError: the split has no test or no training image of this table, an image is there
            twice, or a hash has a wrong form.
    """
    for name, frame in (("table", table), ("split", split)):
        if frame["image"].duplicated().any():
            twice = frame.loc[frame["image"].duplicated(), "image"].iloc[0]
            raise DatasetError(f"image '{twice}' is in the {name} more than once")
    joined = table.merge(split[["image", "part"]], on="image")
    tested = joined["part"] == "test"
    test, training = joined[tested], joined[~tested]
    if test.empty or training.empty:
        raise DatasetError(
            f"the split gives {len(test)} test and {len(training)} other images of this table; "
            "expected some of both; make the split from the same table"
        )
    person, person_pairs = _shared(test, training, "person", examples)
    sequence, sequence_pairs = _shared(test, training, "sequence", examples)
    pixels, pixel_pairs = _near(test, training, distance, examples)
    pairs = (*person_pairs, *sequence_pairs, *pixel_pairs)
    return Leakage(len(test), len(training), person, sequence, pixels, distance, pairs)


def _shared(
    test: pd.DataFrame, training: pd.DataFrame, kind: Literal["person", "sequence"], examples: int
) -> tuple[int | None, list[Pair]]:
    if kind not in test.columns or test[kind].isna().all():
        return None, []
    first = training.dropna(subset=[kind]).drop_duplicates(kind).set_index(kind)["image"]
    sharing = test[test[kind].isin(first.index)]
    pairs = [
        Pair(str(row.image), str(first[getattr(row, kind)]), kind)
        for row in sharing.head(examples).itertuples()
    ]
    return len(sharing), pairs


def _near(
    test: pd.DataFrame, training: pd.DataFrame, distance: int, examples: int
) -> tuple[int | None, list[Pair]]:
    if "phash" not in test.columns or test["phash"].isna().all() or training["phash"].isna().all():
        return None, []
    test, training = test.dropna(subset=["phash"]), training.dropna(subset=["phash"])
    bits, index = nearest(words(list(test["phash"])), words(list(training["phash"])))
    near = np.flatnonzero(bits <= distance)
    near = near[np.argsort(bits[near], kind="stable")]
    images, others = test["image"].array, training["image"].array[index]
    pairs = [Pair(str(images[i]), str(others[i]), "pixels", int(bits[i])) for i in near[:examples]]
    return len(near), pairs
