"""FER2013 out of one CSV file, with FER+ votes."""

import pickle  # noqa: TID251 - readers travel to worker processes; nothing is stored
from pathlib import Path

import numpy as np
import pytest

from emorank.datasets import fer2013
from emorank.errors import DatasetError, ImageError, PlanError
from emorank.vocabulary import Emotion

VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FERPLUS = Path(__file__).parents[3] / "shared" / "data" / "ferplus_votes" / "fer2013new.csv"


def pixels(value: int, number: int = 2304) -> str:
    return " ".join([str(value)] * number)


@pytest.fixture
def root(tmp_path):
    ramp = " ".join(str(index % 256) for index in range(2304))
    rows = [
        f"0,{ramp},Training",
        f"3,{pixels(200)},PublicTest",
        f'6,"{pixels(5)}",PrivateTest',
        f"1,{pixels(9, 2303)},Training",
        f"7,{pixels(9)},Training",
        f"2,{pixels(300)},Training",
    ]
    (tmp_path / "fer2013").mkdir()
    (tmp_path / "fer2013" / "fer2013.csv").write_text(
        "emotion,pixels,Usage\n" + "\n".join(rows) + "\n"
    )
    return tmp_path


def test_rows_are_images(root):
    """Ids are row numbers, the reader decodes a row, damaged rows are told."""
    assert fer2013.recognise(root)
    data = fer2013.load(root)
    assert dict(zip(data.table["image"], data.table["emotion"], strict=True)) == {
        "fer0000000": "anger",
        "fer0000001": "happy",
        "fer0000002": "neutral",
        "fer0000005": "fear",
    }
    face = data.read("fer0000000")
    assert face.shape == (48, 48, 3)
    assert face.dtype == np.uint8
    np.testing.assert_array_equal(face[..., 1].reshape(-1), np.arange(2304) % 256)
    np.testing.assert_array_equal(data.read("fer0000002"), np.full((48, 48, 3), 5))
    told = {problem.reason: problem.file for problem in data.problems}
    assert told["the row does not have 2304 pixels"] == "(1 rows)"
    assert told["no label from 0 to 6"] == "(1 rows)"


def test_a_row_that_cannot_be_decoded_is_an_image_error(root):
    """A value above 255, and a row that does not exist."""
    data = fer2013.load(root)
    for image in ("fer0000005", "fer0000003", "fer9999999", "../x"):
        with pytest.raises(ImageError, match=image):
            data.read(image)


def test_the_reader_travels_to_other_processes(root):
    """It is a value, not a closure."""
    data = fer2013.load(root)
    again = pickle.loads(pickle.dumps(data.read))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again("fer0000001"), data.read("fer0000001"))


def test_the_other_release_has_other_columns(tmp_path):
    """`icml_face_data.csv` writes its columns in another order and with spaces."""
    (tmp_path / "icml_face_data.csv").write_text(
        f"emotion, Usage, pixels\r\n4,Training,{pixels(77)}\r\n"
    )
    data = fer2013.load(tmp_path)
    assert data.table["emotion"].tolist() == ["sadness"]
    np.testing.assert_array_equal(data.read("fer0000000"), np.full((48, 48, 3), 77))


def test_ferplus_votes_replace_the_labels(root):
    """The most votes decide; ties, unknown and no face are told by number."""
    lines = [
        "Training,a.png,0,0,0,0,0,0,0,9,1,0",  # contempt
        "Training,b.png,5,5,0,0,0,0,0,0,0,0",  # a tie
        "Training,c.png,0,0,0,0,0,0,0,0,10,0",  # unknown
        "Training,d.png,9,0,0,0,0,0,0,0,0,0",
        "Training,,0,0,0,0,0,0,0,0,0,10",  # no face
        "Training,f.png,0,0,0,0,0,0,6,0,2,2",  # fear
    ]
    (root / "fer2013" / "fer2013new.csv").write_text("\n".join([VOTES, *lines]) + "\n")
    data = fer2013.load(root)
    assert data.card.name == "FER+"
    assert data.table["emotion"].tolist() == ["contempt", "fear"]
    told = {problem.reason: problem.file for problem in data.problems}
    assert told["FER+: no emotion has more votes than every other"] == "(1 rows)"
    assert told["FER+: most votes for 'unknown'"] == "(1 rows)"
    assert told["FER+: most votes for 'NF'"] == "(1 rows)"
    assert fer2013.load(root, labels="fer2013").card.name == "FER2013"


def test_votes_for_other_rows_are_refused(root):
    """The two files must have the same number of rows; votes must be numbers."""
    votes = root / "fer2013" / "fer2013new.csv"
    votes.write_text(VOTES + "\nTraining,a.png,1,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(DatasetError, match="votes for 1 rows, the pixels have 6"):
        fer2013.load(root)
    votes.write_text(VOTES + "\nTraining,a.png,many,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(DatasetError, match="no whole number"):
        fer2013.load(root)
    votes.write_text("a,b\n")
    with pytest.raises(DatasetError, match="lacks the columns neutral"):
        fer2013.load(root)


def test_other_columns_and_options_are_refused(root, tmp_path):
    """A CSV file without pixels, labels that do not exist, votes that are not there."""
    with pytest.raises(PlanError, match="labels is 'x'"):
        fer2013.load(root, labels="x")
    with pytest.raises(DatasetError, match="need fer2013new"):
        fer2013.load(root, labels="ferplus")
    other = tmp_path / "other"
    other.mkdir()
    (other / "fer2013.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="expected the columns emotion, pixels"):
        fer2013.load(other)


def test_published_counts():
    """35 887 images in all."""
    assert sum(fer2013.CARD.counts.values()) == 35_887


def test_majorities_of_the_published_votes():
    """Every row of FER+ gets an emotion or a reason; happiness is far ahead of contempt."""
    if not FERPLUS.is_file():
        pytest.skip("the FER+ votes are not beside this repository (../shared/data)")
    votes = np.loadtxt(FERPLUS, delimiter=",", skiprows=1, usecols=range(2, 12), dtype=int)
    found = [fer2013.majority(row) for row in votes[:5000]]
    assert found[0] is Emotion.NEUTRAL or isinstance(found[0], str)
    assert found.count(Emotion.HAPPY) > 10 * found.count(Emotion.CONTEMPT) > 0


def test_rows_are_counted_without_empty_lines(tmp_path):
    """Pixels in the last column may be quoted; a row that ends early has no label."""
    text = f'Usage,emotion,pixels\n\nTraining,3,"{pixels(7)}"\nx\nTraining,4,{pixels(8)}\n'
    (tmp_path / "fer2013.csv").write_text(text)
    data = fer2013.load(tmp_path)
    assert data.table["image"].tolist() == ["fer0000000", "fer0000002"]
    assert data.table["emotion"].tolist() == ["happy", "sadness"]
    np.testing.assert_array_equal(data.read("fer0000000"), np.full((48, 48, 3), 7))
    np.testing.assert_array_equal(data.read("fer0000002"), np.full((48, 48, 3), 8))


def test_a_file_is_no_folder_of_the_data_set(root):
    """The error names the folder that is expected, not a column that is missing."""
    with pytest.raises(DatasetError, match="is a file; expected the folder"):
        fer2013.load(next(file for file in root.rglob("*.csv")))
