"""The majority of a table of answers, None among them, against a slow oracle."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference.agreement import verdict

from emorank.answers.answers_table import ANSWERS, answers_table
from emorank.answers.votes import votes_of
from emorank.answers.voting import answer_sheet, majority, sheet, verdicts, winners

LEVELS = ("None", "Minimal", "Average", "Strong")
CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["r1", "r2", "r10", "r3", "r4"])),
    st.sampled_from(ANSWERS),
    min_size=1,
)


def table(cells, emotion="happy"):
    return answers_table(
        [
            {"image": image, "emotion": emotion, "rater": rater, "answer": answer}
            for (image, rater), answer in cells.items()
        ]
    )


def one(*answers, emotion="happy", ties="median"):
    """The verdict on one unit."""
    cells = {("a", f"r{n}"): answer for n, answer in enumerate(answers)}
    return verdicts(table(cells, emotion), ties).iloc[0]


@given(st.lists(st.lists(st.integers(0, 3), max_size=9), min_size=1))
def test_winners_equal_the_oracle(units):
    """None by more than half, otherwise the most frequent rank, ties to the lower median."""
    counts = np.array([np.bincount(unit, minlength=4) for unit in units])
    winner, tied = winners(counts)
    assert list(zip(winner.tolist(), tied.tolist(), strict=True)) == [verdict(u) for u in units]


def test_is_it_there_comes_before_how_strong():
    """Four None against six ranks: it is there, although None is the most frequent answer."""
    split = ["None"] * 4 + ["Minimal"] * 3 + ["Average"] * 3
    assert one(*split)["rank"] == "Minimal"
    assert one(*split)["tied"]
    assert one(*split)["median"] == "Minimal"
    absent = one(*["None"] * 6, *["Strong"] * 4)
    assert absent["flagged"]
    assert pd.isna(absent["rank"])
    assert absent["label"] == "No Happy"
    assert absent["mean"] == 3


def test_half_none_is_a_tie():
    """The median says None, which claims no more than half of the raters saw; or it is disputed."""
    half = ("None", "None", "Strong", "Strong")
    assert one(*half)["flagged"]
    assert one(*half)["tied"]
    disputed = one(*half, ties="disputed")
    assert disputed["disputed"]
    assert not disputed["flagged"]
    assert pd.isna(disputed["rank"])
    assert pd.isna(disputed["label"])


@pytest.mark.parametrize(
    ("emotion", "label"),
    [("happy", "Strong Happy"), ("sad", "Strong Sadness"), ("outrage", "Strong Outrage"),
     (None, "Strong")],
)  # fmt: skip
def test_labels_name_rank_and_emotion(emotion, label):
    """Synonyms by our word, strange words as they are, an unknown one not at all."""
    assert one("Strong", emotion=emotion)["label"] == label


def test_skip_is_counted_and_no_vote():
    """A unit that everybody skipped has no rank, no tie and no flag."""
    skipped = one("Skip", "Skip")
    assert skipped["n_skip"] == 2
    assert not skipped[["flagged", "tied", "disputed"]].any()
    assert skipped[["rank", "label", "median", "mean"]].isna().all()


def test_units_are_pairs_of_image_and_emotion():
    """The same image has a verdict for each emotion; an unknown emotion is one too."""
    rows = [
        {"image": "a", "emotion": emotion, "rater": "r", "answer": answer}
        for emotion, answer in (("happy", "Strong"), (None, "Minimal"), ("fear", "None"))
    ]
    found = verdicts(answers_table(rows))
    assert found["emotion"].tolist() == ["happy", pd.NA, "fear"]
    assert found["label"].tolist() == ["Strong Happy", "Minimal", "No Fear"]


@settings(max_examples=40)
@given(CELLS, st.sampled_from(["median", "disputed"]))
def test_without_none_it_is_the_papers_majority(cells, ties):
    """Where every answer is a rank, the verdicts are `majority`'s and the sheet is `sheet`'s."""
    ranks = {key: word for key, word in cells.items() if word not in ("None", "Skip")}
    if not ranks:
        return
    answers = table(ranks, emotion=None)
    votes = votes_of(answers)
    mine, theirs = verdicts(answers, ties), majority(votes, ties)
    same = ["image", "rank", "n_minimal", "n_average", "n_strong", "tied", "mean"]
    pd.testing.assert_frame_equal(mine[same], theirs[same])
    wide = answer_sheet(answers, ties)
    pd.testing.assert_frame_equal(wide.drop(columns="Label"), sheet(votes, ties))
    assert wide.attrs["raters"] == sheet(votes, ties).attrs["raters"]


@given(CELLS)
def test_a_study_gets_the_same_ranks(cells):
    """Images that raters flagged are left out of the study's votes; the others keep their rank."""
    answers = table(cells)
    found = verdicts(answers).set_index("image")
    votes = votes_of(answers)
    ranked = found["rank"].dropna()
    assert set(votes["image"]) == set(ranked.index)
    if len(votes):
        theirs = majority(votes).set_index("image")["rank"]
        assert theirs.to_dict() == ranked.to_dict()
    assert set(votes.attrs["flagged"]) == set(found.index[found["flagged"]])


def test_the_sheet_has_emotion_none_and_label():
    """Columns come where they are needed; raters in natural order."""
    answers = table({("a", "r10"): "None", ("a", "r2"): "Strong", ("a", "r1"): "Strong",
                     ("b", "r2"): "Skip", ("b", "r1"): "Average"})  # fmt: skip
    found = answer_sheet(answers)
    assert found.columns.tolist() == [
        *("image", "emotion", "A1", "A2", "A3", "None", "Min", "Avg", "Str", "Final", "Label"),
    ]
    assert found.attrs["raters"] == ["r1", "r2", "r10"]
    assert found.iloc[0].tolist() == [
        *("a", "happy", "Str", "Str", "None", 1, 0, 0, 2, "Str", "Strong Happy"),
    ]
    assert found.iloc[1]["A2"] == "Skip"
    assert pd.isna(found.iloc[1]["A3"])
    assert found.iloc[1]["Final"] == "Avg"
