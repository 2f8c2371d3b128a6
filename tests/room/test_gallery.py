"""Images to rate: those of the emotions asked for, and a line on what is left out."""

import numpy as np
import pandas as pd
import pytest
from tests.conftest import draw

from emorank.errors import RatingError
from emorank.room.gallery import gallery_of_dataset, gallery_of_faces


@pytest.fixture
def table():
    emotions = ["happy", "neutral", None, "fear", "happy"]
    names = [f"{number}.png" for number in range(len(emotions))]
    return pd.DataFrame({"image": names, "emotion": emotions}).astype("string")


def read(name):
    return np.zeros((4, 4, 3), np.uint8)


def test_neutral_and_unlabelled_faces_are_left_out_with_a_line_each(table):
    """Their expression is neither weak nor strong, or not known."""
    gallery = gallery_of_faces(table, read, (), "some faces", ["a.txt: no image"])
    assert gallery.images == (("0.png", "happy"), ("3.png", "fear"), ("4.png", "happy"))
    assert gallery.left_out == (
        "a.txt: no image",
        "1 images without an emotion",
        "1 images of the emotion neutral, which is not asked for",
    )
    assert (gallery.source, gallery.read) == ("some faces", read)


def test_only_what_is_asked_for_is_shown(table):
    """Neutral too, by any name that an emotion has."""
    gallery = gallery_of_faces(table, read, ["Neutral"], "some faces")
    assert gallery.images == (("1.png", "neutral"),)
    assert gallery.left_out[1:] == (
        "2 images of the emotion happy, which is not asked for",
        "1 images of the emotion fear, which is not asked for",
    )
    with pytest.raises(RatingError, match=r"some faces: no image .*asked for \(anger\)"):
        gallery_of_faces(table, read, ["anger"], "some faces")


def test_a_folder_of_images_alone_shows_the_one_emotion_that_is_named(tmp_path):
    """Which nothing but the user can know."""
    draw("happy", 1).save(tmp_path / "a.png")
    assert gallery_of_dataset(tmp_path, emotions=["happiness"]).images == (("a.png", "happy"),)
    for emotions in ((), ("happy", "fear")):
        with pytest.raises(RatingError, match=r"nothing says what to ask.*--emotions happy"):
            gallery_of_dataset(tmp_path, emotions=emotions)


def test_a_folder_per_emotion_is_read_as_a_data_set(tmp_path):
    """And what is no image there is named."""
    for emotion in ("happy", "fear"):
        (tmp_path / emotion).mkdir()
        draw("happy", 1).save(tmp_path / emotion / "a.png")
    gallery = gallery_of_dataset(tmp_path, emotions=["fear"])
    assert gallery.images == (("fear/a.png", "fear"),)
    assert gallery.left_out == ("1 images of the emotion happy, which is not asked for",)
