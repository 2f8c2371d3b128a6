"""What `inspect` says of a data set."""

import pytest

from emorank.datasets import jaffe, load
from emorank.datasets.inspect import TABLE_2, inspect
from emorank.vocabulary import Emotion


def test_classes_persons_and_sizes(tmp_path, picture):
    """Counts in the vocabulary's order, and sizes over all images that can be read."""
    picture(tmp_path / "KA.SU1.1.png", size=20)
    picture(tmp_path / "KA.AN1.2.png", size=40)
    picture(tmp_path / "KL.AN1.3.png", size=60)
    (tmp_path / "KL.AN2.4.png").write_bytes(b"not a picture")
    found = inspect(jaffe.load(tmp_path))
    assert list(found.emotions.items()) == [(Emotion.ANGER, 3), (Emotion.SURPRISE, 1)]
    assert (found.images, found.persons, found.per_person) == (4, 2, (2, 2))
    assert found.sequences is None
    assert found.unlabelled == found.intensities == 0
    assert found.sizes.least == (20, 20)
    assert found.sizes.median == (40, 40)
    assert found.sizes.greatest == (60, 60)
    assert found.sizes.sampled == 3
    assert "expected 213" in found.problems[0].reason


def test_beside_the_published_numbers(tmp_path, picture):
    """One row per emotion found or published; the paper's Table 2 beside it."""
    picture(tmp_path / "KA.SU1.1.png")
    frame = inspect(jaffe.load(tmp_path), sizes=False).to_frame().set_index("emotion")
    assert frame.index.tolist() == [e.value for e in Emotion if e is not Emotion.CONTEMPT]
    assert frame.loc["surprise"].tolist() == [1, 30, 30]
    assert frame.loc["fear"].tolist() == [0, 32, 30]


@pytest.mark.parametrize(("name", "total"), [("JAFFE", 210), ("CK+", 981), ("KDEF", 490)])
def test_table_2_adds_up(name, total):
    """The classes of Table 2 and their sums; JAFFE's printed total of 180 is an erratum."""
    assert sum(TABLE_2[name].values()) == total


def test_a_set_without_files_of_its_own(tmp_path):
    """FER2013's images are rows of a table: their size comes from the reader."""
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n0,{'1 ' * 2304},Training\n")
    found = inspect(load(tmp_path))
    assert found.sizes.median == (48, 48)
    assert found.persons is None
    assert found.per_person is None


def test_real_photographs(london):
    """The London faces, with 256×256 pixels."""
    found = inspect(load(london))
    assert found.persons == 102
    assert found.per_person == (2, 2)
    assert found.sizes.least == found.sizes.greatest == (256, 256)
    assert found.published is None
    assert found.to_frame()["images"].tolist() == [102, 102]
