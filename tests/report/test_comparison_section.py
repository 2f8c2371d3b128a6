"""Table 10 as tables, figure and section: every estimator, in order, with what has to be said."""

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.comparison import comparison as scored
from emorank.report.page import render
from emorank.report.paper import write
from emorank.report.sections import comparison as section_module
from emorank.report.sections.comparison import (
    COLUMNS,
    items,
    notes,
    numbers,
    ordered,
    section,
)
from emorank.results.comparison import Circumstances, Comparison, Times

NAMES = {"paper": 0.3, "chang": 0.8, "majority": None, "newer": 0.6, "rater": 0.9, "kamarol": 0.7}


def values(persons=3, labels=False):
    """The result of a comparison, of simulated answers."""
    random = np.random.default_rng(3)
    level = np.tile([1, 2, 3], persons * 4)
    tables = []
    for name, right in NAMES.items():
        said = np.full(len(level), 2)
        if right is not None:
            said = np.where(random.random(len(level)) < right, level, random.integers(0, 4))
        tables.append(
            pd.DataFrame(
                {
                    "estimator": name,
                    "image": [f"{i}.png" for i in range(len(level))],
                    "person": np.repeat([f"p{i}" for i in range(persons)], 12),
                    "level": pd.array(level, dtype="Int64"),
                    "mean": level.astype(float),
                    "predicted": pd.array(said, dtype="Int64"),
                    "score": said.astype(float),
                }
            )
        )
    found = scored(pd.concat(tables), "paper", resamples=50)
    return Comparison(
        expressive=None if labels else found,
        all=found if labels else None,
        timing={"chang": Times(2.0, 1234.0, 0.5)},
        left_out={"ordinal": "it was never <trained>"},
        about=Circumstances(labels, 0, "v.csv", 36),
    )


def test_rivals_then_references_then_ours():
    """In the order of Table 10; a rank that nobody has heard of is ours."""
    assert ordered(NAMES) == ["kamarol", "chang", "majority", "rater", "paper", "newer"]


def test_the_tables_say_what_was_measured():
    """Values with intervals, dashes for what is not defined, the test, times and printed scores."""
    scores, tests = (item.table for item in items(values()) if item.table is not None)
    assert list(scores.columns) == ["Estimator", "Needs", *COLUMNS.values()]
    majority = scores[scores["Estimator"] == "Majority"].iloc[0]
    assert majority["Accuracy"].startswith("0.33 [")
    assert majority["Spearman"] == "–"  # a constant
    chang = tests[tests["Estimator"] == "Chang 2013 (ordinal)"].iloc[0]
    assert (chang["Look, ms"], chang["Printed, %"]) == ("1,234", "68.20")
    ours = tests[tests["Estimator"] == "Ours: the paper's rule"].iloc[0]
    assert set(ours[["Ours less it", "p", "p, Holm"]]) == {"–"}
    plain = numbers(values().expressive, values().timing).set_index("estimator")
    assert plain.loc["rater", "kind"] == "reference"
    assert np.isnan(plain.loc["majority", "spearman"])


def test_each_row_says_what_it_needs():
    """Emotions, votes and sequences, as far as they count; names are those of the figure too."""
    table = section_module.scores_table(values().expressive).set_index("Estimator")
    assert table.loc["Kamarol 2017 (HMM)", "Needs"] == "votes, sequences"
    assert table.loc["Majority", "Needs"] == "votes"
    assert table.loc["Ours: the paper's rule", "Needs"] == "emotions"
    assert table.loc["A rater at random", "Needs"] == "–"
    needs = section_module.needs
    assert needs("calibrated") == "emotions, votes"
    assert (needs("ready"), needs("ready-smooth")) == ("–", "sequences")
    assert needs("expression+identity-smooth") == "emotions, sequences"


def test_what_is_smoothed_is_said():
    """With the names of the rows; without such a row nothing."""
    result = values()
    scores = result.expressive.scores
    smooth = replace(result.expressive, scores={**scores, "ready-smooth": scores["chang"]})
    assert not any("along each sequence" in note for note in notes(result))
    noted = [note for note in notes(replace(result, expressive=smooth)) if "along each" in note]
    assert noted[0].startswith("“Shipped network, smoothed”: the contrast along each sequence")


def test_few_persons_are_said_to_be_few():
    """With three persons nothing can be significant; with eight it can, and nothing is said."""
    few, many = (" ".join(notes(values(n))) for n in (3, 8))
    assert "3 persons cannot give a p below 0.25" in few
    assert "cannot give" not in many
    for words in (few, many):
        assert "“Ours: the paper's rule”" in words
        assert "Left out: Ours: ordinal network: it was never <trained>" in words


@pytest.mark.parametrize(("least", "few"), [(0.05, False), (0.0501, True)])
def test_what_cannot_be_significant_is_said(least, few):
    """Five per cent is the bound: where no p can be below it, the notes say so."""
    result = values(8)
    result = replace(result, expressive=replace(result.expressive, least_p=least))
    assert any("nothing here can be significant" in note for note in notes(result)) == few


def test_times_of_a_tenth_of_a_second_lose_their_decimals():
    """Below 100 ms there is one decimal, from there none; what was not measured is a dash."""
    times = {"chang": Times(99.94, 100.0, None), "kamarol": Times(float("nan"), 5.0, 0.04)}
    table = section_module.tests_table(values().expressive, times).set_index("Estimator")
    row = table.loc["Chang 2013 (ordinal)", ["Learn, ms", "Look, ms", "Predict, ms"]]
    assert row.tolist() == ["99.9", "100", "–"]
    assert table.iloc[0][["Learn, ms", "Look, ms", "Predict, ms"]].tolist() == ["–", "5.0", "0.0"]


def test_two_classes_are_called_so():
    """In the title and first of all notes."""
    result = values(labels=True)
    assert "a check of two classes" in items(result)[0].title
    assert next(iter(notes(result))).startswith("Nobody rated these faces")


def test_the_report_has_the_section(contents):
    """Where it was asked for, escaped, named in the contents; nowhere else."""
    page = render(contents.page(section(values())))
    assert page.count('id="comparison"') == 1
    assert 'href="#comparison"' in page
    assert "Chang 2013 (ordinal)" in page
    assert "it was never &lt;trained&gt;" in page
    assert "<trained>" not in page
    assert "comparison" not in re.findall(r'id="(\w+)"', render(contents.page(section(None))))


def test_files_for_an_article(tmp_path):
    """CSV that reads back, LaTeX that compiles where there is LaTeX, figures, a page."""
    write(items(values()), tmp_path, "A study")
    table = pd.read_csv(tmp_path / "table_10.csv", index_col="estimator")
    expected = values().expressive.scores["chang"].accuracy
    assert table.loc["chang", ["accuracy", "accuracy_low"]].tolist() == pytest.approx(
        [expected.value, expected.low]
    )
    for name in ("figure_10.png", "figure_10.pdf", "table_10.tex", "index.html"):
        assert (tmp_path / name).stat().st_size > 500
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on this machine")
    made = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout[-2000:]
    assert "Overfull" not in made.stdout
