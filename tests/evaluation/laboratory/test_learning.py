"""Learning curves and the intervals of coefficients."""

import numpy as np
import pytest

from emorank.evaluation.laboratory.learning import (
    Rated,
    coefficient_intervals,
    learning_curve,
    levels_of_strangers,
)
from emorank.ranking.proportional_odds import ProportionalOdds


def faces(seed, persons, noise=0.3, each=10):
    """Levels that follow the first of two features."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(persons * each, 2))
    level = np.digitize(x[:, 0] + noise * rng.normal(size=len(x)), [-0.8, 0, 0.8])
    return Rated(x, level, np.repeat(np.arange(persons), each))


def test_the_curve_climbs_where_there_is_something_to_learn():
    """Doubling from seven to all, kappa between its bounds, persons counted."""
    rated, test = faces(0, 6), faces(1, 8)
    model = ProportionalOdds(0.1).fit(rated.features, rated.level)
    curve = learning_curve(model, rated, test, np.random.default_rng(0), draws=30)
    assert [point.images for point in curve] == [7, 14, 28, 56, 60]
    assert curve[-1].persons == 6
    assert all(point.low <= point.kappa <= point.high for point in curve)
    assert curve[-1].kappa > max(curve[0].kappa, 0.7)


def test_curve_and_intervals_are_those_of_the_seed():
    """The same seed gives the same result, another seed another one."""
    rated, test = faces(0, 6), faces(1, 8)
    model = ProportionalOdds().fit(rated.features, rated.level)

    def found(seed):
        rng = np.random.default_rng(seed)
        intervals, _ = coefficient_intervals(model, rated, rng, draws=20)
        return intervals.tolist(), learning_curve(model, rated, test, rng, draws=20)

    assert found(3) == found(3)
    assert found(3)[0] != found(4)[0]
    assert found(3)[1] != found(4)[1]


def test_without_test_persons_a_fifth_is_set_aside():
    """No person is fitted on and tested; the last point has four fifths of the faces."""
    rated = faces(0, 10)
    rated = Rated(rated.features, rated.person % 4, rated.person)  # a level goes with a person
    model = ProportionalOdds(0.1).fit(rated.features, rated.level)
    curve = learning_curve(model, rated, None, np.random.default_rng(0), draws=20)
    assert [point.images for point in curve] == [7, 14, 28, 56, 80]
    assert curve[-1].persons == 8
    honest = faces(0, 10)
    model = ProportionalOdds(0.1).fit(honest.features, honest.level)
    curve = learning_curve(model, honest, None, np.random.default_rng(0), draws=20)
    assert curve[-1].kappa > 0.7
    assert learning_curve(model, faces(0, 4), None, np.random.default_rng(0)) == ()


def test_the_level_of_a_stranger_is_that_of_a_model_of_others():
    """Written out for each fold; other levels of the same fold change nothing."""
    rated, fold = faces(0, 6), np.repeat([0, 1, 2], 20)
    model = ProportionalOdds(0.1)
    levels = levels_of_strangers(model, rated, fold)
    for number in range(3):
        held, others = rated[np.flatnonzero(fold == number)], rated[np.flatnonzero(fold != number)]
        alone = ProportionalOdds(0.1).fit(others.features, others.level)
        assert levels[fold == number].tolist() == alone.predict(held.features).tolist()
    other = Rated(rated.features, np.where(fold == 0, 3 - rated.level, rated.level), rated.person)
    again = levels_of_strangers(model, other, fold)
    assert again[fold == 0].tolist() == levels[fold == 0].tolist()
    assert again[fold != 0].tolist() != levels[fold != 0].tolist()
    same = Rated(rated.features, np.where(fold == 0, rated.level, 2), rated.person)
    assert (levels_of_strangers(model, same, fold)[fold == 0] == -1).all()


@pytest.mark.parametrize(("persons", "unit"), [(4, "images"), (5, "persons")])
def test_intervals_hold_the_coefficient(persons, unit):
    """The interval of the useful feature is above 0 and above that of the other feature."""
    rated = faces(2, persons, each=30)
    rated = Rated(rated.features * (1000, 1), rated.level, rated.person)
    model = ProportionalOdds().fit(rated.features, rated.level)
    intervals, over = coefficient_intervals(model, rated, np.random.default_rng(0), draws=60)
    assert over == unit
    assert intervals[0, 0] < model.coef_[0] < intervals[0, 1]
    assert intervals[0, 0] > 1
    assert intervals[1, 1] < intervals[0, 0]


def test_what_is_hardly_ever_defined_has_no_value():
    """All test faces have one level and it is always predicted, so kappa is not defined."""
    rated = faces(0, 3, noise=0)
    test = Rated(np.full((4, 2), 9.0), np.full(4, 3), np.arange(4))
    model = ProportionalOdds(0.01).fit(rated.features, rated.level)
    last = learning_curve(model, rated, test, np.random.default_rng(0), draws=10)[-1]
    assert (last.kappa, last.low, last.high, last.draws) == (None, None, None, 0)


def test_a_draw_of_one_level_is_no_fit():
    """Of eight rated images one has another level: draws of seven may miss it, and do not count."""
    rated = faces(0, 1, each=8)
    rated = Rated(rated.features, np.array([0] * 7 + [3]), np.arange(8))
    test = faces(1, 8)
    model = ProportionalOdds().fit(rated.features, rated.level)
    curve = learning_curve(model, rated, test, np.random.default_rng(0), draws=60)
    assert [point.images for point in curve] == [7, 8]
    assert 30 < curve[0].draws < 60
    assert curve[1].draws == 60
    assert (curve[0].persons, curve[1].persons) == (7, 8)
    intervals, unit = coefficient_intervals(model, rated, np.random.default_rng(0), draws=60)
    assert unit == "persons"
    assert np.isfinite(intervals).all()


def test_draws_and_levels_are_those_asked_for():
    """A hundred draws by default; a narrower level is narrower, about the same middle."""
    rated, test = faces(0, 6, each=2), faces(1, 8)
    model = ProportionalOdds().fit(rated.features, rated.level)
    assert learning_curve(model, rated, test, np.random.default_rng(0))[-1].draws == 100
    wide, narrow = (
        coefficient_intervals(model, rated, np.random.default_rng(0), draws=40, level=level)[0]
        for level in (0.95, 0.5)
    )
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (narrow[:, 1] < wide[:, 1]).all()
