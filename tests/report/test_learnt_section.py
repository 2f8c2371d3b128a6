"""Ranks learnt from ratings on the page: what counts, the learning curve, how well."""

import pytest

from emorank.evaluation import Estimate
from emorank.evaluation.laboratory.learning import LearningPoint
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.report import style
from emorank.report.page import render
from emorank.report.sections.learnt import coefficients, faces, learning_curve, scores, section
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
    assert section(None, None, simulated=True) is None
    both = (calibration if there[0] else None, ordinal if there[1] else None)
    page = render(contents.page(section(*both, simulated=False)))
    assert "SIMULATED RATERS" not in page
    assert "SIMULATED RATERS" in section(*both, simulated=True).body
    assert '<a href="#learnt">' in page
    assert ("Learning curve" in page) == there[0]
    assert ("Ordinal network" in page) == there[1]
