"""Leakage: counted by persons, sequences and pixels, and honest where nothing is known."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emorank.datasets import load
from emorank.datasets.leakage import DISTANCE, leakage
from emorank.datasets.phash import nearest, phash, words
from emorank.datasets.splits import split
from emorank.errors import DatasetError


def table(persons, sequences=None, hashes=None):
    n = len(persons)
    frame = pd.DataFrame(
        {
            "image": [f"{index}.png" for index in range(n)],
            "person": pd.array(persons, dtype="string"),
            "sequence": pd.array(sequences or [pd.NA] * n, dtype="string"),
        }
    )
    if hashes is not None:
        frame["phash"] = pd.array(hashes, dtype="string")
    return frame


def parts(*words_):
    return pd.DataFrame({"image": [f"{i}.png" for i in range(len(words_))], "part": words_})


def test_persons_and_sequences_are_counted():
    """Validation counts as trained on; the unknown takes no part."""
    faces = table(["A", "A", "B", "C", None, "B"], ["s", "t", "u", "t", None, None])
    found = leakage(faces, parts("test", "train", "test", "test", "test", "validation"))
    assert (found.test, found.training) == (4, 2)
    assert found.person == 2  # A with the training part, B with the validation part
    assert found.sequence == 1  # t
    assert found.pixels is None
    assert found.fractions == {"person": 0.5, "sequence": 0.25, "pixels": None}
    pairs = [(pair.test, pair.training, pair.kind) for pair in found.pairs]
    assert pairs == [
        ("0.png", "1.png", "person"),
        ("2.png", "5.png", "person"),
        ("3.png", "1.png", "sequence"),
    ]


def test_unknown_persons_are_no_proof():
    """None, and not zero, where no test image has a known person."""
    found = leakage(table([None, None]), parts("train", "test"))
    assert found.person is None
    assert found.fractions["person"] is None


def test_pixels_are_compared_by_hash():
    """Up to the distance, the boundary included; the nearest pair comes first."""
    near, far = 2**DISTANCE - 1, 2 ** (DISTANCE + 1) - 1
    hashes = [f"{bits:064x}" for bits in (0, near, far << 100, 1)]
    found = leakage(
        table([None] * 4, hashes=[*hashes[:3], hashes[3]]), parts("train", "test", "test", "test")
    )
    assert found.pixels == 2
    assert [(pair.test, pair.distance) for pair in found.pairs] == [
        ("3.png", 1),
        ("1.png", DISTANCE),
    ]


def test_examples_are_few():
    """Numbers count everything, pairs show some."""
    found = leakage(table(["A"] * 50), parts("train", *["test"] * 49), examples=3)
    assert found.person == 49
    assert len(found.pairs) == 3


def test_a_split_of_another_table_is_refused():
    """No test image of this table: nothing can be said."""
    with pytest.raises(DatasetError, match="0 test and 2 other images"):
        leakage(table(["A", "B"]), parts("train", "train", "test"))


def test_what_is_no_hash_and_images_listed_twice_are_refused():
    """Each with its message, before anything is counted."""
    with pytest.raises(DatasetError, match="'xyz' is not a perceptual hash"):
        leakage(table([None] * 2, hashes=["xyz", "0" * 64]), parts("train", "test"))
    twice = pd.concat([parts("train", "test")] * 2)
    with pytest.raises(DatasetError, match=r"'0\.png' is in the split more than once"):
        leakage(table([None] * 2), twice)


def test_random_split_of_film_frames_leaks_and_the_one_by_person_does_not():
    """As in CK+48: with three frames a sequence, nearly every test image has a sibling."""
    n = 200
    faces = table(
        [f"P{index // 6}" for index in range(3 * n)], [f"S{index // 3}" for index in range(3 * n)]
    )
    faces["emotion"] = "happy"
    drawn = leakage(faces, split(faces, "random", seed=0))
    assert drawn.fractions["sequence"] > 0.9
    assert drawn.fractions["person"] > 0.95
    apart = leakage(faces, split(faces, "person", seed=0))
    assert (apart.person, apart.sequence) == (0, 0)


def copy(rgb):
    """A copy as people make them: one pixel off, brighter, smaller, JPEG of quality 60."""
    shifted = np.pad(rgb, ((0, 0), (1, 0), (0, 0)), mode="edge")[:, :-1]
    bright = np.clip(shifted * 1.1, 0, 255).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(bright).resize((224, 224)).save(data, "JPEG", quality=60)
    return np.asarray(Image.open(data))


def test_threshold_on_real_photographs(london):
    """Copies are found, other persons with the same expression are not (forty of each)."""
    data = load(london)
    images = [image for image in data.table["image"] if image.startswith("neutral/")][:40]
    pictures = [data.read(image) for image in images]
    originals = words([phash(rgb) for rgb in pictures])
    copies = words([phash(copy(rgb)) for rgb in pictures])
    for index in range(len(pictures)):
        distance, _ = nearest(originals[[index]], copies[[index]])
        assert distance[0] <= DISTANCE
        others = np.delete(originals, index, axis=0)
        distance, _ = nearest(originals[[index]], others)
        assert distance[0] > DISTANCE


def test_a_table_with_an_image_twice_is_refused():
    """Each image is in one part."""
    faces = pd.concat([table(["A", "B"])] * 2)
    with pytest.raises(DatasetError, match=r"'0\.png' is in the table more than once"):
        leakage(faces, parts("test", "train"))


def test_a_split_needs_other_images_than_tested_ones():
    """With a test part alone nothing can be shared."""
    with pytest.raises(DatasetError, match="2 test and 0 other images"):
        leakage(table(["A", "B"]), parts("test", "test"))


def test_pictures_are_compared_only_where_both_sides_have_hashes():
    """Missing ones take no part; without any on a side nothing is said."""
    hashes = ["0" * 64, None, "0" * 64, None]
    shared = leakage(table([None] * 4, hashes=hashes), parts("train", "train", "test", "test"))
    assert shared.pixels == 1
    for split_ in (
        parts("test", "train", "test", "train"),
        parts("train", "test", "train", "test"),
    ):
        assert leakage(table([None] * 4, hashes=hashes), split_).pixels is None


def test_five_examples_are_kept_of_each_kind():
    """Unless another number is asked for; persons, sequences, then pictures."""
    faces = table(["A"] * 9, ["s"] * 9, ["0" * 64] * 9)
    pairs = leakage(faces, parts("train", *["test"] * 8)).pairs
    assert [pair.kind for pair in pairs] == ["person"] * 5 + ["sequence"] * 5 + ["pixels"] * 5
