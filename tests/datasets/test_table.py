"""The table every adapter returns, and the ids that must not leave their folder."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emorank import images
from emorank.datasets.table import COLUMNS, Card, Problem, dataset, inside, plain, published
from emorank.errors import DatasetError, ImageError
from emorank.vocabulary import Emotion

CARD = Card("X", "x", "free", "me", "", cropped=True, counts={Emotion.ANGER: 2})

ESCAPES = [
    "../a.png",
    "a/../../b.png",
    "/etc/passwd",
    "C:\\a.png",
    "C:/a.png",
    "..\\a.png",
    "\\\\server\\a.png",
    "",
    " ",
    "a\0.png",
    "a\n.png",
]


def test_rows_get_the_columns_and_dtypes(tmp_path):
    """Absent columns are <NA>, foreign ones are dropped, rows are sorted by image."""
    rows = [
        {"image": "b.png", "emotion": "fear", "frame": 3, "colour": "red"},
        {"image": "a.png", "emotion": None, "frame": None},
    ]
    table = dataset(CARD, tmp_path, rows).table
    assert dict(table.dtypes) == COLUMNS
    assert table["image"].tolist() == ["a.png", "b.png"]
    assert table["frame"].tolist() == [pd.NA, 3]
    assert table["emotion"].isna().tolist() == [True, False]
    assert table["person"].isna().all()
    assert table["intensity"].isna().all()


def test_names_that_differ_only_in_their_encoding(tmp_path):
    """Persons are one; of two files one is left out and listed, for nobody could name the other."""
    rows = [
        {"image": "Zoe\u0308.png", "emotion": "fear", "person": "Zoe\u0308"},
        {"image": "Zo\u00eb.png", "emotion": "fear", "person": "Zo\u00eb"},
        {"image": "b.png", "emotion": "fear", "person": "Zo\u00eb ", "sequence": "1.0"},
    ]
    data = dataset(replace(CARD, counts=None), tmp_path, rows)
    assert len(data.table) == 2
    assert set(data.table["person"]) == {"Zo\u00eb"}
    assert data.table["sequence"].tolist()[1] == "1"
    assert [problem.file for problem in data.problems] == ["Zo\u00eb.png"]
    assert "letters encoded otherwise" in data.problems[0].reason


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "found none that can be used"),
        ([{"image": "a"}, {"image": "a"}], "more than once"),
        ([{"image": "a", "emotion": "Angry"}], "names no emotion"),
        ([{"image": "a", "intensity": 1.5}], "outside [0, 1]"),
        ([{"image": "a", "intensity": -0.1}], "outside [0, 1]"),
        ([{"image": None}], "have no image"),
    ],
)
def test_impossible_rows_are_refused(tmp_path, rows, words):
    """No rows, a repeated image, an unknown emotion or intensity, each with its message."""
    with pytest.raises(DatasetError) as caught:
        dataset(CARD, tmp_path, rows)
    assert words in str(caught.value)


def test_nothing_usable_says_why(tmp_path):
    """Where every file was left out, the first reason is in the message."""
    with pytest.raises(DatasetError, match=r"2 files were left out.*a\.png \(is black\)"):
        dataset(CARD, tmp_path, [], [Problem("a.png", "is black"), Problem("b.png", "too")])


@pytest.mark.parametrize("image", ESCAPES)
def test_an_image_must_stay_below_the_root(tmp_path, image):
    """Absolute paths, drives, dots and control characters are refused on every system."""
    assert not plain(image)
    with pytest.raises(DatasetError, match="leaves the data folder"):
        inside(tmp_path, image)


def test_a_link_out_of_the_root_is_refused(tmp_path, picture):
    """A link is judged by where it leads, a link inside the root is fine."""
    picture(tmp_path / "secret.png")
    root = tmp_path / "root"
    picture(root / "a.png", grey=7)
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "in.png").symlink_to(root / "a.png")
    with pytest.raises(DatasetError, match="is a link that leaves"):
        inside(root, "out.png")
    assert inside(root, "in.png").is_file()


@given(st.text(max_size=30))
def test_whatever_is_accepted_stays_inside(tmp_path_factory, image):
    """No text gives a path outside the root."""
    root = tmp_path_factory.getbasetemp()
    if plain(image):
        assert (root / image).resolve().is_relative_to(root.resolve())


def test_the_reader_reads_below_the_root(tmp_path, picture):
    """An id is read as upright RGB; one that is missing is an ImageError."""
    picture(tmp_path / "a" / "b.png", grey=9)
    data = dataset(CARD, tmp_path, [{"image": "a/b.png"}])
    np.testing.assert_array_equal(data.read("a/b.png"), np.full((20, 20, 3), 9))
    with pytest.raises(ImageError, match=r"c\.png"):
        data.read("c.png")


def test_deviation_from_the_published_counts_is_one_row():
    """It says how many are there and which emotions are off; nothing where all is well."""
    assert published(CARD, ["anger", "anger"]) == ()
    (problem,) = published(CARD, ["anger", "fear"])
    assert "expected 2 images as published, found 2" in problem.reason
    assert "anger 1 of 2" in problem.reason
    assert "fear 1 of 0" in problem.reason


def test_a_card_says_photographs_unless_told_otherwise():
    """Nothing is rendered or aligned by default."""
    assert not CARD.simulated
    assert not CARD.aligned


def test_the_ends_of_the_scale_and_unknown_values_are_allowed(tmp_path):
    """Intensity 0 and 1, and rows without emotion or intensity; the index counts from 0."""
    rows = [
        {"image": "b", "emotion": None, "intensity": None},
        {"image": "c", "emotion": "fear", "intensity": 1.0},
        {"image": "a", "emotion": "neutral", "intensity": 0.0},
    ]
    table = dataset(CARD, tmp_path, rows).table
    assert table["intensity"].tolist() == [0.0, pd.NA, 1.0]
    assert table.index.tolist() == [0, 1, 2]


def test_rows_without_the_column_image_are_no_images(tmp_path):
    """Other columns alone do not make a table of faces."""
    with pytest.raises(DatasetError, match=r"found none that can be used$"):
        dataset(CARD, tmp_path, [{"emotion": "fear"}])


def test_attributes_are_there_only_if_known(tmp_path):
    """As words, whatever they were."""
    table = dataset(CARD, tmp_path, [{"image": "a", "age": 31, "person": "p"}]).table
    assert list(table.columns) == [*COLUMNS, "age"]
    assert table["age"].tolist() == ["31"]


def test_a_root_that_is_a_link_is_a_root(tmp_path, picture):
    """Images are compared with the folder to which it leads."""
    picture(tmp_path / "real" / "a.png")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real", target_is_directory=True)
    assert inside(link, "a.png").is_file()


def test_a_set_without_published_counts_has_no_deviation():
    """There is nothing to compare with."""
    assert published(replace(CARD, counts=None), ["anger"]) == ()


def test_small_images_by_their_headers(tmp_path, monkeypatch):
    """Of a file below the root, whatever its end is like; not of others, nor of what is no file."""
    (tmp_path / "root").mkdir()
    for place in ("root/a.png", "b.png"):
        Image.new("RGB", (60, 50)).save(tmp_path / place)
    data = (tmp_path / "root/a.png").read_bytes()
    (tmp_path / "root/cut.png").write_bytes(data[: len(data) // 2])
    found = dataset(CARD, tmp_path / "root", [{"image": "a.png"}])
    names = ["a.png", "cut.png", "../b.png", "absent.png", ""]
    assert [found.is_small(name) for name in names] == [True, True, False, False, False]
    monkeypatch.setattr(images, "SMALL", images.Limits(pixels=2999))
    assert not found.is_small("a.png")
