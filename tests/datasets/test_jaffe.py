"""JAFFE from its file names."""

import pytest

from emorank.datasets import jaffe
from emorank.datasets.inspect import TABLE_2
from emorank.errors import DatasetError
from emorank.vocabulary import Emotion

NAMES = {
    "KA.AN1.39.tiff": "anger",
    "KA.DI1.42.tiff": "disgust",
    "KL.FE2.175.tiff": "fear",
    "KL.HA1.158.tiff": "happy",
    "KM.NE3.3.tiff": "neutral",
    "MK.SA1.121.tiff": "sadness",
    "YM.SU1.58.tiff": "surprise",
}


def test_names_say_person_and_emotion(tmp_path, picture):
    """Each of the seven codes; NE is neutral, not the contempt of the paper's Table 2."""
    for name in NAMES:
        picture(tmp_path / "jaffedbase" / name)
    (tmp_path / "jaffedbase" / "README").write_text("x")
    assert jaffe.recognise(tmp_path)
    data = jaffe.load(tmp_path)
    found = dict(zip(data.table["image"], data.table["emotion"], strict=True))
    assert found == {f"jaffedbase/{name}": emotion for name, emotion in NAMES.items()}
    assert set(data.table["person"]) == {"KA", "KL", "KM", "MK", "YM"}
    assert data.table["sequence"].isna().all()
    assert data.read("jaffedbase/KA.AN1.39.tiff").shape == (20, 20, 3)


def test_conversions_and_lower_case_are_accepted_once(tmp_path, picture):
    """A PNG beside its TIFF is a copy; the original is kept."""
    picture(tmp_path / "png" / "ka.an1.39.png")
    picture(tmp_path / "tiff" / "KA.AN1.39.TIF")
    picture(tmp_path / "png" / "KA-HA1-29.jpg")
    data = jaffe.load(tmp_path)
    assert data.table["image"].tolist() == ["png/KA-HA1-29.jpg", "tiff/KA.AN1.39.TIF"]
    reasons = {problem.file: problem.reason for problem in data.problems}
    assert reasons["png/ka.an1.39.png"] == "is a copy of tiff/KA.AN1.39.TIF"


def test_published_counts():
    """213 images in all; Table 2 of the paper says 30 for each of seven."""
    assert sum(jaffe.CARD.counts.values()) == 213
    assert Emotion.CONTEMPT not in jaffe.CARD.counts
    assert sum(TABLE_2["JAFFE"].values()) == 210


def test_a_partial_copy_is_told(tmp_path, picture):
    """A deviation from the published counts is a problem, a strange file another one."""
    picture(tmp_path / "KA.AN1.39.tiff")
    picture(tmp_path / "holiday.jpg")
    problems = {problem.file: problem.reason for problem in jaffe.load(tmp_path).problems}
    assert "expected 213 images as published, found 1" in problems["(whole set)"]
    assert "is not named like" in problems["holiday.jpg"]


def test_a_complete_copy_has_no_problems(tmp_path, picture):
    """213 images with the published distribution pass without a word."""
    number = 0
    codes = {emotion: code for code, emotion in jaffe.CODES.items()}
    for emotion, count in jaffe.CARD.counts.items():
        for index in range(count):
            number += 1
            picture(tmp_path / f"K{'ABCDEFGHIJ'[index % 10]}.{codes[emotion]}1.{number}.png")
    data = jaffe.load(tmp_path)
    assert len(data.table) == 213
    assert data.problems == ()


def test_another_folder_is_refused(tmp_path, picture):
    """The message says what was expected and what was found."""
    picture(tmp_path / "a.png")
    assert not jaffe.recognise(tmp_path)
    with pytest.raises(DatasetError, match=r"expected JAFFE's files .* found 1 images"):
        jaffe.load(tmp_path)
