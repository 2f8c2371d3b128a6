"""The words of an audit's verdicts: every reason, and the sentence at the head."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.laboratory.test_examination import FEW, by_thirds, faces, given
from tests.evaluation.laboratory.test_verdict import about, changes, correlated, examined, ranked

from emorank.evaluation.laboratory.examination import examine
from emorank.evaluation.laboratory.verdict import EXPRESSIVE, Verdict
from emorank.report.sections.audit_words import explanation, headline


def heads(*ranks):
    return headline([*ranks], None)


def a_rank(name, score, level=None, kind="rank"):
    return examine(name, kind, faces(), given(score, level), options=FEW)


def test_the_sentence_is_of_ranks_and_says_where_a_score_is_better():
    """A rank that is bad is not excused by a score that is good."""
    table = faces()
    noise = np.random.default_rng(0).random(len(table))
    bad = a_rank("paper", noise, by_thirds(noise))
    good = a_rank("logit", table["intensity"])
    best = a_rank("ordinal", table["intensity"], table["majority"])
    text = heads(bad, good)
    assert text.startswith("Do not believe the ranks of this study: the rank “paper” is bad")
    assert "the score “logit” is good" in text
    assert "best of 2 tried" in text
    assert heads(bad, best).startswith("The ranks follow expression intensity on these faces")
    assert heads(good).startswith("The score “logit” is good")
    assert heads(bad).count(".") == heads(bad).count("0.") + 1  # one sentence
    assert "cannot be said" in heads()


def test_a_control_that_passes_shows_the_laboratory_wrong():
    """Then no verdict is worth anything."""
    table = faces()
    passed = a_rank("random", table["intensity"], table["majority"], "control")
    good = a_rank("ordinal", table["intensity"], table["majority"])
    assert heads(good, passed).startswith("Nothing can be concluded")
    assert "(random)" in heads(good, passed)


def test_what_cannot_be_said_has_its_reason():
    """No rank at all, a best one that is unknown, and a bad one without a truth."""
    assert heads() == "How far the ranks can be believed cannot be said: no rank was tried."
    unknown = replace(examined("a", "unknown"), verdict=Verdict("unknown", ("no truth",)))
    assert heads(unknown) == (
        "How far the ranks can be believed cannot be said: "
        "nothing is known of the intensity of faces that it scored."
    )
    constant = replace(examined("a", "bad", truth=""), verdict=Verdict("bad", ("constant",)))
    assert heads(constant).endswith("cannot be said: it says the same of every face, "
                                    "so it says nothing.")  # fmt: skip


TEXTS = {
    ("constant",): "it says the same of every face, so it says nothing",
    ("no truth",): "nothing is known of the intensity of faces that it scored",
    ("brightness",): "it follows the brightness of the picture, not the expression",
    ("undefined",): "why not",
    ("correlation",): "it correlates 0.60 [0.50, 0.70] with the known intensity within emotion",
    ("correlation", "chance"): "it correlates 0.60 [0.50, 0.70] with the known intensity within "
    "emotion, which is no better than chance",
    ("correlation", "no interval"): "it correlates 0.60 [0.50, 0.70] with the known intensity "
    "within emotion, but there is no interval (why not)",
    ("correlation", "unstable", "unscored"): "it correlates 0.60 [0.50, 0.70] with the known "
    "intensity within emotion; changes that should not matter move it by 0.75 of its spread; "
    "7 faces are left without a score",
    ("expressive only",): "how strong the expressions are is not known",
    ("unranked",): "it gives no rank to 5 of 25 rated faces",
    ("disagreement",): "its ranks agree with the raters no better than chance, "
    "kappa 0.80 [0.60, 0.90]",
    ("below a rater",): "its ranks agree with the raters less (0.80 [0.60, 0.90]) than a rater "
    "does with the others (0.85)",
}


@pytest.mark.parametrize("reasons", TEXTS)
def test_every_reason_has_its_words(reasons):
    """With the numbers that it is about."""
    one = replace(
        examined("a", "bad"),
        correlations={"known intensity": correlated(0.5, missing=7, reason="why not")},
        levels=ranked(abstained=5),
        changes=changes(0.7, 0.8),
        verdict=Verdict("bad", reasons),
    )
    assert explanation(one, about(0.85)) == TEXTS[reasons]


def test_expressive_against_neutral_is_not_within_emotion():
    """There is one group of faces only."""
    one = replace(
        examined("a", "weak", truth=EXPRESSIVE),
        correlations={EXPRESSIVE: correlated(0.5)},
        verdict=Verdict("weak", ("correlation",)),
    )
    assert explanation(one, None) == f"it correlates 0.60 [0.50, 0.70] with the {EXPRESSIVE}"
