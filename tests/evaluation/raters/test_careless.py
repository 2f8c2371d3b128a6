"""Measures of careless raters, and rules."""

import pandas as pd
import pytest

from emorank.answers.scales import THREE, scale_of
from emorank.errors import RatingError
from emorank.evaluation.raters.careless import careless, kept, parse_rule


def table(rows):
    """Answers of rows (rater, image, answer, repeat, ms)."""
    found = pd.DataFrame(rows, columns=["rater", "image", "answer", "repeat", "reaction_ms"])
    numbers = {"Minimal": 1, "Average": 2, "Strong": 3}
    value = [numbers.get(word, int(word) if word.isdecimal() else None) for word in found["answer"]]
    return found.assign(
        emotion="happy", shortest_ms=pd.array([250] * len(found), dtype="Int64"),
        reaction_ms=found["reaction_ms"].astype("Int64"), value=pd.array(value, dtype="Float64"),
    )  # fmt: skip


def rows(rater, words, ms=900, repeats=()):
    first = [(rater, f"p{i}", word, False, ms) for i, word in enumerate(words)]
    return first + [(rater, f"p{i}", word, True, ms) for i, word in enumerate(repeats)]


WORDS = ["Minimal", "Average", "Strong"] * 4


def test_each_measure():
    """Shares by hand: 3 of 12 fast, a run of 7 of 15, 1 of 2 checks, 2 of 3 repeats."""
    given = rows(
        "a", [*["Average"] * 5, *WORDS[:7]], repeats=["Average", "Minimal", "Skip", "None"]
    )
    given[0] = ("a", "p0", "Average", False, 100)
    (marks,) = careless(THREE, table(given), {"a": (1, 2)})
    assert marks.answers == 16
    assert marks.fast == 1 / 16
    assert marks.run == 5 / 16
    assert marks.checks == 0.5
    # Average again; Minimal is a level apart; None is two levels below Average.
    assert marks.repeats == 2 / 3


def test_too_few_answers_are_no_measure():
    """Nine answers, two repeats, no check: nobody is left out for that."""
    rule = parse_rule("fast>=0, run>=0, checks>=0, repeats<=1")
    (marks,) = careless(THREE, table(rows("a", WORDS[:7], repeats=WORDS[:2])), rule=rule)
    assert (marks.fast, marks.run, marks.checks, marks.repeats) == (None,) * 4
    assert not marks.excluded


def test_positions_and_sides():
    """A slider's repeats may be 25 apart; a pair's have to choose the same face."""
    slider = scale_of("slider")
    given = table(rows("a", ["10"] * 12, repeats=["35", "36", "10"]))
    assert careless(slider, given)[0].repeats == 2 / 3
    pairs = given.assign(first="p", second="q", stronger=["p"] * 12 + ["p", "q", "p"])
    pairs["first"] = pairs["image"]
    assert careless(scale_of("pairs"), pairs)[0].repeats == 2 / 3


def test_a_rule_leaves_out_who_meets_enough():
    """One criterion, or as many as it says; a number is reached or passed as its sign says."""
    answers = table([*rows("good", WORDS), *rows("same", ["Strong"] * 12),
                     *rows("both", ["Strong"] * 12, ms=300)])  # fmt: skip

    def out(text):
        return [m.rater for m in careless(THREE, answers, rule=parse_rule(text)) if m.excluded]

    assert out("run>=1, fast>0.5") == ["both", "same"]
    assert out("run>1, fast>0.5") == ["both"]
    assert out("2 of: run>=0.5, fast>0.5") == ["both"]
    assert out("fast<=0, run<0.1") == ["good", "same"]
    marks = careless(THREE, answers, rule=parse_rule("run>=1"))
    assert set(kept(answers, marks)["rater"]) == {"good"}
    assert [one.met for one in marks] == [("run >= 1",), (), ("run >= 1",)]


@pytest.mark.parametrize(
    "text",
    ["", "slow>1", "run>2", "run=0.5", "3 of: run>0.5, fast>0.5", "0 of: run>0.5", "run>0.5;"],
)
def test_what_is_no_rule_is_refused(text):
    """With an example of one."""
    with pytest.raises(RatingError, match="such as"):
        parse_rule(text)
