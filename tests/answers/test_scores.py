"""Somebody else's scores: what is read, and what is refused with its line."""

import numpy as np
import pandas as pd
import pytest

from emorank.answers.scores import read_scores
from emorank.errors import VotesError

IMAGES = {"a.png", "b.png", "c.png"}


def read(tmp_path, text, name="scores.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_scores(path, IMAGES)


def test_scores_and_levels_are_read(tmp_path):
    """Both, in the order of the file; an empty one was not given."""
    found = read(tmp_path, "level,image,score,note\nStrong,b.png,0.75,x\n,a.png,NaN,\n0,c.png,,y\n")
    assert found["image"].to_list() == ["b.png", "a.png", "c.png"]
    np.testing.assert_array_equal(found["score"], [0.75, np.nan, np.nan])
    assert found["level"].fillna(-1).to_list() == [3, -1, 0]


def test_names_of_columns_in_any_writing(tmp_path):
    """Blanks and capitals do not matter, in Parquet neither; other columns are not read."""
    assert read(tmp_path, " Image , SCORE\na.png,1\n")["score"].to_list() == [1]
    pd.DataFrame({" Image ": ["a.png"], "Score": [2.0], "note": [None]}).to_parquet(
        tmp_path / "s.parquet"
    )
    assert read_scores(tmp_path / "s.parquet", IMAGES)["score"].to_list() == [2]


def test_a_short_row_has_no_score(tmp_path):
    """Its cells are empty; so is a score of blanks."""
    scores = read(tmp_path, "image,level,score\na.png,Strong\nb.png,1, n/a \nc.png,1,0.5\n")
    np.testing.assert_array_equal(scores["score"], [np.nan, np.nan, 0.5])
    assert scores["level"].to_list() == [3, 1, 1]


def test_a_level_counts_before_a_rank(tmp_path):
    """The rank counts where the level is empty."""
    scores = read(tmp_path, "image,rank,level\na.png,1,3\nb.png,2,\nc.png,,\n")
    assert scores["level"].fillna(-1).to_list() == [3, 2, -1]


def test_a_rank_alone_is_its_own_score(tmp_path):
    """Words or numbers."""
    found = read(tmp_path, "image;rank\na.png;Min\nb.png;2\nc.png;None\n")
    assert found["score"].to_list() == [1, 2, 0]
    assert found["level"].to_list() == [1, 2, 0]


def test_levels_that_a_table_program_wrote_as_decimals(tmp_path):
    """A column of whole numbers with gaps is written as 1.0, 3.0; a fraction is no level."""
    scores = read(tmp_path, "image,level\na.png,1.0\nb.png,3.0\nc.png,0.0\n")
    assert scores["level"].to_list() == [1, 3, 0]
    with pytest.raises(VotesError, match=r"line 2: '1\.5' is no"):
        read(tmp_path, "image,level\na.png,1.5\n")


def test_parquet_is_read_too(tmp_path):
    """By its ending."""
    table = pd.DataFrame({"image": ["a.png", "b.png"], "score": [0.5, None], "level": [1.0, 3.0]})
    table.to_parquet(tmp_path / "s.parquet")
    found = read_scores(tmp_path / "s.parquet", IMAGES)
    assert found["level"].to_list() == [1, 3]
    assert found["score"].isna().to_list() == [False, True]


def test_scores_in_the_dialect_of_votes(tmp_path):
    """Semicolons with decimal commas; names in any spelling mean the study's images."""
    path = tmp_path / "scores.csv"
    path.write_text("image;score\n.\\happy\\Zo\u00eb.png;0,5\nhttps://h/a%20b.png;-1,5\n")
    found = read_scores(path, {"happy/Zoe\u0308.png", "a b.png"})
    assert found["image"].to_list() == ["happy/Zoe\u0308.png", "a b.png"]
    assert found["score"].to_list() == [0.5, -1.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image,loudness\na.png,1\n", "expected the columns image and score, level or rank"),
        ("image,score\nz.png,1\n", "1 × unknown image: 'z.png'"),
        ("image,score\na.png,1\na.png,2\n", "1 × image that is there twice: 'a.png'"),
        ("image,score\na.png,much\n", "line 2: 'much' is no finite number"),
        ("image,score\na.png,inf\n", "line 2: 'inf' is no finite number"),
        ("image,score\na.png,\n", "not one image has a score"),
        ("image,score\na.png,NaN\n", "not one image has a score"),
        ("image,rank\na.png,Skip\n", "line 2: 'Skip' is no level"),
        ("image,rank\na.png,Huge\n", "line 2: 'Huge' is no answer"),
        ("image,score\n", "not one image has a score"),
        ("", "is empty"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, says):
    """With the file, the line, and what was expected."""
    with pytest.raises(VotesError, match=says):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    """Not a traceback."""
    with pytest.raises(VotesError, match=r"none\.csv"):
        read_scores(tmp_path / "none.csv", IMAGES)
