"""Votes files: what is read is what was voted, and bad files are refused whole."""

import os
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emorank.answers import tabular
from emorank.answers.tabular import is_name
from emorank.delimited import unguarded
from emorank.errors import MissingExtraError, VotesError, VotesWarning
from emorank.evaluation.raters.agreement import agreement
from emorank.naming import image_name, person_name
from emorank.room.sources import read_answers, read_votes

GOLDEN = Path(__file__).parents[1] / "answers" / "golden" / "table_05_annotator_summary.csv"


def written(folder: Path, text: str | bytes, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path, images=None) -> str:
    with pytest.raises(VotesError) as caught:
        read_votes(path, images)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_csv_of_votes(tmp_path):
    """One row a vote, ranks in any form, further columns ignored, order kept."""
    path = written(
        tmp_path, "rater,image,rank,ms\nA,x.png,Strong,12\nB,x.png, avg ,9\nA,ü.png,1,\n"
    )
    table = read_votes(path, {"x.png", "ü.png"})
    assert table.to_numpy().tolist() == [
        ["x.png", "A", "Strong"],
        ["x.png", "B", "Average"],
        ["ü.png", "A", "Minimal"],
    ]
    assert list(table.columns) == ["image", "rater", "rank"]
    assert table.attrs["blank"] == 0


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_what_spreadsheets_write(tmp_path, delimiter):
    """Semicolons, tabs, a byte-order mark, CRLF, blank lines and capitals are fine."""
    rows = ["Image,Rater,Rank", "a,r1,Min", "", ",,", "b,r1,Str"]
    text = "\r\n".join(rows).replace(",", delimiter)
    table = read_votes(written(tmp_path, b"\xef\xbb\xbf" + text.encode()))
    assert table["rank"].tolist() == ["Minimal", "Strong"]


def test_none_and_skip_are_no_ranks(tmp_path):
    """They count as blank; where half of the raters or more see no such emotion, no rank counts."""
    lines = [
        "a,r,Min",
        "a,s,none",
        "a,t,Strong",
        "b,r,None",
        "b,s,Avg",
        "c,r,Skip",
        "c,s,2",
        "c,t,0",
    ]
    path = written(tmp_path, "\n".join(["image,rater,rank", *lines]))
    table = read_votes(path)
    assert table.to_numpy().tolist() == [["a", "r", "Minimal"], ["a", "t", "Strong"]]
    assert table.attrs["blank"] == 6
    kept = read_answers(path)
    assert kept["answer"].tolist()[:4] == ["Minimal", "None", "Strong", "None"]
    assert len(kept) == 8


def test_blank_ranks_are_missing_votes(tmp_path):
    """A blank rank is left out and counted, and does not make the rater's vote a second one."""
    table = read_votes(written(tmp_path, "image,rater,rank\na,r,\na,r,Min\nb,r,  \n"))
    assert len(table) == 1
    assert table.attrs["blank"] == 2


def test_the_sheet_of_table_5_is_read():
    """The wide layout gives one vote per rater column; Min, Avg, Str and Final are not votes."""
    table = read_votes(GOLDEN)
    assert len(table) == 60
    assert table["rater"].unique().tolist() == [f"A{n}" for n in range(1, 11)]


@pytest.mark.parametrize("ranks", [["Min", None], [1.0, float("nan")], [1, None]])
def test_parquet(tmp_path, ranks):
    """Parquet holds the same votes, with ranks as words or as numbers."""
    path = tmp_path / "votes.parquet"
    pd.DataFrame({"image": ["a", "b"], "rater": ["r", "r"], "rank": ranks}).to_parquet(path)
    table = read_votes(path, ["a", "b"])
    assert table.to_numpy().tolist() == [["a", "r", "Minimal"]]
    assert table.attrs["blank"] == 1


def test_a_fraction_is_no_rank(tmp_path):
    """A rank between two ranks is refused, not rounded."""
    path = tmp_path / "votes.parquet"
    pd.DataFrame({"image": ["a"], "rater": ["r"], "rank": [1.5]}).to_parquet(path)
    assert "row 1 '1.5'" in refused(path)


def test_every_kind_of_offence_is_told_with_its_lines(tmp_path):
    """Unknown ranks, unknown images, second votes and broken rows come in one message."""
    text = (
        "image,rater,rank\na,r1,Min\na,r1,Avg\nb,r1,Medium\nzz,r1,Min\nb,r1\n,r1,Min\n"
        "a,r2,Min\na,r2,Min\n"
    )
    message = refused(written(tmp_path, text), {"a", "b"})
    assert "2 × second answer" in message
    assert "line 3 'r1' on 'a', first at line 2" in message
    assert "1 × unknown answer" in message
    assert "line 4 'Medium'" in message
    assert "1 × unknown image: line 5 'zz'" in message
    assert "line 6 has 2, not 3" in message
    assert "without an image or a rater: line 7" in message
    assert "no vote was taken" in message


def test_only_the_first_offenders_are_named(tmp_path):
    """A thousand wrong rows make one short message with their number."""
    rows = "".join(f"a,r{n},Huge{'x' * 500}\n" for n in range(1000))
    message = refused(written(tmp_path, "image,rater,rank\n" + rows))
    assert "1000 × unknown answer" in message
    assert f"and {1000 - tabular.SHOWN} more" in message
    assert len(message) < 1000


def test_control_characters_do_not_reach_the_terminal(tmp_path):
    """Escape sequences in a file come out quoted."""
    message = refused(written(tmp_path, "image,rater,rank\na,r,\x1b[2Jboo\n"))
    assert "\x1b" not in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"image,rater,rank\n", "holds no vote"),
        (b"image,rater,rank\na,r,\n", "holds no vote (1 blank)"),
        (b"image,rater,vote\na,r,Min\n", "missing rank"),
        (b"image,rank,rank,rater\na,Min,Min,r\n", "'rank' appears twice"),
        ("image,rater,rank\ná,r,Min\n".encode("latin-1"), "line 2 is not UTF-8"),
        ("image,rater,rank\na,r,Min\n".encode("utf-16-le"), "NUL"),
        (b"image,rater,rank\na,r,Mi\0n\n", "NUL"),
        (b'image,rater,rank\n"a,r,Min\n', "is no CSV"),
        (b"image,rater,rank\n" + b"x" * 200_000, "is no CSV"),
    ],
)
def test_files_that_are_no_votes(tmp_path, content, expected):
    """Each broken file is refused with what was expected."""
    assert expected in refused(written(tmp_path, content))


@pytest.mark.parametrize("content", [b"PAR1", b"image,rater,rank\n", os.urandom(200)])
def test_files_that_are_no_parquet(tmp_path, content):
    """A file that only calls itself Parquet is refused."""
    assert "no Parquet file" in refused(written(tmp_path, content, "votes.parquet"))


def test_parquet_without_the_columns(tmp_path):
    """A Parquet table of something else is refused."""
    path = tmp_path / "votes.parquet"
    pd.DataFrame({"image": ["a"], "score": [1]}).to_parquet(path)
    assert "missing rater, rank" in refused(path)


def test_a_file_out_of_proportion_is_refused_unread(tmp_path, monkeypatch):
    """A file larger than any votes file is not read, nor is a table that unfolds to one."""
    monkeypatch.setattr(tabular, "MAX_BYTES", 1000)
    assert "at most 1,000" in refused(written(tmp_path, "image,rater,rank\n" + "a,r,Min\n" * 200))
    path = tmp_path / "bomb.parquet"
    pd.DataFrame({"image": ["a" * 9] * 900, "rater": "r", "rank": "Min"}).to_parquet(path)
    monkeypatch.setattr(tabular, "MAX_BYTES", path.stat().st_size)
    assert "unfolds to 900 rows" in refused(path)


def test_folders_pipes_and_absent_files_are_refused(tmp_path):
    """Only a regular file is opened: a pipe would block for ever."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent.csv", "pipe", "."):
        assert "expected a file; there is none" in refused(tmp_path / name)


HAPPY = ("Zoe\u0308.jpg", "50%.jpg", "#7.jpg", "a&b.jpg", "a+b.jpg", "a%20b.jpg", "a b.jpg")
SPELLINGS = (
    lambda name: name,
    lambda name: unicodedata.normalize("NFC", name),
    lambda name: f"./{name}",
    lambda name: name.replace("/", "\\"),
    lambda name: f"https://faces.example.org/{quote(name)}?X-Amz-Signature=0af",
    lambda name: f"s3://faces/{name}",
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_one_picture_is_one_unit_however_its_name_is_spelled(tmp_path, separator):
    """And others stay others: agreement is that of the same file with one spelling."""
    words = ["1.0", "2", "Strong", "avg"]
    rows = [
        (
            f"happy/{name}",
            rater,
            words[(number * (1 + rater // 4)) % 4],
            "Joy" if rater else "happy",
        )
        for number, name in enumerate(HAPPY)
        for rater in range(len(SPELLINGS))
    ]

    def read(spelled):
        table = pd.DataFrame(
            [
                (SPELLINGS[rater if spelled else 0](name), f"r{rater}", word, emotion)
                for name, rater, word, emotion in rows
            ],
            columns=["image", "rater", "rank", "emotion"],
        )
        table.to_csv(tmp_path / "votes.csv", sep=separator, index=False)
        return read_answers(tmp_path / "votes.csv")

    plain, found = read(spelled=False), read(spelled=True)
    assert found["image"].nunique() == len(HAPPY)
    assert set(found["emotion"]) == {"happy"}
    pd.testing.assert_frame_equal(found, plain)
    once, again = (agreement(t, np.random.default_rng(0), resamples=100) for t in (found, plain))
    assert once == again
    on_disk = {f"happy/{name}" for name in HAPPY}
    votes = read_votes(tmp_path / "votes.csv", on_disk)
    assert set(votes["image"]) == on_disk  # as the data set has them


def test_what_pandas_and_r_write_for_nothing_is_no_vote(tmp_path):
    """1.0 is a rank in a column with gaps; NaN, NA and empty cells are blank; 1.5 is refused."""
    table = read_votes(written(tmp_path, "image,a1,a2,a3\na,1.0,2,\nb,NaN,NA,3.0\n"))
    assert table.to_numpy().tolist() == [
        ["a", "A1", "Minimal"],
        ["a", "A2", "Average"],
        ["b", "A3", "Strong"],
    ]
    assert "'1.5'" in refused(written(tmp_path, "image,a1\na,1.5\n"))


def test_the_emotion_of_a_vote_or_a_sheet_is_read(tmp_path):
    """A picture rated for two emotions is two units in every layout."""
    for text in (
        "image,emotion,rater,rank\na,joy,r,1\na,Fear,r,2\n",
        "image,emotion,a1\na,joy,1\na,Fear,2\n",
    ):
        found = read_answers(written(tmp_path, text))
        assert found["emotion"].tolist() == ["happy", "fear"]


def test_words_of_a_file_can_be_declared(tmp_path):
    """By a map, or by a cut of numbers; what neither names is refused with its line."""
    path = written(tmp_path, "image,rater,answer\na,r,Low\nb,r,HIGH\nc,r,None\n")
    with pytest.raises(VotesError, match=r"unknown answer.*--map.*line 2 'Low'; line 3 'HIGH'"):
        read_answers(path)
    found = read_answers(path, words={"low": "Minimal", "high": "Strong"})
    assert found["answer"].tolist() == ["Minimal", "Strong", "None"]
    path = written(tmp_path, "image;rater;answer\na;r;12,5\nb;r;70\nc;r;3\n")
    assert read_answers(path, cut=(10, 30, 60))["answer"].tolist() == ["Minimal", "Strong", "None"]
    with pytest.raises(VotesError, match="--control is for an export of Label Studio; this is csv"):
        read_answers(path, control="intensity")


def test_raters_whose_names_differ_only_in_capitals_are_named(tmp_path):
    """They stay two people; blanks make no difference at all."""
    path = written(tmp_path, 'image,rater,rank\na,Ann,1\nb,"ann ",1\nc,ann,2\nd,7.0,1\n')
    with pytest.warns(VotesWarning, match="'Ann', 'ann'"):
        assert read_answers(path)["rater"].tolist() == ["Ann", "ann", "ann", "7"]


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(
    lambda name: name == name.strip()
)


def is_plain(name):
    return is_name(name) and unguarded(name) == name


@given(
    st.dictionaries(
        st.tuples(NAMES, NAMES), st.sampled_from(["Minimal", "Average", "Strong"]), min_size=1
    )
)
def test_what_pandas_writes_is_read_back(tmp_path_factory, votes_by_cell):
    """Any images and raters, with commas, quotes or other scripts in them, survive the CSV."""
    cells = {(image_name(i), person_name(r)): rank for (i, r), rank in votes_by_cell.items()}
    # Of names that programs write for nothing, the reader says so; some look guarded to it.
    rows = [(i, r, rank) for (i, r), rank in cells.items() if is_plain(i) and is_plain(r)]
    assume(rows)
    path = tmp_path_factory.mktemp("votes") / "votes.csv"
    pd.DataFrame(rows, columns=["image", "rater", "rank"]).to_csv(path, index=False)
    assert [tuple(row) for row in read_votes(path).to_numpy()] == rows


def test_a_study_reads_the_votes_of_a_project(room):
    """Ranks of the first showing; None and Skip are blanks; unknown images are refused."""
    words = iter(["Minimal", "Strong", "None", "Skip"] + ["Average"] * 20)
    room.vote_all("r1", lambda showing: next(words))
    votes = read_votes(room.project.folder)
    assert list(votes.columns) == ["image", "rater", "rank"]
    assert set(votes["rank"]) == {"Minimal", "Average", "Strong"}
    assert len(votes) + votes.attrs["blank"] == 12
    with pytest.raises(VotesError, match="9 × unknown image"):
        read_votes(room.project.folder, {"happy/p0.png"})


def test_without_the_extra_the_message_names_it(room, monkeypatch):
    """Whoever has not installed the web part is told how."""
    monkeypatch.setitem(sys.modules, "emorank.room.overview", None)
    monkeypatch.delitem(sys.modules, "emorank.room.overview")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "emorank.room.project")
    with pytest.raises(MissingExtraError, match=r"pip install 'emorank\[web\]'"):
        read_votes(room.project.folder)
