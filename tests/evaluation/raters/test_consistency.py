"""The consistency of raters over images shown twice."""

import pytest
from sklearn.metrics import cohen_kappa_score

from emorank.answers.answers_table import answers_table
from emorank.evaluation.raters.consistency import ALL, consistency
from emorank.evaluation.raters.ratings import LEVELS

PAIRS = {
    "ann": [("None", "None"), ("Minimal", "Average"), ("Strong", "Strong"), ("Strong", "Minimal")],
    "ben": [("Average", "Average"), ("Average", "Average"), ("Skip", "Strong")],
}


def table():
    rows = []
    for rater, pairs in PAIRS.items():
        for n, pair in enumerate(pairs):
            for again, answer in enumerate(pair):
                rows.append(
                    {"image": f"i{n}", "rater": rater, "answer": answer, "repeat": bool(again)}
                )
    return answers_table(rows)


def test_each_rater_and_all():
    """Shares, kappa as scikit-learn has it, and all raters together in front."""
    everybody, ann, ben = consistency(table())
    assert (everybody.rater, ann.rater, ben.rater) == (ALL, "ann", "ben")
    assert (everybody.repeats, ann.repeats, ben.repeats) == (6, 4, 2)
    assert ann.same.value == 0.5
    assert ann.within_one == 0.75
    first, second = zip(*PAIRS["ann"], strict=True)
    expected = cohen_kappa_score(first, second, labels=LEVELS, weights="quadratic")
    assert ann.kappa == pytest.approx(expected)
    assert everybody.same.value == pytest.approx(4 / 6)
    assert everybody.same.low < 4 / 6 < everybody.same.high


def test_one_answer_throughout_has_no_kappa():
    """All answers are equal, so kappa is not defined."""
    ben = consistency(table())[-1]
    assert ben.same.value == 1
    assert ben.kappa is None
    assert ben.reason == "one and the same answer throughout"


def test_no_repeats_no_consistency():
    """Nothing was shown twice."""
    assert consistency(answers_table([])) == ()
    assert consistency(answers_table([{"image": "a", "rater": "r", "answer": "None"}])) == ()
