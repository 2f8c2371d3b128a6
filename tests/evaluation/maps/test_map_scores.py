"""The summary of the long table: means, intervals over persons, and what is not defined."""

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.maps.map_scores import COLUMNS, Settings, curve_rows, rows, summary
from emorank.evaluation.maps.region_perturbation import Curves
from emorank.results.faithfulness import Faithfulness

IMAGES = ["a", "b", "c", "d"]
PERSONS = pd.Series(["p", "p", "q", None], index=IMAGES)


def found(table, resamples=400):
    scores = summary(table, PERSONS, np.random.default_rng(1), resamples)
    return Faithfulness(Settings(), tuple(IMAGES), 3, (), {}, 0, {}, tuple(scores))


def test_the_mean_over_faces_with_an_interval_over_persons():
    """Four faces of three persons; the interval is that of a plain bootstrap over persons."""
    values = [1.0, 2.0, 6.0, -1.0]
    estimate = found(rows("epsilon", IMAGES, "between", values, "mean"), 4000).estimate(
        "epsilon", "between", "mean"
    )
    assert estimate.value == 2.0
    groups, draw = [[1.0, 2.0], [6.0], [-1.0]], np.random.default_rng(2)
    means = []
    for _ in range(4000):
        drawn = [groups[k] for k in draw.integers(0, 3, 3)]
        means.append(np.mean([value for group in drawn for value in group]))
    low, high = np.quantile(means, [0.025, 0.975])
    assert estimate.low == pytest.approx(low, abs=0.15)
    assert estimate.high == pytest.approx(high, abs=0.15)
    assert "3 persons" in estimate.method


def test_what_is_not_defined_is_left_out_and_counted():
    """NaN is no zero; where no face has a value there is none, with a reason."""
    table = pd.concat(
        [
            rows("edges", IMAGES, "noise", [1.0, np.nan, 3.0, np.nan]),
            rows("edges", IMAGES, "mass", [np.nan] * 4, "mouth"),
        ]
    )
    result = found(table)
    assert result.estimate("edges", "noise").value == 2.0
    assert result.estimate("edges", "mass", "mouth").value is None
    assert result.estimate("edges", "mass", "mouth").reason
    assert result.estimate("edges", "shift") is None
    assert {(s.measure, s.faces) for s in result.scores} == {("noise", 2), ("mass", 0)}


def test_curves_become_rows():
    """Every point of both orders, and the four areas, for each face."""
    steps = (0.0, 0.5, 1.0)
    logit = {"most": np.array([[4.0, 1, 0]]), "least": np.array([[4.0, 3, 0]])}
    probability = {"most": np.array([[0.8, 0.2, 0.1]]), "least": np.array([[0.8, 0.7, 0.1]])}
    table = pd.concat(curve_rows("epsilon", ["a"], "blur", Curves(steps, logit, probability)))
    assert tuple(table.columns) == COLUMNS
    areas = table[table["measure"].isin(["between", "aopc", "deletion", "insertion"])]
    assert dict(zip(areas["measure"], areas["value"], strict=True)) == pytest.approx(
        {"between": 1.0, "aopc": 2.5, "deletion": 0.325, "insertion": 0.575}
    )
    points = table[table["measure"] == "logit least"]
    assert points["at"].to_list() == [0, 0.5, 1]
    assert points["value"].to_list() == [4, 3, 0]
    assert len(table) == 4 + 4 * 3


def test_what_is_measured_by_default():
    """As documented: twelve faces, two of them for the slow checks, two fills."""
    assert Settings() == Settings(12, 2, ("mean", "blur"), 0, half=False)


def test_measures_of_curves_have_their_places():
    """Each measure of each fill and point has its own mean."""
    table = pd.concat(
        [
            rows("a", IMAGES, "logit most", [1.0] * 4, "mean", 0.5),
            rows("a", IMAGES, "logit most", [3.0] * 4, "mean", 1.0),
            rows("a", IMAGES, "logit most", [5.0] * 4, "blur", 0.5),
            rows("b", IMAGES, "logit most", [7.0] * 4, "mean", 0.5),
        ]
    )
    scores = summary(table, PERSONS, np.random.default_rng(1), 20)
    found = {(s.method, s.of, s.at): s.estimate.value for s in scores}
    assert found == {("a", "mean", 0.5): 1, ("a", "mean", 1.0): 3, ("a", "blur", 0.5): 5,
                     ("b", "mean", 0.5): 7}  # fmt: skip
