"""Every format: what is written is read back; content tells the format; hostile files fail."""

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from emorank.answers import tabular
from emorank.answers.answers_table import ANSWERS, answers_table
from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.formats import json_file
from emorank.answers.formats.csv_parquet import write_sheet
from emorank.answers.interchange import WRITERS, write_answers
from emorank.answers.tabular import BLANK, is_name
from emorank.errors import VotesError
from emorank.naming import image_name, person_name
from emorank.room.sources import read_answers, read_source
from emorank.vocabulary import emotion_word


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other)


def refused(path, **options) -> str:
    with pytest.raises(VotesError) as caught:
        read_source(path, **options)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_read_back(answers, tmp_path, kind):
    """All of it, in its order, whatever the file is called."""
    path = write_answers(answers, tmp_path / "votes.bin", kind)
    found = read_source(path)
    assert found.format == kind
    assert found.named
    same(found.content, answers)
    same(read_answers(path), answers)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1,
                max_size=6).filter(str.strip)  # fmt: skip
ODD = st.sampled_from(["=1+1", "'=1", "''@", "'", "' a", "a ", "\t=x", "-", "＝x", "\r\n+", '"'])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    cells=st.dictionaries(
        st.tuples(NAMES | ODD.filter(str.strip), st.none() | NAMES, NAMES | ODD, st.booleans()),
        st.tuples(
            st.sampled_from(ANSWERS),
            st.none() | st.integers(0, 10**7),
            st.none() | st.datetimes(pd.Timestamp(1971, 1, 1), pd.Timestamp(2199, 1, 1)),
        ),
        min_size=1,
        max_size=8,
    ),
    kind=st.sampled_from(sorted(WRITERS)),
)
def test_any_names_and_times_survive(tmp_path_factory, cells, kind):
    """Formulas, apostrophes, blanks, line breaks and every script, in every format."""
    cells = {
        (image_name(image), emotion_word(emotion or ""), person_name(rater), repeat): said
        for (image, emotion, rater, repeat), said in cells.items()
        # Of names that programs write for nothing, CSV and Parquet say so.
        if is_name(image_name(image)) and is_name(person_name(rater))
        if emotion is None or emotion.strip().lower() not in BLANK
    }
    assume(cells)
    table = answers_table(
        [
            {"image": image, "emotion": emotion, "rater": rater, "repeat": repeat,
             "answer": answer, "reaction_ms": ms, "at": at and at.isoformat() + "Z"}
            for (image, emotion, rater, repeat), (answer, ms, at) in cells.items()
        ]
    )  # fmt: skip
    path = write_answers(table, tmp_path_factory.mktemp("any") / "file", kind)
    same(read_source(path).content, table)


def test_no_cell_of_a_csv_is_a_formula(answers, tmp_path):
    """Neither of the answers nor of the sheet: nothing begins with = + - @, tab or blank."""
    path = write_answers(answers, tmp_path / "a.csv")
    sheet = pd.DataFrame({"image": ["=1+1", "-x"], "A1": ["Str", "Avg"], "Note": ["@a", "+b"]})
    write_sheet(sheet, tmp_path / "sheet.csv")
    for file in (path, tmp_path / "sheet.csv"):
        cells = pd.read_csv(file, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not [cell for cell in cells if cell[:1] in "=+-@\t\r\n" and cell]
    assert read_answers(tmp_path / "sheet.csv")["image"].tolist() == ["=1+1", "-x"]
    with pytest.raises(VotesError, match=r"\.csv, \.parquet or \.json"):
        write_sheet(sheet, tmp_path / "sheet.xlsx")


def test_a_spreadsheets_csv(tmp_path):
    """Semicolons, capitals, blanks, short words, further columns; a blank answer is missing."""
    text = (
        "Rater;Image;Answer;Repeat;note\n ann ; a ;min;;x\nann;a;3;yes;\nben;a;;0;\nben;b;none;no;"
    )
    (tmp_path / "a.txt").write_text("\ufeff" + text, encoding="utf-8")
    found = read_answers(tmp_path / "a.txt")
    assert found[["image", "rater", "answer", "repeat"]].to_numpy().tolist() == [
        ["a", "ann", "Minimal", False],
        ["a", "ann", "Strong", True],
        ["b", "ben", "None", False],
    ]


def test_json_is_for_people_too(answers, tmp_path):
    """One line a value, in both kinds."""
    for kind in ("json", "label-studio"):
        lines = write_answers(answers, tmp_path / "a.json", kind).read_text().splitlines()
        assert len(lines) > len(answers)
        assert lines[1].startswith(" ")
        assert not lines[1].startswith("  ")


def test_parquet_has_the_columns_alone(answers, tmp_path):
    """No index of pandas."""
    path = write_answers(answers.iloc[::2], tmp_path / "a.parquet")
    assert pq.read_schema(path).names == list(answers.columns)


def test_columns_in_any_writing(tmp_path):
    """Of all layouts, in CSV and Parquet; other columns are ignored, even if there twice."""
    rows = {
        "answers": {" Image": ["a"], "RATER ": ["r"], "Answer": [" strong "], "note": ["x"]},
        "votes": {" Image": ["a"], "RATER ": ["r"], "Rank": ["3"], "note": ["x"]},
        "sheet": {" Image": ["a"], " A1 ": ["Str"], "Min": ["0"]},
    }
    for cells in rows.values():
        for ending in ("csv", "parquet"):
            path = tmp_path / f"x.{ending}"
            table = pd.DataFrame(cells)
            table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
            assert read_answers(path)["answer"].tolist() == ["Strong"]
    (tmp_path / "x.csv").write_text("image,rater,answer,x,x\na,r,Min,1,2\n")
    assert len(read_answers(tmp_path / "x.csv")) == 1


def test_votes_and_sheets_are_answers_too(tmp_path):
    """The two layouts of `read_votes`."""
    (tmp_path / "votes.csv").write_text("image,rater,rank\na,r,Min\n")
    (tmp_path / "sheet.csv").write_text("image,A1,A2\na,Str,\n")
    assert read_answers(tmp_path / "votes.csv")["answer"].tolist() == ["Minimal"]
    assert read_answers(tmp_path / "sheet.csv")["rater"].tolist() == ["A1"]


def test_what_programs_write_for_nothing_is_nothing(tmp_path):
    """In every column but the names; pandas writes flags with gaps as 0.0 and 1.0."""
    path = tmp_path / "votes.csv"
    path.write_text(
        "image,emotion,rater,answer,repeat,reaction_ms,at\n"
        "a,NaN,Na,Min,NaN,nan,NaT\na,N/A,Na,2,1.0,NULL,\nb,,Null,#N/A,0.0,,\nc,joy,Null,3,0.0,1,\n"
    )
    table = read_answers(path)
    assert table["rater"].tolist() == ["Na", "Na", "Null"]
    assert table["repeat"].tolist() == [False, True, False]
    assert table["emotion"].isna().tolist() == [True, True, False]
    assert table["reaction_ms"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (
            b"image,rater,answer\na,r,Huge\n",
            "None or Skip; or what --map names): line 2 'Huge'",
        ),
        (b"image,rater,answer,repeat\na,r,Min,often\n", "line 2 'often'"),
        (b"image,rater,answer\na,r\n", "line 2 has 2, not 3"),
        (b"image,rater,answer\na,NaN,Min\nN/A,r,Min\n", "without an image or a rater: line 2; "),
        (b"PK\x03\x04" + bytes(9), "is a workbook of a table program"),
        (b"\xd0\xcf\x11\xe0" + bytes(9), "Save the table as 'CSV UTF-8'"),
        (b"image,rater,answer\na,r,\n", "holds no vote (1 blank)"),
        (b"image,answer\na,Min\n", "missing rater"),
        (b"image,image,rater,answer\na,a,r,Min\n", "column 'image' appears twice"),
        (b"image,rater,answer\na,r,Min\na,r,Max\n", "unknown answer"),
        (b"image,rater,answer\na,r,Min\na,r,Avg\n", "second answer of a rater to an image: line 3"),
        (b"image,rater,answer,reaction_ms\na,r,Min,fast\n", "no number of milliseconds"),
        (b"what,ever\n1,2\n", "image, rater, rank"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "JSON of no known kind"),
        (b'{"a": 1}', "JSON of no known kind"),
        (b'{"emorank": "answers", "version": 2, "answers": []}', "version 2"),
        (b'{"emorank": "answers", "version": 1, "answers": [1]}', "list of objects"),
        (b'{"emorank": "answers", "version": 1, "answers": [{"image": "a"}]}', "have to be there"),
        (b'{"emorank": "answers", "version": 1, "answers": []}', "holds no answer"),
        (b'{"emorank": "answers", "version": 1, "votes": []}', "came votes too"),
        (b'{"face": {"sad": []}}', "holds no answer"),
        (b"image,intensity,annotator,annotation_id\na,Min,1,2\n", "lacks the skips"),
        (b'[{"annotation_id": 1, "annotator": 2, "image": "x"}]', "JSON-MIN"),
        (b"SQLite format 3\0" + bytes(100), "is a database"),
        (b"PAR1 and nothing else", "no Parquet file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not UTF-8"),
    ],
)
def test_files_that_are_refused(tmp_path, content, expected):
    """With the file, what was expected, and where it went wrong."""
    (tmp_path / "file").write_bytes(content)
    assert expected in refused(tmp_path / "file")


def test_files_out_of_proportion_are_refused_unread(tmp_path, monkeypatch):
    """Neither large files nor small ones that unfold."""
    monkeypatch.setattr(json_file, "MAX_BYTES", 100)
    (tmp_path / "a.json").write_bytes(b"[" + b" " * 200 + b"]")
    assert "at most 100" in refused(tmp_path / "a.json")
    monkeypatch.setattr(tabular, "MAX_BYTES", 1000)
    (tmp_path / "a.csv").write_bytes(b"image,rater,answer\n" + b"a,r,Min\n" * 200)
    assert "at most 1,000" in refused(tmp_path / "a.csv")
    assert "there is none" in refused(tmp_path)


def test_a_format_can_be_forced_and_has_to_exist(tmp_path):
    """And an ending without a format is refused before anything is written."""
    (tmp_path / "a").write_text("image,rater,rank\na,r,Min\n")
    assert read_source(tmp_path / "a", "csv").format == "csv"
    assert "expected one of csv" in refused(tmp_path / "a", format="xml")
    for kind in ("ferplus", "cremad"):
        assert "is no table of" in refused(tmp_path / "a", format=kind)
    for kind in ("json", "label-studio", "mdns"):
        assert "is no JSON" in refused(tmp_path / "a", format=kind)
    (tmp_path / "a").write_text('{"f": {"sad": [1]}}')
    for kind in ("json", "label-studio"):
        assert f"is mdns, not {kind}" in refused(tmp_path / "a", format=kind)
    with pytest.raises(VotesError, match="expected an ending"):
        write_answers(answers_table([]), tmp_path / "a.xlsx")
    assert not (tmp_path / "a.xlsx").exists()


# --- MDNS -----------------------------------------------------------------------------------------


def ratings(tmp_path, content):
    path = tmp_path / "mdns.json"
    path.write_bytes(msgspec.json.encode(content))
    return path


def test_mdns_by_its_cut(tmp_path):
    """Not at all is None; the cut says where Minimal, Average and Strong begin."""
    path = ratings(tmp_path, {"f1": {"sad": [0, 1, 2, 3, 4], "happy": [4]}})
    found = read_source(path)
    assert not found.named
    assert found.content["answer"].tolist() == [
        *("None", "Minimal", "Average", "Strong", "Strong", "Strong"),
    ]
    assert found.content["rater"].tolist()[:2] == ["position 1", "position 2"]
    other = read_answers(path, cut=(2, 4, 5))["answer"].tolist()
    assert other == ["None", "None", "Minimal", "Minimal", "Average", "Average"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"f": {"sad": [0, 5]}}, "from 0 to 4, came 5"),
        ({"f": {"sad": [True]}}, "came True"),
        ({"f": {"sad": [1.5]}}, "came 1.5"),
        ({"f": {"sad": [0]}, "g": 3}, "'g': expected an object"),
        ({"f": {"sad": [0], "happy": "x"}}, "'happy': expected a list"),
    ],
)
def test_mdns_refusals(tmp_path, content, expected):
    """Face and emotion are named."""
    assert expected in refused(ratings(tmp_path, content))


@pytest.mark.parametrize("cut", [(2, 1, 3), (0, 1, 6), (-1, 1, 2)])
def test_cuts_ascend(tmp_path, cut):
    """A cut that is none is refused."""
    with pytest.raises(VotesError, match="Average and Strong, ascending"):
        read_answers(ratings(tmp_path, {"f": {"sad": [0]}}), cut=cut)


def test_ratings_by_a_map(tmp_path):
    """Other meanings than those of the cut; of what has one meaning, nothing can be declared."""
    path = ratings(tmp_path, {"f": {"Joy": [0, 1, 2, 3, 4]}})
    words = {"1": "None", "4": "Average"}
    found = read_answers(path, words=words)
    assert found["answer"].tolist() == ["None", "None", "Average", "Strong", "Average"]
    assert set(found["emotion"]) == {"happy"}
    with pytest.raises(VotesError, match="--control is for"):
        read_answers(path, control="x")
    copy = write_answers(found, tmp_path / "copy.json")
    with pytest.raises(VotesError, match="--map and --cut are for csv"):
        read_answers(copy, words=words)


def test_json_of_windows_is_read(answers, tmp_path):
    """UTF-16 as PowerShell writes it."""
    path = write_answers(answers, tmp_path / "a.json")
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    same(read_answers(path), answers)


def test_all_of_mdns(shared):
    """A thousand faces with six emotions and nine raters each, as published."""
    found = read_source(shared / "mdns_votes" / "primary_expression_annotations.json")
    assert found.format == "mdns"
    assert len(found.content) == 54_000
    given = found.content["answer"].value_counts()
    assert given.to_dict() == {"None": 30631, "Minimal": 8722, "Strong": 8000, "Average": 6647}


# --- FER+ and CREMA-D -----------------------------------------------------------------------------

FERPLUS = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
CREMAD = '"","A","D","F","H","N","S","fileName","numResponses"'


def test_ferplus_counts(tmp_path):
    """Nameless and doubled images are told apart by line; a tie has no final category."""
    (tmp_path / "a").write_text(
        f"{FERPLUS}\nTraining,a.png,4,0,0,1,3,2,0,0,0,0\nTest,,5,5,0,0,0,0,0,0,0,0\n"
        "Training,a.png,0,9,0,0,0,0,0,0,0,1\n"
    )
    found = read_source(tmp_path / "a")
    votes = found.content
    assert found.format == "ferplus"
    assert not found.named
    assert isinstance(votes, EmotionVotes)
    assert votes.images["image"].tolist() == ["a.png", "(line 3)", "a.png (line 4)"]
    table = votes.table()
    assert table["Final"].tolist() == ["neutral", pd.NA, "happy"]
    assert table["tied"].tolist() == [False, True, False]
    assert table["votes"].tolist() == [10, 10, 10]
    with pytest.raises(VotesError, match="which emotion is expressed"):
        read_answers(tmp_path / "a")


def test_cremad_counts(tmp_path):
    """The row's number says what was shown."""
    (tmp_path / "a").write_text(
        f'{CREMAD}\n"100001",0,0,0,1,10,0,"c1",11\n"200001",0,0,0,9,1,0,"c1",10\n'
    )
    votes = read_source(tmp_path / "a").content
    assert votes.images["group"].tolist() == ["voice", "face"]
    assert votes.table()["Final"].tolist() == ["neutral", "happy"]


@pytest.mark.parametrize("count", ["-1", "1.5", "", "9" * 5000, "x"])
def test_counts_are_whole_numbers(tmp_path, count):
    """Everything else is refused with its line."""
    (tmp_path / "a").write_text(f'{CREMAD}\n"100001",{count},0,0,1,10,0,"c1",11\n')
    assert "count that is no whole number: line 2" in refused(tmp_path / "a")


def test_all_of_ferplus_and_cremad(shared):
    """The tables as published: ten votes but for one image, and three showings of 7442 clips."""
    ferplus = read_source(shared / "ferplus_votes" / "fer2013new.csv").content
    assert ferplus.counts.shape == (35_887, 10)
    assert np.bincount(ferplus.counts.sum(axis=1))[9:].tolist() == [1, 35_886]
    assert not ferplus.images["image"].duplicated().any()
    cremad = read_source(shared / "cremad_tables" / "tabulatedVotes.csv").content
    assert cremad.images["group"].value_counts().to_dict() == {
        "voice": 7442, "face": 7442, "voice and face": 7442
    }  # fmt: skip
