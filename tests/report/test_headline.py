"""The three lines, and the sentence about chance."""

from dataclasses import replace

import pytest

from emorank.evaluation import Estimate
from emorank.report.headline import headline, verdict


def test_three_lines(contents):
    """Emotion, rank, both: each with its interval, its images and its baseline."""
    first, second, third = headline(contents.emotions, contents.validation, unseen_persons=True)
    assert first.startswith("Expressed emotion: accuracy 1.00 [0.76, 1.00] rough on 12 test")
    assert "of 4 unseen persons (always “Anger”: 0.33)" in first
    assert "quadratic kappa" in second
    assert "8 rated test images with an intensity" in third


def test_persons_are_not_called_unseen_when_they_were_seen(contents):
    """A random split does not claim strangers; without votes the lines say so."""
    first, second, third = headline(contents.emotions, None, unseen_persons=False)
    assert "unseen" not in first
    assert "no votes" in second
    assert "no votes" in third


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
