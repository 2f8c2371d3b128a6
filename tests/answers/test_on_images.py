"""What raters said of a study's images, from whatever file they said it in."""

import json

import pandas as pd
import pytest

from emorank.answers.answers_table import COLUMNS, answers_table
from emorank.answers.interchange import WRITERS, write_answers
from emorank.answers.on_images import answers_on as select
from emorank.errors import VotesError
from emorank.room.sources import read_answers


def answers_on(path, *images):
    """The answers of a file on images."""
    return select(read_answers(path), *images, source=path)


EMOTIONS = {"a.png": "happy", "b.png": "sadness", "c.png": "neutral"}


def rows(*lines):
    """Answers from `image emotion rater answer`."""
    names = ["image", "emotion", "rater", "answer"]
    return answers_table([dict(zip(names, line.split(), strict=True)) for line in lines])


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_every_file_of_answers_is_one(tmp_path, kind):
    """CSV, Parquet, JSON, Label Studio."""
    given = rows("a.png happy r Strong", "a.png happy s None", "b.png sadness r Average")
    path = tmp_path / "answers"
    path = write_answers(given, path.with_suffix(".parquet" if kind == "parquet" else ".x"), kind)
    table = answers_on(path, EMOTIONS)
    assert list(table.columns) == list(COLUMNS)
    columns = ["image", "rater", "answer"]
    pd.testing.assert_frame_equal(
        table[columns].sort_values(columns, ignore_index=True),
        given[columns].sort_values(columns, ignore_index=True),
    )


def test_of_several_questions_that_of_the_image_counts(tmp_path):
    """Whatever else was asked of it, in whichever usual word; a repeat and a skip do not."""
    given = rows(
        "a.png joy r Strong", "a.png fear r Minimal", "a.png sad r None",
        "b.png happy r Minimal", "b.png sad r Average", "b.png sad s Skip", "c.png happy r None",
    )  # fmt: skip
    again = given.iloc[[0]].assign(repeat=True, answer="Minimal")
    path = write_answers(pd.concat([given, again]), tmp_path / "x.csv")
    table = answers_on(path, EMOTIONS)
    said = table[["image", "answer"]].to_numpy().tolist()
    assert said == [["a.png", "Strong"], ["b.png", "Average"]]


def test_a_question_without_an_emotion_is_about_the_images(tmp_path):
    """Votes and the sheet of Table 5 name none."""
    path = tmp_path / "votes.csv"
    path.write_text("image,a1,a2\na.png,Str,None\nb.png,Min,\n")
    table = answers_on(path, EMOTIONS)
    assert table["answer"].to_list() == ["Strong", "None", "Minimal"]


def test_ratings_of_mdns_are_answers(tmp_path):
    """By the usual cut, about the emotion of the face; faces are called as MDNS calls them."""
    path = tmp_path / "mdns.json"
    path.write_text(json.dumps({"a": {"happy": [4, 1, 0], "sad": [0, 0, 2]}}))
    for emotions in (EMOTIONS, {"happy/a.jpg": "happy", "sad/b.jpg": "sadness"}):
        table = answers_on(path, emotions)
        assert set(table["image"]) == {next(iter(emotions))}
        assert table["answer"].to_list() == ["Strong", "Minimal", "None"]


def test_a_short_name_of_two_files_is_unknown(tmp_path):
    """Nothing is guessed."""
    path = write_answers(rows("a happy r Strong"), tmp_path / "x.csv")
    with pytest.raises(VotesError, match="1 × unknown image: 'a'"):
        answers_on(path, {"one/a.png": "happy", "two/a.png": "happy"})


def test_other_images_are_refused_but_for_those_that_were_left_out(tmp_path):
    """By name, and with one that is expected."""
    path = write_answers(rows("a.png happy r Strong", "z.png happy r Strong"), tmp_path / "x.json")
    with pytest.raises(VotesError, match=r"such as 'a.png'\s+1 × unknown image: 'z.png'"):
        answers_on(path, EMOTIONS)
    assert answers_on(path, EMOTIONS, ["z.png"])["image"].to_list() == ["a.png"]


def test_answers_about_other_emotions_alone_are_refused(tmp_path):
    """They say nothing of the emotion that is ranked."""
    path = write_answers(rows("a.png fear r Strong"), tmp_path / "x.csv")
    with pytest.raises(VotesError, match=r"about 'fear', and 'a.png' expresses happy"):
        answers_on(path, EMOTIONS)
