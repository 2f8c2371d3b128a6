"""The summary holds the results of its parts, and every unit is counted once."""

import msgspec
import numpy as np
import pandas as pd
import pytest

from emorank.answers.answers_table import answers_table
from emorank.answers.emotion_votes import EmotionVotes
from emorank.evaluation.raters.agreement import agreement
from emorank.evaluation.raters.consistency import ALL
from emorank.evaluation.raters.rating_summary import summarise, summarise_emotions
from emorank.evaluation.raters.ratings import ratings


def table(emotions=("happy", "fear")):
    rng = np.random.default_rng(4)
    words = ("None", "Minimal", "Average", "Strong", "Skip")
    rows = [
        {"image": f"i{i}", "emotion": emotion, "rater": f"r{r}", "reaction_ms": 1000 + r,
         "answer": words[min(4, int(rng.integers(6)))]}
        for i in range(30) for emotion in emotions for r in range(4)
    ]  # fmt: skip
    rows += [row | {"repeat": True, "answer": "Strong"} for row in rows[:6]]
    rows += [{"image": "skipped", "emotion": emotions[0], "rater": "r0", "answer": "Skip"}]
    return answers_table(rows)


@pytest.fixture(scope="module")
def found():
    return summarise(table(), np.random.default_rng(0), resamples=200)


def test_units_go_somewhere(found):
    """Ranks, flagged, disputed and unvoted add up to all units, under both policies."""
    assert (found.images, found.units, found.raters, found.repeats) == (31, 61, 4, 6)
    for one in found.outcomes:
        total = sum(one.ranks.values()) + one.flagged + one.disputed + one.unvoted
        assert total == found.units
        assert one.unvoted >= 1
    median, disputed = found.outcomes
    assert median.disputed == 0
    assert disputed.disputed == disputed.tied == median.tied > 0
    assert sum(found.answers.values()) == 241
    assert found.reaction_ms == 1001


def test_parts_are_those_of_the_functions(found):
    """Agreement over all and per emotion, consistency in front of the raters."""
    whole = agreement(table(), np.random.default_rng(0), resamples=200)
    assert found.agreement.counts == whole.counts
    assert [one.emotion for one in found.emotions] == ["happy", "fear"]
    part = table()
    part = part[part["emotion"] == "fear"]
    fear = agreement(part, np.random.default_rng(1), resamples=200)
    assert found.emotions[1].agreement.counts.alpha_ordinal.value == pytest.approx(
        fear.counts.alpha_ordinal.value
    )
    assert found.consistency[0].rater == ALL
    assert {one.method for one in found.sensitivity} == {"ordinal median", "Dawid and Skene"}
    assert all(0 < one.same <= one.units == 60 for one in found.sensitivity)
    assert msgspec.convert(msgspec.to_builtins(found), type(found)) == found


def test_one_emotion_has_no_parts_and_nothing_has_a_summary():
    """With one emotion there are no parts; an empty table is no error."""
    one = summarise(table(("happy",)), np.random.default_rng(0), resamples=100)
    assert one.emotions == ()
    none = summarise(answers_table([]), np.random.default_rng(0), resamples=100)
    assert (none.units, none.raters) == (0, 0)
    assert none.agreement.counts.fleiss_kappa.value is None


def test_emotion_votes_by_group():
    """Votes, winners, ties; an image that was shown twice is drawn once."""
    images = pd.DataFrame({"image": ["a", "a", "b"], "group": ["voice", "face", "face"]})
    votes = EmotionVotes(images, ("happy", "sad"), np.array([[3, 1], [2, 2], [0, 4]]))
    found = summarise_emotions(votes, np.random.default_rng(0), resamples=100)
    assert found.votes == {"happy": 5, "sad": 7}
    assert found.finals == {"happy": 1, "sad": 1}
    assert found.tied == 1
    assert found.agreement.images == 2
    assert found.agreement.units == 3
    assert found.agreement.alpha_ordinal is None
    assert list(found.groups) == ["voice", "face"]
    assert found.groups["voice"].units == 1


def test_nothing_given_is_zero_and_times_may_be_unknown():
    """A rank that nobody gave has no units; without times there is no median."""
    rows = [{"image": f"i{n}", "rater": r, "answer": "Strong"} for n in range(3) for r in "ab"]
    found = summarise(answers_table(rows), np.random.default_rng(0), resamples=20)
    assert found.outcomes[0].ranks == {"Minimal": 0, "Average": 0, "Strong": 3}
    assert found.answers["Minimal"] == 0
    assert found.reaction_ms is None
    assert [(one.units, one.same) for one in found.sensitivity] == [(3, 3), (3, 3)]
    assert ratings(answers_table([])).images == 0
    none = answers_table([{"image": "a", "rater": r, "answer": "None"} for r in "ab"])
    flagged = summarise(none, np.random.default_rng(0), resamples=20)
    assert flagged.outcomes[0].flagged == 1
    assert [(one.units, one.same) for one in flagged.sensitivity] == [(1, 1), (1, 1)]
    timed = answers_table([row | {"reaction_ms": 500} for row in rows[:1]] + rows[1:])
    assert summarise(timed, np.random.default_rng(0), resamples=20).reaction_ms == 500


def test_the_options_of_a_summary_reach_its_agreement():
    """How None is used, and whether raters are persons."""
    found = summarise(
        table(), np.random.default_rng(0), none_as="missing", named=False, resamples=20
    )
    assert found.agreement.none_as == found.emotions[0].agreement.none_as == "missing"
    assert "20 resamples" in found.agreement.counts.observed.method
    assert not found.named
