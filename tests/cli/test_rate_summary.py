"""`emorank rate summary`: any file of votes, in the terminal, as JSON, as sheet and page."""

import json
from pathlib import Path

import pandas as pd
import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"
VOTES = """image,emotion,rater,answer,repeat
a.png,happy,ann,Strong,
a.png,happy,ben,Strong,
a.png,happy,cem,Average,
b.png,happy,ann,Minimal,
b.png,happy,ben,Strong,
c.png,happy,ann,None,
c.png,happy,ben,None,
c.png,happy,cem,Skip,
a.png,happy,ann,Average,true
"""


@pytest.fixture
def votes(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


def test_the_summary_in_the_terminal(cli, votes):
    """Who, what, the majority under both policies, agreement, raters, the sheet."""
    done = cli("rate", "summary", votes)
    assert done.code == 0, done.err
    for words in (
        "3 images, 3 raters",
        "ties disputed",
        "Krippendorff’s alpha, ordinal",
        "Human ceiling",
        "Strong Happy",
        "No Happy",
        "same again",
    ):
        assert words in done.out


def test_names_of_emotions_stay_whole(cli, tmp_path, monkeypatch):
    """On eighty columns too, beside intervals."""
    monkeypatch.setenv("COLUMNS", "80")
    words, rows = ("surprise", "contempt"), ["image,emotion,rater,answer"]
    for number in range(12):
        said = ("Minimal", "Average", "Strong")[number % 3]
        rows += [f"{number}.png,{word},{who},{said}" for word in words for who in "abc"]
    (tmp_path / "votes.csv").write_text("\n".join(rows))
    out = cli("rate", "summary", tmp_path / "votes.csv", "--resamples", 100).out
    table = out[out.index("human") :]
    assert "  surprise  " in table
    assert "  contempt  " in table


def test_json_has_everything(cli, votes):
    """And nothing else on stdout."""
    found = json.loads(cli("rate", "summary", votes, "--json", "--resamples", 100).out)
    assert found["format"] == "csv"
    assert found["outcomes"][0] == {
        "ties": "median",
        "ranks": {"Minimal": 1, "Average": 0, "Strong": 1},
        "flagged": 1,
        "disputed": 0,
        "unvoted": 0,
        "tied": 1,
    }
    assert found["outcomes"][1]["disputed"] == 1
    assert found["agreement"]["counts"]["alpha_ordinal"]["method"].endswith("100 resamples")
    assert found["consistency"][0]["repeats"] == 1


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_sheet_answers_and_page_are_written(cli, votes, tmp_path, ending):
    """The tie policy is the sheet's; answers can be read again; the page is whole."""
    sheet, copy, page = tmp_path / f"s.{ending}", tmp_path / f"a.{ending}", tmp_path / "p.html"
    done = cli("rate", "summary", votes, "--ties", "disputed", "--out", sheet,
               "--answers", copy, "--report", page)  # fmt: skip
    assert done.code == 0, done.err
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}[ending]
    table = read(sheet)
    assert table["Final"].isna().tolist() == [False, True, ending == "csv"]  # pandas reads "None"
    assert table["Str"].tolist() == [2, 1, 0]
    again = cli("rate", "summary", copy, "--json")
    first = cli("rate", "summary", votes, "--json")
    assert json.loads(again.out) | {"format": ""} == json.loads(first.out) | {"format": ""}
    assert page.read_text().rstrip().endswith("</html>")


def test_ratings_are_cut(cli, tmp_path):
    """`--cut` says what a rating from 0 to 4 means."""
    path = tmp_path / "ratings.json"
    path.write_text('{"f1": {"sad": [1, 2, 4]}, "f2": {"sad": [0, 0, 3]}}')
    found = json.loads(cli("rate", "summary", path, "--cut", "2,3,4", "--json").out)
    assert found["answers"] == {"Minimal": 1, "Average": 1, "Strong": 1, "None": 3, "Skip": 0}
    assert not found["named"]
    assert cli("rate", "summary", path, "--cut", "1,2").code == 2
    assert "ascending" in cli("rate", "summary", path, "--cut", "3,2,1").failure


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "x.xlsx"], "expected an ending .csv, .parquet or .json"),
        (["--answers", "x.txt"], "expected an ending .csv, .parquet or .json"),
        (["--ties", "coin"], "'coin' is not one of"),
    ],
)
def test_wrong_usage(cli, votes, arguments, says):
    """Before anything is read."""
    done = cli("rate", "summary", votes, *arguments)
    assert done.code == 2
    assert says in done.err


def test_what_cannot_be_read_is_one_line(cli, tmp_path):
    """And nothing is written."""
    bad = tmp_path / "bad.csv"
    bad.write_text("image,rater,answer\na,r,Huge\n")
    assert "line 2 'Huge'" in cli("rate", "summary", bad, "--out", tmp_path / "s.csv").failure
    assert not (tmp_path / "s.csv").exists()
    assert "there is none" in cli("rate", "summary", tmp_path / "absent").failure


def test_names_do_not_style_the_terminal(cli, tmp_path):
    """Markup and escape sequences of a file are shown, not obeyed."""
    path = tmp_path / "votes.csv"
    path.write_text("image,rater,answer\n[red]a[/red],\x1b[2Jr,Min\n[red]a[/red],[b]s,Min\n")
    done = cli("rate", "summary", path)
    assert done.code == 0
    assert "[red]a[/red]" in done.out
    assert "\x1b[2J" not in done.out


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("mdns_votes/primary_expression_annotations.json", "6,000 pairs of image and emotion"),
        ("ferplus_votes/fer2013new.csv", "35,887 images with counts"),
        ("cremad_tables/tabulatedVotes.csv", "voice and face"),
    ],
)
def test_real_votes(cli, file, says, tmp_path):
    """All of MDNS, FER+ and CREMA-D, with a page."""
    if not (SHARED / file).is_file():
        pytest.skip(f"no real votes here: {SHARED / file} is absent")
    done = cli(
        "rate", "summary", SHARED / file, "--resamples", 200, "--report", tmp_path / "p.html"
    )
    assert done.code == 0, done.err
    assert says in done.out
    assert (tmp_path / "p.html").stat().st_size > 30_000


def test_words_and_numbers_of_a_files_own(cli, tmp_path):
    """What they mean is said with options; what cannot be meant is wrong usage."""
    path = tmp_path / "votes.csv"
    path.write_text("image;rater;answer\na;Ann;Low\na;ben;High\nb;ann;Low\nb;ben;1\n")
    done = cli("rate", "summary", path)
    assert done.code == 1
    assert "line 2 'Low'; line 3 'High'; line 4 'Low'" in done.err
    done = cli("rate", "summary", path, "--map", "Low=Minimal,High=Strong", "--json")
    assert json.loads(done.out)["answers"]["Minimal"] == 3
    assert done.err.startswith("Warning: these raters are counted as different people")
    assert "'Ann', 'ann'" in done.err
    done = cli("rate", "summary", path, "--map", "Low=None,High=Strong", "--cut", "0.5,1,1.5")
    assert done.code == 0, done.err
    for option, value in (("--map", "Low"), ("--cut", "1,2"), ("--cut", "a,b,c")):
        assert cli("rate", "summary", path, option, value).code == 2
    assert "for an export of Label Studio" in cli("rate", "summary", path, "--control", "x").err


@pytest.mark.parametrize(
    ("option", "name"), [("--out", "s.csv"), ("--answers", "a.json"), ("--report", "r.html")]
)
def test_files_that_are_there_are_not_replaced_without_a_word(cli, votes, tmp_path, option, name):
    """As by `emorank rank --out`."""
    path = tmp_path / name
    path.write_text("mine")
    asked = ("rate", "summary", votes, "--resamples", 100, option, path)
    assert "is there already; give another name, or --overwrite" in cli(*asked).failure
    assert path.read_text() == "mine"
    assert cli(*asked, "--overwrite").code == 0
    assert path.read_text() != "mine"


def test_the_file_that_is_read_is_not_written_over(cli, tmp_path):
    """Votes would be gone, and their sheet in their place."""
    votes = tmp_path / "votes.csv"
    votes.write_text("image,rater,rank\na,r1,Minimal\na,r2,Strong\n")
    for option in ("--out", "--answers", "--report"):
        done = cli("rate", "summary", votes, option, votes)
        assert "is the file that is read" in done.err
    assert votes.read_text().startswith("image,rater,rank")
