"""Ordinal hyperplanes: their costs, and that a level is how many a face lies above."""

import numpy as np

from emorank.baselines.chang import Chang, costs


def test_a_mistake_costs_what_it_is_off():
    """Asked "more than 1?", level 1 is one off if told yes, level 3 two off if told no."""
    np.testing.assert_array_equal(costs(np.array([0, 1, 2, 3]), 1), [2, 1, 1, 2])


def test_the_level_counts_the_hyperplanes(parted):
    """One hyperplane fewer than levels; strangers' decisions fall as the question rises."""
    learn, ranks, strangers, _ = parted
    fitted = Chang(components=20).fit(learn, ranks)
    sides = fitted.decision_function(strangers)
    assert sides.shape == (len(strangers), 3)
    np.testing.assert_array_equal(fitted.predict(strangers), (sides > 0).sum(axis=1))
    # Consistent: whoever is more than k is more than k − 1.
    assert (np.diff(sides > 0, axis=1).astype(int).sum() == 0) or (
        ((sides[:, 1:] > 0) <= (sides[:, :-1] > 0)).mean() > 0.95
    )


def test_levels_keep_their_names(parted):
    """Where a level is missing from training, the steps are those between the others."""
    learn, ranks, strangers, _ = parted
    some = np.flatnonzero(ranks != 1)
    fitted = Chang(components=20).fit(learn.take(some), ranks[some])
    assert set(fitted.predict(strangers)) <= {0, 2, 3}
