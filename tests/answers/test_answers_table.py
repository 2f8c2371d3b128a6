"""The table of answers: what it takes, what it refuses, and the votes in it."""

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.answers.answers_table import (
    ANSWERS,
    COLUMNS,
    MAX_NAME,
    NONE,
    SKIP,
    answers_table,
    fast_of,
    firsts_of,
    parse_answer,
    repeats_of,
)
from emorank.answers.tabular import SHOWN
from emorank.answers.votes import unit_votes_of, votes_of
from emorank.errors import VotesError


def row(image="a", rater="r", answer="Strong", **others):
    return {"image": image, "rater": rater, "answer": answer, **others}


def test_what_is_not_said_is_missing():
    """Three columns are enough; the others get their missing value and every dtype is fixed."""
    table = answers_table([row()])
    assert tuple(table.columns) == COLUMNS
    assert table.dtypes.astype(str).to_dict() == {
        "image": "string",
        "emotion": "string",
        "rater": "string",
        "answer": "string",
        "repeat": "bool",
        "reaction_ms": "Int64",
        "hidden_ms": "Int64",
        "shortest_ms": "Int64",
        "exposure_ms": "Int64",
        "shown_ms": "Int64",
        "times_shown": "Int64",
        "at": "datetime64[ns, UTC]",
    }
    assert not table["repeat"].any()
    assert table[["emotion", "reaction_ms", "hidden_ms", "shortest_ms", "at"]].isna().all(axis=None)


def test_no_rows_are_an_empty_table_with_the_same_columns():
    """A project nobody has answered yet is no error."""
    assert answers_table([]).dtypes.equals(answers_table([row()]).dtypes)


def test_times_come_as_text_or_as_datetimes():
    """With any offset or none, with or without fractions, all of it becomes UTC."""
    aware = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    given = ["2026-01-02T03:04:05Z", "2026-01-02T05:04:05.000+02:00", "2026-01-02 03:04:05", aware]
    rows = [row(image=str(i), at=at) for i, at in enumerate(given)]
    assert answers_table(rows)["at"].tolist() == [pd.Timestamp(aware)] * 4


def test_the_table_is_its_own_fixed_point():
    """What was checked once passes again unchanged."""
    table = answers_table([row(emotion="happy", repeat=True, reaction_ms=812.4, at="2026-01-02")])
    assert table["reaction_ms"].tolist() == [812]
    pd.testing.assert_frame_equal(answers_table(table), table)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(image="")], "no image"),
        ([row(rater=" ")], "no rater"),
        ([row(rater=None)], "no rater"),
        ([row(answer="strong")], "none of Minimal, Average, Strong, None, Skip"),
        ([row(answer=None)], "none of Minimal"),
        ([row(reaction_ms=-1)], "no number of milliseconds"),
        ([row(reaction_ms="fast")], "no number of milliseconds"),
        ([row(hidden_ms=1e300)], "no number of milliseconds"),
        ([row(at="yesterday")], "not ISO 8601"),
        ([row(at="9999-01-01")], "not ISO 8601"),
        ([row(at=17)], "not ISO 8601"),
        ([row(repeat="maybe")], "neither true nor false"),
        ([row(image="x" * 1025)], "more than 1024 characters"),
        ([row(image="\udcff")], "no text"),
        ([row(image=["a"])], "no text"),
        ([row(rater=7)], "no text"),
        ([row(answer={})], "none of Minimal"),
        ([row(rater="a\0b")], "no text"),
        ([row(), row(answer="None")], "a second answer of a rater"),
        ([row(emotion=""), row(emotion=None)], "a second answer of a rater"),
        ([row(rank="Strong")], "came image, rater, answer, rank"),
        ([{"image": "a", "rater": "r"}], "have to be there"),
    ],
)
def test_what_is_refused(rows, expected):
    """Each offence is named with what was expected and where it was."""
    with pytest.raises(VotesError) as caught:
        answers_table(rows)
    assert expected in str(caught.value)


def test_names_are_written_in_one_way():
    """So units and raters are counted as people mean them, for emotions of their own too."""
    given = [
        row(image="b\\Zoe\u0308.png", emotion="Happiness", rater="Ann "),
        row(image="./b/Zo\u00eb.png", emotion="joy", rater="ben"),
        row(image="b/Zo\u00eb.png", emotion=" OUTRAGE", rater="ben"),
    ]
    table = answers_table(given)
    assert table["image"].unique().tolist() == ["b/Zo\u00eb.png"]
    assert table["emotion"].tolist() == ["happy", "happy", "outrage"]
    assert table["rater"].tolist() == ["Ann", "ben", "ben"]
    with pytest.raises(VotesError, match="a second answer"):
        answers_table([*given, row(image="b//Zo\u00eb.png", emotion="HAPPY", rater="Ann")])
    with pytest.raises(VotesError, match="no image"):
        answers_table([row(image="./")])


def test_a_message_stays_short_and_printable():
    """A thousand hostile rows make a message of a few lines without control characters."""
    rows = [row(image=f"\x1b[2J{i}" + "x" * 500, answer="Huge") for i in range(1000)]
    with pytest.raises(VotesError) as caught:
        answers_table(rows)
    assert "1000 × an answer" in str(caught.value)
    assert f"and {1000 - SHOWN} more" in str(caught.value)
    assert len(str(caught.value)) < 1500
    assert "\x1b" not in str(caught.value)


def test_an_image_has_an_answer_for_each_emotion_rater_and_showing():
    """The same image, rater and showing may be there once more for another emotion."""
    rows = [row(emotion=e, repeat=r) for e in ("happy", "fear", None) for r in (False, True)]
    assert len(answers_table(rows)) == 6


def test_the_bounds_themselves_are_allowed():
    """The longest name, no time at all, the longest time, the first and the last year."""
    table = answers_table(
        [
            row(image="x" * MAX_NAME, reaction_ms=0, hidden_ms=2**53, at="1970-01-01"),
            row(at="2200-12-31"),
        ]
    )
    assert table["reaction_ms"].tolist() == [0, pd.NA]
    assert table["hidden_ms"].tolist()[0] == 2**53
    assert table["at"].dt.year.tolist() == [1970, 2200]
    for column, value in (("hidden_ms", 2**53 + 2), ("at", "1969-12-31"), ("at", "2201-01-01")):
        with pytest.raises(VotesError):
            answers_table([row(**{column: value})])


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        (" Strong ", "Strong"), ("AVG", "Average"), ("1", "Minimal"), ("3.0", "Strong"),
        ("0.0", "None"), (" none\t", "None"),
        ("0", "None"), ("No such emotion here", "None"), (" SKIP", "Skip"), ("skipped", "Skip"),
    ],
)  # fmt: skip
def test_answers_as_people_write_them(word, answer):
    """In any case, with blanks around."""
    assert parse_answer(word) == answer


def test_what_is_no_answer_is_cut_short():
    """Sixty characters of it are shown."""
    with pytest.raises(VotesError, match="'Huge' is no answer"):
        parse_answer("Huge")
    with pytest.raises(VotesError) as caught:
        parse_answer("x" * 1000)
    assert len(str(caught.value)) < 200


def test_rows_of_a_table_get_new_numbers():
    """Whatever index a table has; and the table that came is not changed."""
    given = pd.DataFrame([row(), row(image="b")], index=[7, 7])
    before = given.copy()
    assert answers_table(given).index.tolist() == [0, 1]
    pd.testing.assert_frame_equal(given, before)
    assert firsts_of(answers_table([row(repeat=True), row()])).index.tolist() == [0]


def test_a_column_may_not_be_there_twice():
    """Nobody could say which counts."""
    given = pd.DataFrame([["a", "r", "Strong", "b"]], columns=["image", "rater", "answer", "image"])
    with pytest.raises(VotesError, match="came image, rater, answer, image"):
        answers_table(given)


def test_votes_are_ranks_of_first_showings():
    """None, Skip and second showings are no votes."""
    table = answers_table(
        [
            row(image="a", answer="Minimal"),
            row(image="a", answer="Strong", repeat=True),
            row(image="b", answer=NONE),
            row(image="c", answer=SKIP),
            row(image="d", answer="Average", emotion="happy"),
        ]
    )
    votes = votes_of(table)
    assert votes.columns.tolist() == ["image", "rater", "rank"]
    assert votes.to_numpy().tolist() == [["a", "r", "Minimal"], ["d", "r", "Average"]]
    assert unit_votes_of(table)["emotion"].tolist() == [pd.NA, "happy"]
    assert len(firsts_of(table)) == 4


def test_votes_of_an_image_with_several_emotions_need_a_choice():
    """A study has one rank an image, so the emotion has to be chosen."""
    table = answers_table(
        [row(emotion="happy"), row(emotion="fear", answer="Minimal"), row(image="b")]
    )
    with pytest.raises(VotesError, match=r"'a' for happy, fear.*choose one"):
        votes_of(table)
    assert votes_of(table, emotion="Afraid").to_numpy().tolist() == [["a", "r", "Minimal"]]


def test_images_that_half_of_the_raters_flagged_have_no_votes():
    """There is no intensity to rank; the images are named."""
    rows = [row(image="a", rater=str(n), answer="None" if n < 2 else "Strong") for n in range(4)]
    rows += [row(image="b", rater=str(n), answer="None" if n < 1 else "Strong") for n in range(3)]
    votes = votes_of(answers_table(rows))
    assert set(votes["image"]) == {"b"}
    assert votes.attrs["flagged"] == ["a"]


def test_repeats_put_both_answers_side_by_side():
    """A unit is matched by image, emotion (an unknown one too) and rater."""
    table = answers_table(
        [
            row(image="a", answer="Strong"),
            row(image="a", answer=NONE, repeat=True),
            row(image="b", answer="Minimal", emotion="happy"),
            row(image="b", answer="Average", emotion="happy", repeat=True),
            row(image="b", answer="Average", emotion="fear", repeat=True),
        ]
    )
    both = repeats_of(table)
    assert both[["image", "first", "second"]].to_numpy().tolist() == [
        ["a", "Strong", "None"],
        ["b", "Minimal", "Average"],
    ]
    assert both["emotion"].tolist() == [pd.NA, "happy"]
    assert both["emotion"].dtype == "string"


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["happy", "fear"]), st.booleans()),
        st.sampled_from(ANSWERS),
    )
)
def test_votes_and_repeats_count_what_is_there(cells):
    """Every rank of a first showing is a vote; every unit with both showings is a repeat."""
    rows = [row(i, answer=word, emotion=e, repeat=again) for (i, e, again), word in cells.items()]
    table = answers_table(rows)
    ranks = {"Minimal", "Average", "Strong"}
    first = [w for (_, _, again), w in cells.items() if not again and w in ranks]
    assert sorted(unit_votes_of(table)["rank"]) == sorted(first)
    twice = sum((i, e, False) in cells for i, e, again in cells if again)
    assert len(repeats_of(table)) == twice


def test_an_answer_within_half_a_second_is_fast():
    """Or within its own shortest viewing time, if that is longer; unknown times are not."""
    times = [(499, 250), (500, 250), (0, None), (900, 1000), (1000, 1000), (None, 250)]
    table = answers_table(
        row(image=f"i{place}", reaction_ms=reaction, shortest_ms=shortest)
        for place, (reaction, shortest) in enumerate(times)
    )
    assert fast_of(table).tolist() == [True, False, True, True, False, False]
