"""Ranks learnt from ratings on the page: what counts, the learning curve, how well."""

from dataclasses import replace

import pytest

from emorank.evaluation import Estimate
from emorank.evaluation.laboratory.learning import LearningPoint
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.report import style
from emorank.report.page import render
from emorank.report.sections.learnt import (
    calibrated_sentence,
    coefficients,
    faces,
    fitted_sentence,
    learning_curve,
    scores,
    section,
)
from emorank.report.words import interval
from emorank.results.calibration import CalibratedRank, Coefficient, RatedFaces
from emorank.results.ordinal import OrdinalTraining


def estimate(value):
    return Estimate(value, value - 0.1, value + 0.1)


@pytest.fixture(scope="module")
def calibration():
    names = {"net": 0.5, "mass": -0.07, "balance": 1.0}
    points = [(7, None), (14, 0.5), (28, 0.7)]
    return CalibratedRank(
        crossfit=0,
        inputs=tuple(names),
        model={},
        sure=0.5,
        rated=RatedFaces(28, 2),
        coefficients=tuple(Coefficient(n, v, v - 0.2, v + 0.2) for n, v in names.items()),
        intervals_over="images",
        curve=tuple(LearningPoint(n, 2.0, k, k and k - 0.1, k and k + 0.1, 100) for n, k in points),
        tested=RatedFaces(84, 3),
    )


@pytest.fixture(scope="module")
def ordinal():
    counts = {"None": 12, "Minimal": 22, "Average": 26, "Strong": 24, "persons": 3}
    test = LevelAgreement(
        84, 0, (), estimate(0.7), estimate(0.4), estimate(0.5), estimate(0.8), "Average"
    )
    return OrdinalTraining("v.csv", "cumulative", 0, (0.0,), {"test": counts}, (), {"test": test})


def test_what_counts_most_stands_first(calibration):
    """By the size of the coefficient, with a minus as it is printed."""
    table = coefficients(calibration)
    assert [word.partition(":")[0] for word in table["Feature"]] == ["balance", "net", "mass"]
    assert table["Coefficient"].tolist() == ["+1.00", "+0.50", "−0.07"]
    assert table["95 %"][2] == "−0.27 to +0.13 rough"  # of two persons


def test_an_interval_over_ten_persons_is_not_rough(calibration):
    """As everywhere; of the curve the test persons count."""
    many = replace(calibration, rated=RatedFaces(28, 10), tested=RatedFaces(84, 9))
    assert coefficients(many)["95 %"][2] == "−0.27 to +0.13"
    point = many.curve[1]
    assert interval(many.kappa(point)) == "0.40 to 0.60 rough"
    assert interval(replace(many, tested=RatedFaces(84, 10)).kappa(point)) == "0.40 to 0.60"
    assert interval(many.kappa(many.curve[0])) == "–"


def test_it_is_said_what_it_was_fitted_and_tested_on(calibration, ordinal):
    """Of which faces, who was left out, and kappa beside that of levels without votes."""
    kappa = ordinal.scores["test"]
    said = {
        "of the validation part": calibration,
        "by one of 5 classifiers": replace(calibration, crossfit=5),
        "none of whom the network is known": replace(calibration, folds=5),
        "those of the study “KDEF”; 7 more were left out": replace(
            calibration, source="KDEF", left_out=7
        ),
    }
    for words, fitted in said.items():
        assert words in fitted_sentence(fitted)
    assert calibrated_sentence(calibration) == ""
    tested = calibrated_sentence(replace(calibration, agreement=kappa, uncalibrated=kappa))
    assert "84 rated faces of 3 persons that it was not fitted on: 0.70" in tested
    assert tested.endswith("without any vote: 0.70 [0.60, 0.80]")
    folded = calibrated_sentence(replace(calibration, agreement=kappa, folds=3))
    assert "in 3 folds of persons, each by a model fitted on the others" in folded
    assert "contrast" not in folded


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
    assert section(None, None, simulated=True) is None
    both = (calibration if there[0] else None, ordinal if there[1] else None)
    page = render(contents.page(section(*both, simulated=False)))
    assert "SIMULATED RATERS" not in page
    assert "SIMULATED RATERS" in section(*both, simulated=True).body
    assert '<a href="#learnt">' in page
    assert ("Learning curve" in page) == there[0]
    assert ("Ordinal network" in page) == there[1]
