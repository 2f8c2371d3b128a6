"""`emorank rate new --protocol`, and what it takes for other languages."""

import re

import pandas as pd
import pytest
from tests.rooms import declare

from emorank.room.open_link import Arrival, admit
from emorank.room.overview import progress
from emorank.room.project import open_project
from emorank.room.protocol import protocol_of

STUDY = """
order = "mixed"
repeats = 0
shortest_viewing = 0.3
names = ["ada", "ben"]
emotions = ["happy"]
title = "Faces"
[languages]
offered = ["de", "it"]
files = { it = "it.po" }
[consent]
contact = "lab@example.org"
[[checks]]
image = "a.png"
emotion = "happy"
level = "Strong"
[[demographics]]
key = "age"
kind = "number"
least = 18
most = 99
[open_link]
most = 5
"""


def test_a_study_from_its_file(cli, drawn, tmp_path):
    """Options of the file hold unless the command line has others; all that is stored is written
    by `export`, a table each."""  # noqa: D205, D209 - one sentence
    assert "a form to fill in" in cli("rate", "language", "--out", tmp_path / "it.po").out
    assert "it.po" in cli("rate", "language", "--out", tmp_path / "it.po").failure
    assert "--of xx" in cli("rate", "language", "--of", "xx", "--out", tmp_path / "x.po").failure
    declare(tmp_path, STUDY)
    ratings = tmp_path / "ratings"
    done = cli("rate", "new", drawn, "--protocol", tmp_path / "study.toml", "--out", ratings,
               "--title", "Others")  # fmt: skip
    assert done.code == 0, done.err
    assert re.search(
        r"The open link, for everybody: http://127\.0\.0\.1:8321/join/[\w-]{32}\n", done.out
    )
    project = open_project(ratings)
    about = project.about()
    assert (about.title, about.ordering, about.shortest_ms) == ("Others", "mixed", 300)
    assert [(row.name, row.total) for row in progress(project)] == [("ada", 8), ("ben", 8)]
    admit(project, protocol_of(project).open_link, Arrival("ann"), "f" * 64, "de")
    assert "failed checks" in cli("rate", "status", ratings).out
    for table, rows in (("trials", 0), ("consents", 1), ("demographics", 0), ("participants", 1)):
        out = tmp_path / f"{table}.csv"
        assert f"{rows} " in cli("rate", "export", ratings, "--out", out, f"--{table}").out
        assert len(pd.read_csv(out)) == rows
    both = cli("rate", "export", ratings, "--out", tmp_path / "x.csv", "--trials", "--log")
    assert both.code == 2
    project.database.close()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nonsense = 1", "unknown key 'nonsense' at the top; expected some of background"),
        ("out = 'x'", "unknown key 'out' at the top"),
        ("raters = 'many'", "raters = 'many': expected a whole number"),
        ("raters = 3.5", "raters = 3.5: expected a whole number"),
        ("raters = true", "raters = True: expected a whole number"),
        ("raters = 0", "raters = 0: 0 is not in the range"),
        ("ties = 'yes'", "ties = 'yes': expected true or false"),
        ("seed = '1'", "seed = '1': expected a whole number"),
        ("repeats = [1]", "repeats = [1]: expected a number"),
        ("names = { a = 1 }", "expected text, or a list of texts without commas"),
        ("names = ['a', 5]", "expected text, or a list of texts without commas"),
        ("names = ['a,b', 'c']", "expected text, or a list of texts without commas"),
        ("base_url = 5", "base_url = 5: expected text"),
        ("order = 'random'", "order = 'random'"),
        ("repeats = 7", "repeats = 7: 7"),
        ("[languages]\noffered = ['it']", "no catalogue for the language it"),
        ("[practise]\nfeedback = true", "unknown key 'practise' at the top"),
    ],
)
def test_what_is_wrong_in_the_file_makes_nothing(cli, drawn, tmp_path, content, says):
    """The error names the file, the key and what was expected."""
    declare(tmp_path, content)
    made = tmp_path / "ratings"
    failure = cli(
        "rate", "new", drawn, "--protocol", tmp_path / "study.toml", "--out", made
    ).failure
    assert says in failure
    assert "study.toml" in failure
    assert not made.exists()
