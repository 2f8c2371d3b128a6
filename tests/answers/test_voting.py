"""Majority votes against a slow count, the tie policies, and the paper's Table 5."""

import statistics
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.answers.answers_table import answers_table
from emorank.answers.voting import majority, sheet, verdicts
from emorank.room.sources import read_votes
from emorank.vocabulary import Rank

GOLDEN = Path(__file__).parent / "golden" / "table_05_annotator_summary.csv"
WORDS = [rank.label for rank in Rank]


def cast(*ballots: str) -> pd.DataFrame:
    """Votes from strings such as "MMAS": one image each, one rater a letter."""
    words = {word[0]: word for word in WORDS}
    rows = [
        (f"image{i}", f"r{j}", words[letter])
        for i, ballot in enumerate(ballots)
        for j, letter in enumerate(ballot)
    ]
    return pd.DataFrame(rows, columns=["image", "rater", "rank"])


def test_table_5():
    """All six rows of Table 5 come out of their ten votes, final ranks included."""
    printed = pd.read_csv(GOLDEN)
    table = sheet(read_votes(GOLDEN))
    assert list(table.columns) == ["image", *(f"A{n}" for n in range(1, 11)), "Min", "Avg", "Str",
                                   "Final"]  # fmt: skip
    assert table["image"].tolist() == printed["image"].tolist()
    np.testing.assert_array_equal(table.filter(regex=r"A\d"), printed.filter(regex=r"a\d+$"))
    np.testing.assert_array_equal(table["Min"], printed["min_printed"])
    np.testing.assert_array_equal(table["Avg"], printed["avg_printed"])
    np.testing.assert_array_equal(table["Final"], printed["final_printed"])
    right = printed["image"] != "kdef_2"
    np.testing.assert_array_equal(table["Str"][right], printed["str_printed"][right])


def test_table_5_erratum_second_row():
    """Table 5 prints one Strong vote for its second image; the row holds two, as ten votes need."""
    printed = pd.read_csv(GOLDEN).set_index("image").loc["kdef_2"]
    ours = sheet(read_votes(GOLDEN)).set_index("image").loc["kdef_2"]
    assert printed["str_printed"] == 1
    assert printed[["min_printed", "avg_printed", "str_printed"]].sum() == 9
    assert ours["Str"] == 2
    assert ours[["Min", "Avg", "Str"]].sum() == 10


@pytest.mark.parametrize(
    ("ballot", "median"),
    [
        ("MS", "Minimal"),
        ("MMMMMSSSSS", "Minimal"),
        ("MMMMAASSSS", "Average"),
        ("MMMMMAAAAA", "Minimal"),
        ("AAAAASSSSS", "Average"),
        ("MAS", "Average"),
        ("MMASS", "Average"),
    ],
)
def test_ties(ballot, median):
    """A tie is the lower ordinal median by one policy and no rank by the other."""
    by_median = majority(cast(ballot)).iloc[0]
    disputed = majority(cast(ballot), ties="disputed").iloc[0]
    assert by_median["tied"]
    assert by_median["rank"] == median
    assert disputed["tied"]
    assert disputed["rank"] is pd.NA


def test_a_clear_majority_is_not_touched_by_the_policy():
    """The most frequent rank wins even where the median is another one."""
    votes = cast("MMMMAASSS", "SSSAA")
    for ties in ("median", "disputed"):
        table = majority(votes, ties)
        assert table["rank"].tolist() == ["Minimal", "Strong"]
        assert not table["tied"].any()


def test_an_unknown_policy_is_refused():
    """A policy that does not exist is an error that names those that do."""
    with pytest.raises(ValueError, match="median, disputed"):
        majority(cast("M"), "coin")
    with pytest.raises(ValueError, match="median, disputed"):
        sheet(cast("M"), "coin")
    answers = answers_table([{"image": "a", "rater": "r", "answer": "Strong"}])
    with pytest.raises(ValueError, match="median, disputed"):
        verdicts(answers, "coin")


@given(st.lists(st.text("MAS", min_size=1, max_size=12), min_size=1, max_size=8), st.randoms())
def test_majority_equals_a_slow_count(ballots, random):
    """Counts, rank, tie and mean equal plain Python's, in whatever order the votes come."""
    votes = cast(*ballots)
    order = list(range(len(votes)))
    random.shuffle(order)
    table = majority(votes.iloc[order]).set_index("image")
    for i, ballot in enumerate(ballots):
        row = table.loc[f"image{i}"]
        ranks = ["MAS".index(letter) + 1 for letter in ballot]
        counts = Counter(ranks)
        assert [row["n_minimal"], row["n_average"], row["n_strong"]] == [
            counts[r] for r in (1, 2, 3)
        ]
        most = max(counts.values())
        winners = [r for r, n in counts.items() if n == most]
        assert row["tied"] == (len(winners) > 1)
        expected = winners[0] if len(winners) == 1 else statistics.median_low(ranks)
        assert row["rank"] == Rank(expected).label
        np.testing.assert_allclose(row["mean"], statistics.fmean(ranks), rtol=1e-12)


def test_raters_who_missed_images_leave_gaps():
    """The sheet has one column per rater in natural order, <NA> where there is no vote."""
    votes = pd.DataFrame(
        [("x", "r10", "Strong"), ("x", "r2", "Minimal"), ("y", "r10", "Average")],
        columns=["image", "rater", "rank"],
    )
    table = sheet(votes, ties="disputed")
    assert table.attrs["raters"] == ["r2", "r10"]
    assert table["A1"].tolist() == ["Min", pd.NA]
    assert table["A2"].tolist() == ["Str", "Avg"]
    assert table["Final"].tolist() == [pd.NA, "Avg"]


def test_hostile_tables_are_refused():
    """Unknown words and two votes in one cell do not become a rank silently."""
    with pytest.raises(ValueError, match="one of the ranks"):
        majority(pd.DataFrame({"image": ["x"], "rater": ["r"], "rank": ["Huge"]}))
    with pytest.raises(ValueError, match="duplicate"):
        sheet(cast("MM").assign(rater="r0"))
