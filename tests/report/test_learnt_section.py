"""Ranks learnt from ratings on the page: what counts, the learning curve, how well."""

from dataclasses import replace

import pytest

from emorank.report import style
from emorank.report.learnt import Learnt, coefficients, faces, learning_curve, scores
from emorank.report.page import render


def estimate(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "level": 0.95} | {
        "method": "bootstrap over 3 persons, 100 resamples",
        "reason": "",
    }


@pytest.fixture(scope="module")
def calibration():
    names = {"net": 0.5, "mass": -0.07, "balance": 1.0}
    points = [(7, None), (14, 0.5), (28, 0.7)]
    return {
        "coefficients": [
            {"input": name, "value": value, "low": value - 0.2, "high": value + 0.2}
            for name, value in names.items()
        ],
        "curve": [
            {"images": n, "persons": 2.0, "kappa": k, "low": k and k - 0.1, "high": k and k + 0.1}
            for n, k in points
        ],
        "rated": {"images": 28, "persons": 2},
        "tested": {"images": 84, "persons": 3},
        "crossfit": 0,
        "sure": 0.5,
        "intervals_over": "images",
    }


@pytest.fixture(scope="module")
def ordinal():
    counts = {"None": 12, "Minimal": 22, "Average": 26, "Strong": 24, "persons": 3}
    test = {"count": 84, "majority_level": "Average"} | {
        key: estimate(value)
        for key, value in {
            "quadratic_kappa": 0.7,
            "mean_absolute_error": 0.4,
            "majority_error": 0.8,
        }.items()
    }
    return {"faces": {"test": counts}, "scores": {"test": test}}


def test_what_counts_most_stands_first(calibration):
    """By the size of the coefficient, with a minus as it is printed."""
    table = coefficients(calibration)
    assert [word.partition(":")[0] for word in table["Feature"]] == ["balance", "net", "mass"]
    assert table["Coefficient"].tolist() == ["+1.00", "+0.50", "−0.07"]
    assert table["95 %"][2] == "−0.27 to +0.13"


def test_the_curve_leaves_out_what_is_not_defined(calibration):
    """A point without a kappa has no mark."""
    figure = learning_curve(calibration)
    assert figure.axes[0].lines[0].get_xdata().tolist() == [14, 28]
    assert style.png(figure).startswith(b"\x89PNG")


def test_scores_stand_beside_chance(ordinal):
    """Kappa and error with intervals, and the error of the most frequent level."""
    row = scores(ordinal).iloc[0]
    assert row["Kappa"] == "0.70 [0.60, 0.80]"
    assert row["Always the most frequent level (Average)"] == "0.80 [0.70, 0.90]"
    assert faces(ordinal).iloc[0]["Strong"] == "24"


@pytest.mark.parametrize("there", [(True, True), (True, False), (False, True)])
def test_on_the_page(contents, calibration, ordinal, there):
    """Each of the two is shown where it is; without both there is no section."""
    assert 'id="learnt"' not in render(contents)
    learnt = Learnt(calibration if there[0] else None, ordinal if there[1] else None)
    page = render(replace(contents, learnt=learnt))
    assert '<a href="#learnt">' in page
    assert ("Learning curve" in page) == there[0]
    assert ("Ordinal network" in page) == there[1]
