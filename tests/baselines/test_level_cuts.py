"""Cutting continuous intensities into levels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.baselines.level_cuts import level_edges, levels_between, mean_level, person_splits


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.integers(0, 2**31))
def test_every_level_gets_its_share(ranks, seed):
    """Cut at its own edges, a sample without ties has the levels' counts, to one at each edge."""
    ranks = np.array(ranks)
    values = np.random.default_rng(seed).permutation(len(ranks)).astype(float)
    levels, counts = np.unique(ranks, return_counts=True)
    got = levels_between(values, level_edges(values, ranks), levels)
    found = np.array([(got == level).sum() for level in levels])
    assert abs(found.cumsum() - counts.cumsum()).max() <= 1
    assert (np.diff(got[values.argsort()]) >= 0).all()


def test_expected_levels():
    """Half Minimal and half Strong is 2."""
    np.testing.assert_allclose(mean_level(np.array([[0.5, 0.5]]), np.array([1, 3])), [2.0])


def test_one_person_cannot_be_left_out(table):
    """Persons are left out in turn; there must be two."""
    faces, _ = table
    for learnt, watched in person_splits(faces):
        assert not set(faces.person[learnt]) & set(faces.person[watched])
    with pytest.raises(ValueError, match="at least two persons"):
        next(person_splits(faces.take([0, 1, 2])))


def test_a_face_of_an_unknown_person_stands_alone(table):
    """Five faces of which nobody knows whose they are can be told apart; so can three folds."""
    faces, _ = table
    some = faces.take([0, 1, 2, 3, 4])
    unknown = replace(some, person=np.full(5, None, object))
    assert len(list(person_splits(unknown))) == 5
    assert len(list(person_splits(unknown, folds=3))) == 3
    mixed = replace(some, person=np.array(["1", "1", "1", None, "1"], object))
    assert sorted(len(tested) for _, tested in person_splits(mixed)) == [1, 4]
