"""Methods, codebooks and Psych-DS: what is written about a study is what its data say."""

import csv
import json
import re

import pandas as pd
import pytest
from tests.rooms import images

from emorank.answers.codebook import OWN, codebook
from emorank.answers.scales import SCALES, scale_of
from emorank.room.design import Design
from emorank.room.displays import displays
from emorank.room.overview import log
from emorank.room.scaled import scaled_answers

pytestmark = pytest.mark.parametrize("database", [None])
NAME = re.compile(r"[a-z]+-[a-zA-Z0-9]+(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv")


@pytest.fixture(params=SCALES)
def rated(request, make_room):
    """A study on each scale, rated by two of three raters, one of them with one answer only."""
    scale = scale_of(request.param)
    room = make_room(
        count=12, raters=("Wilhelmina", "b", "c"), repeats=0, design=Design(scale), rule="run>=0.9"
    )
    words = ["10", "60", "90"] if request.param == "slider" else scale.words[:2]
    for rater in ("Wilhelmina", "b"):
        number = {one.id: i for i, one in enumerate(room.showings(rater))}
        room.vote_all(rater, lambda one, number=number: words[number[one.id] % len(words)])
    return room


def test_psych_ds_follows_its_rules(rated, cli, tmp_path):
    """Names of files, JSON-LD, every column described, equal rows; and no name of a rater."""
    folder = tmp_path / "shared"
    done = cli("rate", "export", rated.project.folder, "--psych-ds", folder)
    assert done.code == 0, done.err
    about = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert about["@context"].startswith("https://schema.org")
    assert about["@type"] == "Dataset"
    assert about["name"]
    assert about["description"]
    measured = [one["name"] for one in about["variableMeasured"]]
    assert len(set(measured)) == len(measured)
    assert all(one["@type"] == "PropertyValue" for one in about["variableMeasured"])
    files = sorted((folder / "data").iterdir())
    assert len(files) == 3
    for path in files:
        assert NAME.fullmatch(path.name)
        rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert set(rows[0]) <= set(measured)
        assert len(set(rows[0])) == len(rows[0])
    whole = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Wilhelmina" not in whole
    again = cli("rate", "export", rated.project.folder, "--psych-ds", folder)
    assert "in use" in again.err


def test_every_column_has_its_meaning(rated, cli, tmp_path):
    """Of answers, displays and the log; the file's own columns in its codebook, none forgotten."""
    scale, table = scaled_answers(rated.project)
    for columns in (table.columns, displays(rated.project).columns, log(rated.project).columns):
        assert [one.name for one in codebook(columns, scale) if one.meaning == OWN] == []
    assert codebook(["shoe_size"], scale)[0].meaning == OWN
    out = tmp_path / "votes.csv"
    assert cli("rate", "export", rated.project.folder, "--out", out).code == 0
    book = json.loads((tmp_path / "votes.codebook.json").read_text(encoding="utf-8"))
    written = pd.read_csv(out)
    assert [one["name"] for one in book["columns"]] == list(written.columns)
    levels = next(one["levels"] for one in book["columns"] if one["name"] == "answer")
    assert len(levels) == len(scale.words) + (scale.kind == "slider")
    assert "`answer`" in (tmp_path / "votes.codebook.md").read_text(encoding="utf-8")
    out.unlink()  # a codebook of other columns is not overwritten unasked either
    assert "codebook.md is there" in cli("rate", "export", rated.project.folder, "--out", out).err


def test_methods_say_what_was_done_and_no_more(rated, cli, tmp_path):
    """Numbers from the data, gaps for the rest, BibTeX for all that is cited."""
    folder = tmp_path / "methods"
    asked = ("rate", "methods", rated.project.folder, "--resamples", 100)
    done = cli(*asked, "--out", folder)
    assert done.code == 0, done.err
    text, tex, bib = ((folder / f"methods.{end}").read_text() for end in ("md", "tex", "bib"))
    for words in (
        "12 faces", "(6 fear, 6 happy)", "2 raters took part, of whom 2 rated all",
        "1 other was invited and gave no answer", "TO FILL IN: recruitment",
        "number of persons", "before any answer", "excluded 0 of 2 raters", "250 ms",
    ):  # fmt: skip
        assert words in text, words
    alpha = "Krippendorff’s alpha, interval"
    assert (alpha in text) == (scaled_answers(rated.project)[0].kind == "slider")
    assert "attention check" not in text
    assert "Languages" not in text
    assert "second time" not in text
    assert "[U+" not in tex
    assert set(re.findall(r"@(\w+)(?=[\];])", text)) == set(
        re.findall(r"^@\w+\{(\w+),", bib, re.MULTILINE)
    )
    assert r"\citep{emorank}" in tex
    assert r"\begin{table}" in tex
    assert cli(*asked, "--format", "bibtex").out.strip() == bib.strip()


def test_imported_answers_are_said_to_be(make_room, cli, tmp_path):
    """How they were collected is a gap, and nothing is claimed of pages that nobody saw."""
    rows = [(name, rater, "Strong") for name, _ in images(12) for rater in ("a", "b")]
    pd.DataFrame(rows, columns=["image", "rater", "rank"]).to_csv(tmp_path / "v.csv", index=False)
    folder = make_room().project.folder
    assert cli("rate", "import", folder, tmp_path / "v.csv").code == 0
    text = cli("rate", "methods", folder, "--resamples", 100).out
    assert "24 of 24 answers were imported. [TO FILL IN: how" in text
    assert "CSS pixels" not in text
    assert "stayed on the screen" not in text
    assert "answered the question" not in text


def test_nothing_to_describe_without_answers(make_room, cli):
    """Said plainly."""
    done = cli("rate", "methods", make_room().project.folder)
    assert done.code == 1
    assert "no answer yet" in done.err


def test_the_scores_of_a_method_are_compared(rated, cli, tmp_path):
    """For each emotion, and over all unless the scores are those of pairs."""
    table = pd.DataFrame([(name, n) for n, (name, _) in enumerate(images(12))])
    table.to_csv(tmp_path / "scores.csv", index=False, header=["image", "score"])
    asked = ("rate", "summary", rated.project.folder, "--resamples", 100)
    given = ("--scores", tmp_path / "scores.csv")
    values = json.loads(cli(*asked, *given, "--json").out)
    pairs = scaled_answers(rated.project)[0].kind == "pairs"
    assert [one["emotion"] for one in values["against"]] == [*([] if pairs else ["all"]), "fear",
                                                            "happy"]  # fmt: skip
    assert "Spearman" in cli(*asked, *given).out
    assert "against" not in json.loads(cli(*asked, "--json").out)
