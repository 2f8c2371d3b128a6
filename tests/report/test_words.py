"""Values as text."""

import pytest

from emorank.evaluation import Estimate
from emorank.report import words
from emorank.report.tables import estimates


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


def test_numbers_below_zero():
    """Each way of writing a number has a minus, and none before a zero."""
    value = Estimate(-0.5, -0.75, -0.001, method="m")
    assert words.estimate(value) == "−0.50 [−0.75, 0.00]"
    assert words.interval(value) == "−0.75 to 0.00"
    assert words.interval(value, "+") == "−0.75 to 0.00"
    assert words.estimate_and_method(value) == "−0.50 (−0.75 to 0.00, m)"
    assert words.estimate_and_method(Estimate(-0.5, reason="one")) == "−0.50 (one)"
    assert (words.cell(-0.5), words.cell(-1200)) == ("−0.50", "−1,200")


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


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("/home/ann b/studies/persons.csv", "persons.csv"),
        ("C:\\Users\\ann\\votes.csv", "votes.csv"),
        ("/home/ann/faces/", "faces"),
        ("the network of /home/ann/demo, trained", "the network of demo, trained"),
        ("~/faces/a.png: truncated", "a.png: truncated"),
        ("left out: C:\\faces\\a.png is broken", "left out: a.png is broken"),
        ("faces/p01.png", "faces/p01.png"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("doi:10.1109/ACCESS.2024.3474012", "doi:10.1109/ACCESS.2024.3474012"),
        ("anger / fear / joy, and/or 3/4", "anger / fear / joy, and/or 3/4"),
    ],
)
def test_a_page_names_no_folder_of_a_machine(written, shown):
    """Whoever gets a report need not know who made it where."""
    assert words.text(written) == shown


def test_an_interval_over_few_persons_is_called_rough():
    """Wherever it stands."""
    rough = Estimate(0.5, 0.2, 0.8, method="bootstrap over 3 persons", rough=True)
    assert words.estimate(rough) == "0.50 [0.20, 0.80] rough"
    assert "rough: bootstrap over 3 persons" in words.estimate_and_method(rough)
    assert words.without_interval(words.estimate(rough)) == "0.50"
    assert estimates([("a", rough, 3)])["Interval"][0].endswith(" rough")


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.0, "< 0.001"), (0.0004, "< 0.001"), (0.0006, "0.001"), (0.25, "0.250"), (None, "–")],
)
def test_a_p_value_is_never_nothing(p, expected):
    """A permutation test of ten thousand cannot say that p is zero."""
    assert words.chance(p) == expected
