"""AffectNet in both layouts, with hostile lists and annotations."""

import numpy as np
import pytest
from PIL import Image

from emorank.datasets import affectnet
from emorank.errors import DatasetError, ImageError

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,"
    "facial_landmarks,expression,valence,arousal\n"
)


def listed(root, rows, name="training.csv", header=HEADER):
    root.mkdir(parents=True, exist_ok=True)
    lines = [f"{image},40,30,20,20,1;2;3,{expression},0.1,0.2" for image, expression in rows]
    (root / name).write_text(header + "\n".join(lines) + "\n")


def test_the_older_lists(tmp_path, picture):
    """Eight expressions are read, the other three are told by number; persons are unknown."""
    rows = [(f"1/{n}.jpg", n) for n in range(11)]
    for image, _ in rows:
        picture(tmp_path / "Manually_Annotated_Images" / image, size=100)
    listed(tmp_path, rows)
    picture(tmp_path / "Manually_Annotated_Images" / "2" / "v.jpg", size=100)
    listed(tmp_path, [("2/v.jpg", 1)], "validation.csv")
    assert affectnet.recognise(tmp_path)
    data = affectnet.load(tmp_path)
    assert not data.card.cropped
    assert data.table["person"].isna().all()
    assert data.table["emotion"].tolist() == [
        *("neutral", "happy", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
        "happy",
    ]
    assert data.table["image"].iloc[0] == "Manually_Annotated_Images/1/0.jpg"
    told = {(problem.file, problem.reason) for problem in data.problems}
    assert ("(1 images)", "expression 8, none") in told
    assert ("(1 images)", "expression 10, no face") in told


def test_the_listed_face_is_cut_out(tmp_path):
    """The box with half of itself on every side, and never beyond the picture."""
    pixels = np.zeros((100, 120, 3), np.uint8)
    pixels[30:50, 40:60] = 255
    (tmp_path / "1").mkdir()
    Image.fromarray(pixels).save(tmp_path / "1" / "a.png")
    Image.fromarray(pixels).save(tmp_path / "1" / "b.png")
    listed(tmp_path, [("1/a.png", 1), ("1/b.png", 1)])
    text = (tmp_path / "training.csv").read_text()
    (tmp_path / "training.csv").write_text(text.replace("b.png,40,30,20,20", "b.png,900,900,9,9"))
    data = affectnet.load(tmp_path)
    face = data.read("1/a.png")
    assert face.shape == (40, 40, 3)
    np.testing.assert_array_equal(face, pixels[20:60, 30:70])
    assert data.read("1/b.png").shape == (100, 120, 3)  # a box outside: the whole picture
    with pytest.raises(ImageError):
        data.read("1/none.png")


def test_bad_rows_are_told_by_reason(tmp_path, picture):
    """Missing files, paths that leave the folder, repetitions, no expression."""
    picture(tmp_path / "data" / "1" / "a.jpg")
    picture(tmp_path / "secret.jpg")
    rows = [
        ("1/a.jpg", 1),
        ("1/a.jpg", 2),
        ("1/gone.jpg", 1),
        ("../secret.jpg", 1),
        ("/etc/passwd", 1),
        ("1/a.jpg", "nan"),
        ("1/a.jpg", 99),
    ]
    listed(tmp_path / "data", rows)
    data = affectnet.load(tmp_path / "data")
    assert data.table["image"].tolist() == ["1/a.jpg"]
    told = {problem.reason: problem.file for problem in data.problems}
    assert told["the path leaves the data folder"] == "(2 images)"
    assert told["the image file is missing"] == "(1 images)"
    assert told["the image is listed again"] == "(1 images)"
    assert told["no expression"] == "(2 images)"


def test_a_list_with_missing_columns_is_refused(tmp_path):
    """The message names what is missing."""
    listed(tmp_path, [], header="subDirectory_filePath,face_x\n")
    with pytest.raises(DatasetError, match="lacks the columns face_y"):
        affectnet.load(tmp_path)


def test_a_list_that_is_no_csv_is_refused(tmp_path, picture):
    """A field without end is an error with its line, not a crash."""
    picture(tmp_path / "1" / "a.jpg")
    listed(tmp_path, [("1/a.jpg", 1)])
    with (tmp_path / "training.csv").open("a") as file:
        file.write('"' + "x" * 200_000)
    with pytest.raises(DatasetError, match="is no CSV"):
        affectnet.load(tmp_path)


def annotated(root, part, name, value, picture):
    picture(root / part / "images" / f"{name}.jpg")
    folder = root / part / "annotations"
    folder.mkdir(exist_ok=True)
    if value is not None:
        np.save(folder / f"{name}_exp.npy", value, allow_pickle=True)


def test_the_2021_layout(tmp_path, picture):
    """Ids repeat across the parts; expressions are strings in arrays without dimensions."""
    annotated(tmp_path, "train_set", "0", np.array("1"), picture)
    annotated(tmp_path, "train_set", "1", np.array(7), picture)
    annotated(tmp_path, "val_set", "0", np.array(["6"]), picture)
    assert affectnet.recognise(tmp_path)
    data = affectnet.load(tmp_path)
    assert data.card.cropped
    assert dict(zip(data.table["image"], data.table["emotion"], strict=True)) == {
        "train_set/images/0.jpg": "happy",
        "train_set/images/1.jpg": "contempt",
        "val_set/images/0.jpg": "anger",
    }
    assert data.read("val_set/images/0.jpg").shape == (20, 20, 3)


class Trap:
    """What a pickle in an annotation could do."""

    ran = False

    def __reduce__(self):
        return (setattr, (Trap, "ran", True))


def test_a_pickled_annotation_is_refused(tmp_path, picture):
    """Nothing in it runs; the image is left out and told."""
    annotated(tmp_path, "val_set", "0", np.array("1"), picture)
    annotated(tmp_path, "val_set", "1", np.array(Trap(), dtype=object), picture)
    annotated(tmp_path, "val_set", "2", np.array([1, 2]), picture)
    annotated(tmp_path, "val_set", "3", None, picture)
    annotated(tmp_path, "val_set", "4", np.array("9"), picture)
    annotated(tmp_path, "val_set", "5", np.array(np.inf), picture)
    (tmp_path / "val_set" / "annotations" / "3_exp.npy").write_bytes(b"\x93NUMPY garbage")
    annotated(tmp_path, "val_set", "6", None, picture)
    data = affectnet.load(tmp_path)
    assert not Trap.ran
    assert data.table["image"].tolist() == ["val_set/images/0.jpg"]
    told = {problem.reason: problem.file for problem in data.problems}
    assert told["the annotation file is no plain array of one number"] == "(4 images)"
    assert told["the annotation file is missing"] == "(1 images)"
    assert told["expression 9, uncertain"] == "(1 images)"


def test_published_counts():
    """287 651 images to train on, and 500 of each expression to validate on but for one."""
    assert sum(affectnet.CARD.counts.values()) == 287_651 + 3_999


def test_another_folder_is_refused(tmp_path, picture):
    """A CSV file of the same name with other content is no AffectNet."""
    picture(tmp_path / "a.jpg")
    (tmp_path / "training.csv").write_text("a,b\n1,2\n")
    assert not affectnet.recognise(tmp_path)
    with pytest.raises(DatasetError, match="expected AffectNet"):
        affectnet.load(tmp_path)


def test_spaces_around_the_columns_of_a_list_do_not_matter(tmp_path, picture):
    """As somebody's spreadsheet writes them."""
    picture(tmp_path / "1" / "a.jpg")
    header = ",".join(f" {name.upper()} " for name in affectnet._FIELDS) + "\n"
    listed(tmp_path, [("1/a.jpg", 1)], header=header)
    assert affectnet.recognise(tmp_path)
    assert affectnet.load(tmp_path).table["emotion"].tolist() == ["happy"]


def test_an_empty_list_is_no_affectnet(tmp_path, picture):
    """Nor is one that cannot be read as CSV."""
    picture(tmp_path / "1" / "a.jpg")
    (tmp_path / "training.csv").write_text("")
    assert not affectnet.recognise(tmp_path)
    (tmp_path / "training.csv").write_bytes(b"\0\0")
    assert not affectnet.recognise(tmp_path)


def test_the_last_columns_of_a_list_may_be_missing(tmp_path, picture):
    """Valence and arousal are not read."""
    picture(tmp_path / "1" / "a.jpg")
    header = ",".join(affectnet._FIELDS[:7])
    (tmp_path / "training.csv").write_text(f"{header}\n1/a.jpg,0,0,9,9,0;0,1\n")
    assert affectnet.load(tmp_path).table["emotion"].tolist() == ["happy"]
