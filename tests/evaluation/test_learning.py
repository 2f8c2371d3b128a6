"""How many rated images are enough, and how sure coefficients are."""

import numpy as np
import pytest

from emorank.evaluation.learning import Rated, coefficient_intervals, learning_curve
from emorank.ranking.calibrated import ProportionalOdds


def rated(seed, persons, noise=0.3, each=8):
    """Faces whose first feature is their level and noise; the second is noise alone."""
    rng = np.random.default_rng(seed)
    level = np.tile(np.arange(4), persons * each // 4)
    features = np.column_stack(
        [level + noise * rng.normal(size=len(level)), rng.normal(size=len(level))]
    )
    return Rated(features, level, np.repeat(np.arange(persons), each))


def test_more_rated_images_are_better():
    """The curve rises to nearly perfect agreement, its last point has all the images."""
    curve = learning_curve(
        ProportionalOdds(0.1), rated(0, 6), rated(1, 4), np.random.default_rng(0), 30
    )
    assert [point.images for point in curve] == [7, 14, 28, 48]
    assert curve[0].kappa < curve[-1].kappa
    assert curve[-1].kappa > 0.9
    assert all(point.low <= point.kappa <= point.high for point in curve)
    assert curve[-1].persons == 6


def test_the_same_seed_draws_the_same():
    """Every draw comes from the generator given."""
    one, two = (
        learning_curve(ProportionalOdds(), rated(0, 4), rated(1, 3), np.random.default_rng(7), 5)
        for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize(("persons", "unit"), [(6, "persons"), (2, "images")])
def test_a_feature_that_says_nothing_has_an_interval_around_zero(persons, unit):
    """Over persons where there are five or more, else over images; what counts is clear of it."""
    faces = rated(2, persons)
    model = ProportionalOdds().fit(faces.features, faces.level)
    found, over = coefficient_intervals(model, faces, np.random.default_rng(0), 40)
    assert over == unit
    assert found[0, 0] > 0
    assert found[1, 0] < 0 < found[1, 1]
