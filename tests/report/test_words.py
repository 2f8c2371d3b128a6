"""Values as text."""

import pytest

from emorank.evaluation import Estimate
from emorank.report import words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Estimate(0.5, 0.25, 0.75, method="m"), "0.50 (0.25 to 0.75, m)"),
        (Estimate(0.5, reason="one person only"), "0.50 (one person only)"),
        (Estimate(None, reason="no images"), "– (no images)"),
    ],
)
def test_an_estimate_and_its_method(value, expected):
    """How the interval was computed, or why there is none."""
    assert words.estimate_and_method(value) == expected


@pytest.mark.parametrize("half", [Estimate(0.5, 0.25, None), Estimate(0.5, None, 0.75)])
def test_half_an_interval_is_none(half):
    """An interval has two ends; nothing at all is a dash."""
    assert words.estimate(half) == "0.50"
    assert words.estimate(None) == "–"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("-0.50", "−0.50"),
        ("-0.00", "0.00"),
        ("-0.001", "−0.001"),
        ("0.1 [-0.0, 1]", "0.1 [0.0, 1]"),
    ],
)
def test_a_minus(number, expected):
    """It is printed as one, and zero has none."""
    assert words.minus(number) == expected


def test_capitals():
    """Only the first letter changes, and an unknown emotion stays."""
    assert words.capitalised("tables 3 and X") == "Tables 3 and X"
    assert words.capitalised("") == ""
    assert (words.emotion_label("happy"), words.emotion_label("smug")) == ("Happy", "smug")


def test_a_value_without_its_interval():
    """What has none stays."""
    value = Estimate(0.5, 0.25, 0.75)
    assert words.without_interval(words.estimate(value)) == "0.50"
    assert words.without_interval("✓ good") == "✓ good"
