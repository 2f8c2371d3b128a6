"""Curves of persons: thinned so that no short expression is lost, broken where nobody is seen."""

import numpy as np
import pytest
from tests.report.film_tables import frames_and_events

from emorank.report.film_curves import LEAST, level_of, persons_of, thinned


def test_a_long_film_keeps_its_highest_values():
    """An hour becomes some hundred points, and a peak of one frame stays as high as it was."""
    frames, _ = frames_and_events(3600, 5, {1: [("happy", 1800.0, 7.0)], 2: []})
    first, second = persons_of(frames, 1.0, points=300)
    assert 250 < len(first.time) < 400
    assert first.curves["happy"].max() == pytest.approx(7.0)
    assert abs(first.time[first.curves["happy"].argmax()] - 1800) < 12
    assert (second.curves["happy"] == LEAST).all()
    assert (first.frames, first.first) == (18_000, 0.0)
    assert first.strongest[0][int(first.curves["happy"].argmax())] == "happy"


def test_a_short_film_stays_as_it_is():
    frames, _ = frames_and_events(4, 25, {3: [("fear", 2.0, 5.0)]})
    (person,) = persons_of(frames, 1.0, points=1500, least=-np.inf)
    np.testing.assert_allclose(person.time, np.arange(100) / 25)
    expected = np.maximum(-6, 5 - 12 * np.abs(person.time - 2))
    np.testing.assert_allclose(person.curves["fear"], expected)  # the temperature, 2, is taken out
    assert person.name == "Person 3"


def test_a_gap_breaks_the_curve():
    time = np.array([0.0, 0.1, 0.2, 5.0, 5.1])
    values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    times, curves = thinned(time, values, 1.0, 0.0)
    np.testing.assert_array_equal(times, [0.0, 0.1, 0.2, np.nan, 5.0, 5.1])
    np.testing.assert_array_equal(curves[:, 0], [1, 2, 3, np.nan, 4, 5])
    times, curves = thinned(time, values, 1.0, 1.0)
    np.testing.assert_allclose(times, [0.1, np.nan, 5.05])
    np.testing.assert_array_equal(curves[:, 0], [3, np.nan, 5])


def test_without_neutral_the_curves_are_probabilities():
    frames, _ = frames_and_events(1, 10, {1: []})
    bare = frames[["frame", "time", "track"]].assign(p_happy=0.75, p_anger=0.25)
    (person,) = persons_of(bare, 1.0, least=0.0)
    assert set(person.curves) == {"anger", "happy"}
    assert (person.curves["happy"] == 0.75).all()


@pytest.mark.parametrize(
    ("odds", "word"),
    [(-1, "None"), (0.5, "Minimal"), (2, "Average"), (9, "Strong"), (np.nan, "")],
)
def test_levels_of_log_odds(odds, word):
    assert level_of(odds) == word
