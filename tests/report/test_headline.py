"""The three lines, and the sentence about chance."""

from dataclasses import replace

import pytest

from emorank.evaluation import Estimate
from emorank.report.headline import headline, verdict


def test_three_lines(contents):
    """Emotion, the rank that works, then the paper's rule: each with intervals and chance."""
    first, second, third = headline(
        contents.emotions, contents.compared, contents.validation, unseen_persons=True
    )
    assert first.startswith("Expressed emotion: accuracy 1.00 [0.76, 1.00] rough on 12 test")
    assert "of 4 unseen persons (always “Anger”: 0.33)" in first
    assert second.startswith("Rank by the contrast to neutral: Spearman 1.00")
    for words in ("chance: up to", "quadratic kappa", "one rater: ", "on 8 images"):
        assert words in second, words
    assert third.startswith("The paper's rule, reproduced: quadratic kappa ")
    assert third.endswith("with the known intensity, within emotion.")


def test_without_votes_the_scores_are_left(contents):
    """Where only intensities are known, nothing is said of raters."""
    alone = replace(contents.compared, validated=None, rater=None)
    _, second, third = headline(contents.emotions, alone, None, unseen_persons=True)
    for line in (second, third):
        assert "Spearman" in line
        assert "kappa" not in line
        assert "rater" not in line


def test_persons_are_not_called_unseen_when_they_were_seen(contents):
    """A random split does not claim strangers; without votes and intensities the lines say so."""
    nothing = replace(contents.compared, truth="", follows={}, validated=None, rater=None)
    first, second, third = headline(contents.emotions, nothing, None, unseen_persons=False)
    assert "unseen" not in first
    assert "not validated, there are no votes and no known intensities" in second
    assert "not validated" in third


def test_a_study_of_an_earlier_version_has_two_lines(contents):
    """What was not measured is not claimed."""
    lines = headline(contents.emotions, None, contents.validation, unseen_persons=True)
    assert [line.partition(":")[0] for line in lines] == [
        "Expressed emotion", "The paper's rule, reproduced",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kappa", "expected"),
    [
        (Estimate(0.4, 0.2, 0.6), "agree beyond chance"),
        (Estimate(0.1, -0.2, 0.4), "do not agree beyond chance"),
        (Estimate(0.1, 0.0, 0.4), "do not agree beyond chance"),
        (Estimate(-0.1, -0.4, 0.0), "do not agree beyond chance"),
        (Estimate(-0.4, -0.6, -0.2), "disagree beyond chance"),
        (Estimate(0.4, reason="one person only"), "one person only"),
        (Estimate(None, reason="no images"), "cannot be said: no images"),
    ],
)
def test_the_verdict_follows_the_interval(kappa, expected, contents):
    """Agreement is claimed only where the interval lies above zero."""
    assert expected in verdict(replace(contents.validation, quadratic_kappa=kappa))


@pytest.mark.parametrize(("more", "warned"), [(-0.1, True), (0.0, True), (0.001, False)])
def test_the_verdict_names_a_constant_that_is_as_good(contents, more, warned):
    """A rank that is right no more often than one constant answer is told so."""
    constant = contents.validation.baseline.accuracy.value
    ranks = replace(
        contents.validation,
        accuracy=Estimate(constant + more),
        quadratic_kappa=Estimate(0.4, 0.2, 0.6),
    )
    sentence = f"no more often ({constant + more:.2f}) than the constant answer"
    assert (sentence in verdict(ranks)) == warned
