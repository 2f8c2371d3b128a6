"""Tables: numbers as the reader expects them, dashes for what is undefined, data escaped."""

import math

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation import Estimate, classification
from emorank.report import tables, words
from emorank.report.sections import emotion, papers_rule


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"), (float("nan"), "–"), (pd.NA, "–"), (0, "0"), (0.0, "0.00"), (0.845, "0.84"),
        (150318, "150,318"), (True, "yes"), ("x", "x"), ("\udcff.jpg", "\\udcff.jpg"),
    ],
)  # fmt: skip
def test_cells(value, expected):
    """Undefined is a dash and never a zero; a zero is a zero."""
    assert words.cell(value) == expected


def test_estimates():
    """A value with its interval, without one where there is none, a dash where undefined."""
    assert words.estimate(Estimate(0.831, 0.78, 0.88)) == "0.83 [0.78, 0.88]"
    assert words.estimate(Estimate(0.831, reason="one person")) == "0.83"
    assert words.estimate(Estimate(None, reason="no images")) == "–"


def test_everything_from_data_is_escaped():
    """Captions, headers and cells may hold markup; none of it reaches the page."""
    evil = "<script>alert('x')</script>\"&"
    page = tables.html(pd.DataFrame({evil: [evil], "n": [1]}), evil)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4
    assert "alert(&#39;x&#39;)" in page
    assert "<script" not in tables.pairs({evil: evil, "more": {evil: [evil]}})


def test_numbers_stand_right_and_missing_ones_are_dashes():
    """Numeric columns carry the class for it, also with gaps; the last row can be marked."""
    table = pd.DataFrame(
        {"name": ["a", pd.NA], "x": [0.5, np.nan], "k": pd.array([3, None], dtype="Int64")}
    )
    page = tables.html(table, strong_last=True)
    assert '<td class="n">0.50</td><td class="n">3</td>' in page
    assert '<tr class="last"><td>–</td><td class="n">–</td><td class="n">–</td></tr>' in page


def test_an_empty_table_is_a_header():
    """No rows, no error."""
    page = tables.html(pd.DataFrame({"file": pd.Series([], dtype="string")}))
    assert "<th scope=col>file</th>" in page


def test_settings():
    """Small rates are not rounded to nothing; groups nest; flags are words."""
    page = tables.pairs({"train": {"rate": 1e-5, "batch": 32, "amsgrad": False}, "none": None})
    assert "<dd>1e-05</dd>" in page
    assert "<dd>no</dd>" in page
    assert "<dt>train</dt><dd><dl>" in page
    assert "<dt>none</dt><dd>–</dd>" in page


def test_dashes_are_explained(contents):
    """Every row with a dash has its reason in words."""
    result = classification(["anger"], ["anger"], ["anger", "fear"], rng=np.random.default_rng(0))
    table = emotion.class_table(result)
    assert math.isnan(table.loc[1, "Recall"])
    assert emotion.reasons(result) == ["Fear: no image of this class, never predicted"]
    rows = papers_rule.rank_table(contents.validation)
    dashes = rows[rows[["Precision", "Recall"]].isna().any(axis=1)]
    assert len(papers_rule.reasons(contents.validation)) == len(dashes)


def test_conditional_stands_beside_joint(contents):
    """The overall table holds both scores, both baselines, and how many images are behind each."""
    table = papers_rule.overall_table(contents.validation).set_index("Score")
    assert table.loc["Rank accuracy, emotion recognised (conditional)", "Images"] == 8
    assert table.loc["Emotion and rank both right (joint)", "Images"] == 8
    assert table.index.str.startswith("… always").sum() == 2
