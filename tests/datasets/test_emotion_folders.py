"""A folder per emotion, and who is in the pictures."""

import pytest

from emorank.datasets import emotion_folders
from emorank.errors import DatasetError, PlanError


def test_nearest_folder_named_after_an_emotion(tmp_path, picture):
    """Synonyms, numbers before the word, parts above; everything else is told."""
    for name in ("train/Angry/1.png", "test/03_happiness/x.jpg", "sad/sub/2.png", "other/3.png"):
        picture(tmp_path / name)
    picture(tmp_path / "4.png")
    data = emotion_folders.load(tmp_path)
    assert dict(zip(data.table["image"], data.table["emotion"], strict=True)) == {
        "train/Angry/1.png": "anger",
        "test/03_happiness/x.jpg": "happy",
        "sad/sub/2.png": "sadness",
    }
    assert data.table["person"].isna().all()
    assert not data.card.cropped
    assert emotion_folders.load(tmp_path, cropped=True).card.cropped
    told = {problem.file: problem.reason for problem in data.problems}
    assert told == dict.fromkeys((".", "other"), "1 images in no folder named after an emotion")


def test_equal_file_names_are_persons(tmp_path, picture):
    """Where every emotion folder holds the same names, a name is a person."""
    for emotion in ("happiness", "neutral"):
        for person in ("ann", "ben", "cleo"):
            picture(tmp_path / emotion / f"{person}.jpg")
    data = emotion_folders.load(tmp_path)
    assert data.table.groupby("person").size().to_dict() == {"ann": 2, "ben": 2, "cleo": 2}
    assert "(ann, ben, cleo …), so each name is taken for a person" in data.assumed


def test_a_person_is_one_however_disks_spell_the_name(tmp_path, picture):
    """Decomposed in one folder and composed in the other, by equal names and by a pattern."""
    for emotion, names in (("happy", ("Zoe\u0308", "ann")), ("neutral", ("Zo\u00eb", "ann"))):
        for name in names:
            picture(tmp_path / emotion / f"{name}.jpg")
    for options in ({}, {"person": "(?P<person>Zo\u00eb|ann)"}):
        table = emotion_folders.load(tmp_path, **options).table
        assert table.groupby("person").size().to_dict() == {"Zo\u00eb": 2, "ann": 2}


def test_numbered_downloads_are_not_persons(tmp_path, picture):
    """im0 … im9 in one folder and im0 … im2 in the other say nothing of who is in them."""
    for number in range(10):
        picture(tmp_path / "happy" / f"im{number}.png")
    for number in range(3):
        picture(tmp_path / "sad" / f"im{number}.png")
    assert emotion_folders.load(tmp_path).table["person"].isna().all()


@pytest.mark.parametrize("name", ["im{}", "{:03d}", "IMG_{:04d}", "image ({})"])
def test_numbers_in_every_folder_are_not_persons(tmp_path, picture, name):
    """Even where all folders are of one size; what was assumed is told, with the way out."""
    for emotion in ("happy", "sad"):
        for number in range(6):
            picture(tmp_path / emotion / f"{name.format(number)}.png")
    data = emotion_folders.load(tmp_path)
    assert data.table["person"].isna().all()
    assert "persons are taken as not known" in data.assumed
    option = data.assumed.partition("person=")[2].strip("'")
    told = emotion_folders.load(tmp_path, person=option)
    assert told.table["person"].nunique() == 6
    assert told.assumed == ""


def test_the_same_names_in_two_parts_are_not_persons(tmp_path, picture):
    """A name that one emotion holds twice cannot be trusted."""
    for part in ("train", "test"):
        for emotion in ("happy", "sad"):
            picture(tmp_path / part / emotion / "1.png")
    assert emotion_folders.load(tmp_path).table["person"].isna().all()


def test_a_regular_expression_names_the_person(tmp_path, picture):
    """Its group is the person; images without a match have none."""
    for name in ("happy/p7_1.png", "happy/p8_1.png", "sad/p7_2.png", "sad/x.png"):
        picture(tmp_path / name)
    table = emotion_folders.load(tmp_path, person=r"^(?P<person>p\d+)_").table
    assert table["person"].fillna("-").tolist() == ["p7", "p8", "p7", "-"]


@pytest.mark.parametrize(
    ("expression", "error", "words"),
    [
        ("(", PlanError, "no regular expression"),
        (r"(\d+)", PlanError, "no group named person"),
        (r"(?P<person>\d{9})", DatasetError, "matches no file name such as 'a.png'"),
    ],
)
def test_bad_expressions_are_refused(tmp_path, picture, expression, error, words):
    """Not valid, without the group, or without a single match."""
    picture(tmp_path / "happy" / "a.png")
    with pytest.raises(error) as caught:
        emotion_folders.load(tmp_path, person=expression)
    assert words in str(caught.value)


def test_no_emotion_folder_is_an_error(tmp_path, picture):
    """The message lists the folders that are there."""
    picture(tmp_path / "cats" / "a.png")
    assert not emotion_folders.recognise(tmp_path)
    with pytest.raises(DatasetError, match="found 1 images elsewhere, folders: cats"):
        emotion_folders.load(tmp_path)


def test_real_photographs(london):
    """The London faces: 102 adults, each neutral and smiling, known by the file name."""
    assert emotion_folders.load(london).table["person"].isna().all()
    data = emotion_folders.load(london, person=r"(?P<person>\d+)")
    assert len(data.table) == 204
    assert data.table["emotion"].value_counts().to_dict() == {"happy": 102, "neutral": 102}
    assert data.table["person"].nunique() == 102
    assert [problem.file for problem in data.problems] == ["(3 files)"]  # licence, citation, table
    assert data.read("neutral/001.jpg").shape == (256, 256, 3)


@pytest.mark.parametrize(("shared", "persons"), [(9, 10), (8, 0)])
def test_persons_need_nine_tenths_of_the_names(tmp_path, picture, shared, persons):
    """As file names that every emotion folder holds, of all file names."""
    for number in range(10):
        picture(tmp_path / "happy" / f"p{number}.png")
    for number in range(shared):
        picture(tmp_path / "sad" / f"p{number}.png")
    assert emotion_folders.load(tmp_path).table["person"].nunique() == persons


def test_one_emotion_alone_does_not_say_who_is_who(tmp_path, picture):
    """Its file names are shared with nobody."""
    picture(tmp_path / "happy" / "a.png")
    picture(tmp_path / "happy" / "b.png")
    assert emotion_folders.load(tmp_path).table["person"].isna().all()
