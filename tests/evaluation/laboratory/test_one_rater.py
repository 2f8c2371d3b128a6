"""One rater beside a rank: by hand, and where there is nothing to say."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from emorank.evaluation.laboratory.one_rater import one_rater
from emorank.evaluation.statistics.columns import Options

LEVELS = ("Minimal", "Average", "Strong")
FEW = Options(resamples=20)


@pytest.fixture
def rated():
    """Twelve faces of two emotions and four persons; three raters, who err."""
    rng = np.random.default_rng(5)
    faces = pd.DataFrame(
        {
            "image": [f"{k}.png" for k in range(12)],
            "person": [f"p{k % 4}" for k in range(12)],
            "emotion": ["happy", "anger"] * 6,
            "intensity": rng.random(12),
        }
    )
    strength = faces["intensity"].to_numpy()[:, None] * 3 + rng.normal(0, 0.5, (12, 3))
    given = np.clip(strength.astype(int), 0, 2)
    votes = [(faces["image"][k], f"r{j}", LEVELS[given[k, j]]) for k in range(12) for j in range(3)]
    return faces, pd.DataFrame(votes, columns=["image", "rater", "rank"]), given


def test_the_order_is_that_of_each_rater(rated):
    """Spearman with the known intensity within emotion, weighted by faces, mean of the raters."""
    faces, votes, given = rated
    found = one_rater(votes, faces, FEW)
    each = [
        np.mean(
            [
                spearmanr(given[rows, j], faces["intensity"][rows]).statistic
                for rows in (np.arange(0, 12, 2), np.arange(1, 12, 2))
            ]
        )
        for j in range(3)
    ]
    assert found.raters == 3
    assert found.spearman_within.value == pytest.approx(np.mean(each))
    assert found.spearman_within.low < found.spearman_within.value


def test_without_intensities_the_others_are_the_truth(rated):
    """A rater is held against the mean of the other two."""
    faces, votes, given = rated
    found = one_rater(votes, faces.assign(intensity=np.nan), FEW)
    each = []
    for j in range(3):
        others = np.delete(given, j, axis=1).mean(1)
        rows = (np.arange(0, 12, 2), np.arange(1, 12, 2))
        each.append(np.mean([spearmanr(given[r, j], others[r]).statistic for r in rows]))
    assert found.spearman_within.value == pytest.approx(np.mean(each))


def test_levels_are_held_against_the_majority_of_the_others(rated):
    """With two raters the majority of the others is the other one."""
    faces, votes, given = rated
    found = one_rater(votes[votes["rater"] != "r2"], faces, FEW)
    assert found.accuracy.value == pytest.approx((given[:, 0] == given[:, 1]).mean())
    kappa = cohen_kappa_score(given[:, 0], given[:, 1], weights="quadratic")
    assert found.quadratic_kappa.value == pytest.approx(kappa)


def test_one_rater_alone_has_no_others(rated):
    """Nor has nobody, nor somebody who rated other faces."""
    faces, votes, _ = rated
    assert one_rater(votes[votes["rater"] == "r0"], faces, FEW) is None
    assert one_rater(votes.head(0), faces, FEW) is None
    assert one_rater(votes, faces.head(0), FEW) is None
