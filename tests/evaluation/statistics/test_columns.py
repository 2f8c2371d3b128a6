"""Columns of faces: what is missing, who is one person, which faces are of a group."""

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.statistics.columns import (
    Options,
    array,
    floats,
    groups,
    missing,
    people,
    same,
)

ALL = np.ones(4, bool)


@pytest.mark.parametrize(
    "column",
    [pd.Series([1, pd.NA, 3], dtype="Int64", index=[7, 8, 9]), [1, None, 3], (1, np.nan, 3)],
)
def test_missing_values_of_every_kind(column):
    """<NA>, None and NaN are missing; the index of a Series is ignored."""
    np.testing.assert_array_equal(missing(column), [False, True, False])
    np.testing.assert_array_equal(floats(column), [1, np.nan, 3])
    assert array(column)[2] == 3


def test_persons_are_numbered_among_the_used_faces():
    """A face that is not used has no person; an unknown person is one more."""
    who = people(["a", "b", None, "a"], np.array([True, False, True, True]))
    assert (who.size, who.unit) == (2, "persons")
    assert who.number[0] == who.number[2] != who.number[1]


@pytest.mark.parametrize("persons", [None, [None] * 4, [pd.NA] * 4])
def test_without_any_person_images_are_the_unit(persons):
    """Each image is one, and the unit says so."""
    who = people(persons, ALL)
    assert (who.size, who.unit) == (4, "images")


def test_no_used_face_has_no_person():
    """Nothing to draw, and a reason."""
    who = people(["a"] * 4, ~ALL)
    assert (who.size, len(who.number)) == (0, 0)
    none = who.quotient(np.empty(0), np.empty(0), Options(resamples=5))
    assert none.value is None
    assert none.reason == "no images"


def test_a_quotient_of_sums_over_persons():
    """The sums are divided, not the faces; the interval is that of the persons' sums."""
    who = people(list("aabb"), ALL)
    found = who.quotient(np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 2, 1]), Options(200))
    assert found.value == 2
    assert (found.low, found.high) == (1.5, pytest.approx(7 / 3))
    assert found.method == "bootstrap over 2 persons, 200 resamples"
    constant = who.quotient(np.ones(4), np.zeros(4), Options(resamples=20))
    assert constant.value is None


def test_options_reach_the_interval():
    """Level and seed of the draws."""
    who, values = people(list("abcdefgh"), np.ones(8, bool)), np.arange(8.0) ** 2
    wide = who.quotient(values, np.ones(8), Options(400, level=0.95))
    narrow = who.quotient(values, np.ones(8), Options(400, level=0.5))
    other = who.quotient(values, np.ones(8), Options(400, level=0.5, seed=1))
    assert (wide.level, narrow.level) == (0.95, 0.5)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert (other.low, other.high) != (narrow.low, narrow.high)


def test_groups_come_in_alphabetical_order_without_the_missing():
    """Places of the faces, by name."""
    found = groups(["sad", None, "happy", "sad"])
    assert list(found) == ["happy", "sad"]
    np.testing.assert_array_equal(found["sad"], [0, 3])


def test_same_needs_values():
    """No value is not the same everywhere."""
    assert same(np.array([2.0, 2.0]))
    assert not same(np.array([2.0, 3.0]))
    assert not same(np.empty(0))
