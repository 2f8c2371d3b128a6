"""RAF-DB from its list of labels."""

import pytest

from emorank.datasets import rafdb
from emorank.errors import DatasetError, PlanError


@pytest.fixture
def root(tmp_path, picture):
    for number in range(1, 8):
        picture(tmp_path / "basic" / "Image" / "aligned" / f"train_{number:05d}_aligned.jpg")
    picture(tmp_path / "basic" / "Image" / "original" / "train_00001.JPG")
    labels = tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir()
    lines = [f"train_{number:05d}.jpg {number}" for number in range(1, 8)]
    labels.write_text("\n".join([*lines, "test_0001.jpg 1", "test_0002.jpg 9", "", "  "]))
    return tmp_path


def test_aligned_faces_by_default(root):
    """Numbers 1 to 7 in RAF-DB's order; missing files and bad labels are told."""
    assert rafdb.recognise(root)
    assert rafdb.recognise(root / "basic")
    data = rafdb.load(root)
    assert data.card.cropped
    assert data.table["emotion"].tolist() == [
        *("surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral")
    ]
    assert data.table["image"].iloc[0] == "basic/Image/aligned/train_00001_aligned.jpg"
    told = {problem.file: problem.reason for problem in data.problems}
    assert told["(1 images)"] == "the image file is missing"
    assert "no label from 1 to 7" in told["test_0002.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", ["\t", ",", ";", " "])
def test_lists_that_were_saved_again(root, encoding, separator):
    """Byte-order mark, tabs, commas, CRLF, folders, 1.0: every row counts, the first too."""
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    rows = (f"aligned\\train_{number:05d}.jpg{separator}{number}.0\r\n" for number in range(1, 8))
    labels.write_bytes("".join(rows).encode(encoding))
    data = rafdb.load(root)
    assert len(data.table) == 7
    assert [problem.file for problem in data.problems] == ["(whole set)"]


def test_the_originals_are_photographs(root):
    """The other view, whatever the case of its extensions."""
    data = rafdb.load(root, view="original")
    assert data.table["image"].tolist() == ["basic/Image/original/train_00001.JPG"]
    assert not data.card.cropped


def test_unknown_view_missing_images_and_other_folders_are_refused(root, tmp_path):
    """Each with a message that says what to do."""
    with pytest.raises(PlanError, match="no view 'x'"):
        rafdb.load(root, view="x")
    other = tmp_path / "other" / "EmoLabel"
    other.mkdir(parents=True)
    (other / "list_patition_label.txt").write_text("train_00001.jpg 1\n")
    with pytest.raises(DatasetError, match="expected the images in Image/aligned"):
        rafdb.load(other.parent)
    with pytest.raises(DatasetError, match="found no such list"):
        rafdb.load(root / "basic" / "Image")


def test_published_counts():
    """12 271 images to train on and 3 068 to test on."""
    assert sum(rafdb.CARD.counts.values()) == 12_271 + 3_068


def test_the_case_of_a_listed_name_does_not_matter(root):
    """Lists were written on systems that take TRAIN_00001.jpg and train_00001.jpg for one file."""
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.write_text("TRAIN_00001.jpg 1\n")
    assert rafdb.load(root).table["image"].tolist() == [
        "basic/Image/aligned/train_00001_aligned.jpg"
    ]
