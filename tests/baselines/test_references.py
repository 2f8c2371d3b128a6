"""The majority, and a rater drawn at random."""

import numpy as np
import pandas as pd

from emorank.baselines.references import Majority, random_rater


def test_the_majority_is_of_those_who_express(table):
    """None is not the answer though it may be the most frequent level."""
    faces, _ = table
    ranks = np.array([0] * 30 + [2] * 10 + [3] * 8)
    assert set(Majority().fit(faces, ranks).predict(faces)) == {2}
    assert set(Majority().fit(faces, np.zeros(48, int)).predict(faces)) == {0}


def test_a_rater_is_compared_with_the_others():
    """Of two Strong and one Minimal, whoever is drawn is no part of what he is compared with."""
    votes = pd.DataFrame(
        [
            ("a", "r1", "Strong"),
            ("a", "r2", "Strong"),
            ("a", "r3", "Minimal"),
            ("b", "r1", "Average"),
        ],
        columns=["image", "rater", "rank"],
        dtype="string",
    )
    seen = set()
    for seed in range(30):
        found = random_rater(votes, np.random.default_rng(seed), "median").set_index("image")
        seen.add((found.loc["a", "predicted"], found.loc["a", "level"], found.loc["a", "mean"]))
        assert pd.isna(found.loc["b", "level"])  # nobody else voted
    # Strong is drawn: Strong and Minimal are left, a tie, the lower; Minimal: two Strong are left.
    assert seen == {(3, 1, 2.0), (1, 3, 3.0)}
