"""Recognising a layout, and the messages where there is nothing to recognise."""

import subprocess
import sys

import numpy as np
import pytest

from emorank import datasets
from emorank.datasets import sample
from emorank.errors import DatasetError, PlanError


def jaffe(root, picture):
    picture(root / "KA.AN1.39.tiff")


def kdef(root, picture):
    picture(root / "KDEF" / "AF01" / "AF01ANS.JPG")


def ck48(root, picture):
    picture(root / "anger" / "S010_004_00000017.png")


def sequences(root, picture):
    picture(root / "cohn-kanade-images" / "S011" / "001" / "S011_001_00000001.png")
    label = root / "Emotion" / "S011" / "001" / "S011_001_00000001_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("1.0")


def affectnet(root, picture):
    picture(root / "val_set" / "images" / "0.jpg")
    (root / "val_set" / "annotations").mkdir()
    np.save(root / "val_set" / "annotations" / "0_exp.npy", np.array("1"))


def fer2013(root, picture):
    root.mkdir(parents=True, exist_ok=True)
    (root / "fer2013.csv").write_text(f"emotion,pixels,Usage\n0,{'1 ' * 2304},Training\n")


def rafdb(root, picture):
    picture(root / "Image" / "aligned" / "train_00001_aligned.jpg")
    (root / "EmoLabel").mkdir()
    (root / "EmoLabel" / "list_patition_label.txt").write_text("train_00001.jpg 1\n")


def folder(root, picture):
    picture(root / "happy" / "a.png")


def manifest(root, picture):
    picture(root / "happy" / "a.png")
    (root / "manifest.csv").write_text("image,emotion\nhappy/a.png,happy\n")


LAYOUTS = [
    ("jaffe", jaffe),
    ("kdef", kdef),
    ("ckplus", ck48),
    ("ckplus", sequences),
    ("affectnet", affectnet),
    ("fer2013", fer2013),
    ("rafdb", rafdb),
    ("folder", folder),
    ("manifest", manifest),
]


@pytest.mark.parametrize(("name", "layout"), LAYOUTS)
def test_every_layout_is_recognised_and_loaded(tmp_path, picture, name, layout):
    """The special wins over the general: CK+48 is also a folder per emotion."""
    layout(tmp_path, picture)
    assert datasets.recognise(tmp_path) == name
    for given in ("auto", name):
        data = datasets.load(tmp_path, given)
        assert len(data.table) >= 1
        assert data.read(data.table["image"].iloc[0]).dtype == np.uint8


def test_the_wrong_name_is_told_the_right_one(tmp_path, picture):
    """A KDEF folder taken for JAFFE."""
    kdef(tmp_path, picture)
    with pytest.raises(DatasetError, match=r"expected JAFFE's files.*looks like 'kdef'"):
        datasets.load(tmp_path, "jaffe")


def test_a_specific_set_may_be_read_as_a_plain_folder(tmp_path, picture):
    """The name given decides."""
    ck48(tmp_path, picture)
    assert datasets.load(tmp_path, "folder").card.name == "folder"


def test_nothing_to_recognise(tmp_path, picture):
    """No such folder, an empty one, one without a known layout, a file that is no table."""
    with pytest.raises(DatasetError, match="no such folder"):
        datasets.load(tmp_path / "none")
    with pytest.raises(DatasetError, match="no such folder"):
        datasets.load(tmp_path / "none", "kdef")
    with pytest.raises(DatasetError, match="an empty folder"):
        datasets.load(tmp_path)
    picture(tmp_path / "cats" / "a.png")
    with pytest.raises(DatasetError, match=r"no known data set.*found cats"):
        datasets.load(tmp_path)
    with pytest.raises(DatasetError, match="found a file"):
        datasets.load(tmp_path / "cats" / "a.png")


def test_unknown_names_and_options_are_refused(tmp_path, picture):
    """Both say what there is."""
    kdef(tmp_path, picture)
    with pytest.raises(PlanError, match=r"'kdf' is not the name of .* auto or one of .*kdef"):
        datasets.load(tmp_path, "kdf")
    with pytest.raises(PlanError, match="kdef has no option person; it has angle, session"):
        datasets.load(tmp_path, person="x")


def test_options_reach_the_adapter(tmp_path, picture):
    """`load` passes what the adapter knows."""
    kdef(tmp_path, picture)
    with pytest.raises(DatasetError, match="of angle S and session B"):
        datasets.load(tmp_path, session="B")


def test_the_shipped_sample_needs_no_folder(tmp_path, monkeypatch, picture):
    """It is asked for by name, and its own folder is recognised; another one is refused."""
    root = tmp_path / "sample_faces"
    picture(root / "a.png")
    (root / "faces.csv").write_text("image,emotion,person,frame\na.png,happy,p1,1\n")
    (root / "persons.csv").write_text("person,gender,age,skin\np1,female,young,light\n")
    (root / "votes.csv").write_text("image,rater,rank\n")
    monkeypatch.setattr(sample, "_folder", lambda: root)
    assert datasets.recognise(root) == "sample"
    for data in (datasets.load(None, "sample"), datasets.load(root), datasets.load(root, "sample")):
        assert data.card.simulated
        assert data.table["person"].tolist() == ["p1"]
    with pytest.raises(PlanError, match="inside the package"):
        datasets.load(tmp_path, "sample")
    with pytest.raises(PlanError, match="needs a folder"):
        datasets.load(None, "kdef")
    with pytest.raises(PlanError, match="sample has no option angle"):
        datasets.load(None, "sample", angle="S")


def test_every_card_says_what_it_must():
    """Licence for all; citation and address for all that are published."""
    for name, adapter in datasets.ADAPTERS.items():
        card = adapter.CARD
        assert card.name
        assert card.title
        assert card.licence
        if name not in ("folder", "manifest"):
            assert card.citation
            assert card.url


def test_nothing_heavy_is_imported():
    """Listing data sets needs no PyTorch, OpenCV, SciPy or scikit-learn."""
    code = (
        "import sys, emorank.datasets, emorank.datasets.splits, emorank.datasets.leakage;"
        "print([m for m in ('torch', 'cv2', 'sklearn', 'scipy', 'matplotlib', 'imagehash')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_six_names_are_listed_of_what_is_there(tmp_path):
    """A folder of thousands would fill the terminal."""
    for name in "abcdefg":
        (tmp_path / name).mkdir()
    with pytest.raises(DatasetError, match=r"found a, b, c, d, e, f$"):
        datasets.load(tmp_path)
