"""What `inspect` says of a data set."""

from dataclasses import replace

import numpy as np
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
    assert [problem.file for problem in found.problems[1:]] == ["KL.AN2.4.png"]
    assert found.problems[1].reason.startswith("is a text file")
    assert found.unreadable == 1


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
    assert "taken as not known" in inspect(load(london), sizes=False).assumed
    found = inspect(load(london, person=r"(?P<person>\d+)"))
    assert found.persons == 102
    assert found.per_person == (2, 2)
    assert found.sizes.least == found.sizes.greatest == (256, 256)
    assert found.published is None
    assert found.to_frame()["images"].tolist() == [102, 102]


def test_unknown_values_are_counted_apart(tmp_path, picture):
    """Images without emotion, with intensity, and sequences."""
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / f"{name}.png")
    (tmp_path / "manifest.csv").write_text(
        "image,emotion,person,sequence,intensity\n"
        "a.png,,p,s,\nb.png,fear,p,s,0.5\nc.png,fear,q,t,0\nd.png,neutral,,,\n"
    )
    result = inspect(load(tmp_path))
    assert (result.unlabelled, result.intensities, result.sequences) == (1, 2, 2)
    assert (result.persons, result.per_person) == (2, (1, 2))
    assert result.table_2 is None
    assert inspect(load(tmp_path), sizes=False).sizes is None


def test_width_and_height_are_not_exchanged(tmp_path, picture):
    """Of files by their header, of rows of a table by their pixels."""
    from PIL import Image

    picture(tmp_path / "happy" / "a.png")
    Image.new("L", (30, 50)).save(tmp_path / "happy" / "a.png")
    assert inspect(load(tmp_path)).sizes.median == (30, 50)
    data = replace(load(tmp_path), root=tmp_path / "gone")
    assert inspect(replace(data, read=lambda image: np.zeros((50, 30, 3)))).sizes.least == (30, 50)


def test_no_image_that_can_be_read_has_no_sizes(tmp_path):
    """The table is there all the same."""
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "a.png").write_bytes(b"not a picture")
    assert inspect(load(tmp_path)).sizes is None


def test_the_size_of_a_file_is_read_from_its_header(tmp_path, picture):
    """No pixel is decoded for it."""
    picture(tmp_path / "happy" / "a.png")
    data = replace(load(tmp_path), read=lambda image: pytest.fail("was decoded"))
    assert inspect(data).sizes.median == (20, 20)
