"""Scores of a comparison against the plain definitions, its resamples and its test."""

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

from emorank.evaluation.comparison import EstimatorComparison, comparison


def rows(estimator, right, seed=0, persons=6, each=12):
    """An estimator that is right with some probability, else says any level above None."""
    random = np.random.default_rng(seed)
    level = np.tile([1, 2, 3], persons * each // 3)
    wild = random.integers(1, 4, len(level))
    said = np.where(random.random(len(level)) < right, level, wild)
    return pd.DataFrame(
        {
            "estimator": estimator,
            "image": [f"i{n}" for n in range(len(level))],
            "person": np.repeat([f"p{n}" for n in range(persons)], each),
            "level": pd.array(level, dtype="Int64"),
            "mean": level + np.tile([-0.2, 0.0, 0.1, 0.2], len(level) // 4),
            "predicted": pd.array(said, dtype="Int64"),
            "score": said + random.normal(0, 0.1, len(level)),
        }
    )


def test_scores_are_what_they_are_called():
    """Each against scikit-learn or scipy on the same columns."""
    table = rows("a", 0.6)
    found = comparison(table, "a", resamples=50).scores["a"]
    truth, said = table["level"].to_numpy(int), table["predicted"].to_numpy(int)
    assert found.accuracy.value == pytest.approx((truth == said).mean())
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(truth, said))
    kappa = cohen_kappa_score(truth, said, weights="quadratic")
    assert found.quadratic_kappa.value == pytest.approx(kappa)
    assert found.mean_absolute_error.value == pytest.approx(abs(truth - said).mean())
    rho = spearmanr(table["score"].round(9), table["mean"].round(9)).statistic
    assert found.spearman.value == pytest.approx(rho)
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high


@pytest.mark.parametrize("true", [0, 2])
def test_an_abstention_is_wrong(true):
    """Whatever is true, None among it; its distance is counted from None where it is not."""
    table = rows("a", 1.0)
    at = table.index[:6]
    table.loc[at, "level"] = true
    table.loc[at, "predicted"] = pd.NA
    found = comparison(table, "a", resamples=50).scores["a"]
    assert found.abstained == 6
    assert found.accuracy.value == pytest.approx(1 - 6 / 72)
    assert found.mean_absolute_error.value == pytest.approx((true or 1) * 6 / 72)


def test_the_better_is_told_from_the_worse():
    """Six persons: all patterns tried, the difference over persons, corrected for two tests."""
    table = pd.concat([rows("good", 0.95, 1), rows("bad", 0.1, 2), rows("same", 0.95, 1)])
    found = comparison(table, "good", resamples=50)
    assert (found.persons, found.exact, found.least_p) == (6, True, 2 / 64)
    assert set(found.differences) == {"bad", "same"}
    bad, same = found.differences["bad"], found.differences["same"]
    assert (bad.p, bad.p_holm) == (2 / 64, 4 / 64)
    assert bad.value > 0.3
    assert (same.value, same.p_holm) == (0, 1)


def test_persons_of_one_estimator_alone_are_left_out_of_its_test():
    """The difference is over the persons of both; a person without faces is no difference of 0."""
    ours, other = rows("ours", 1.0), rows("other", 0.0, 3)
    other["predicted"] = pd.array([0] * len(other), dtype="Int64")
    part = other[other["person"].isin(["p0", "p1", "p2"])]
    found = comparison(pd.concat([ours, part]), "ours", resamples=50).differences["other"]
    assert found.value == 1
    assert found.p == 2 / 2**3
    none = other.assign(person="somebody else")
    assert comparison(pd.concat([ours, none]), "ours", resamples=50).differences == {}


def test_the_options_reach_every_interval():
    """Seed, number of resamples and level, of the counts and of the correlation."""
    table = rows("a", 0.5)
    once = comparison(table, "a", resamples=60).scores["a"]
    assert once == comparison(table, "a", resamples=60, seed=0).scores["a"]
    other = comparison(table, "a", resamples=60, seed=1).scores["a"]
    narrow = comparison(table, "a", resamples=60, level=0.5).scores["a"]
    for name in ("accuracy", "spearman"):
        first, second, third = (getattr(one, name) for one in (once, other, narrow))
        assert (first.low, first.high) != (second.low, second.high)
        assert first.low < third.low < third.high < first.high
        assert "6 persons, 60 resamples" in first.method


def test_a_face_without_a_score_ranks_lowest():
    """Missing scores are ties below every score."""
    table = rows("a", 0.5)
    table.loc[table.index[:9], "score"] = np.nan
    found = comparison(table, "a", resamples=20).scores["a"].spearman
    expected = spearmanr(table["score"].fillna(-99), table["mean"].round(9)).statistic
    assert found.value == pytest.approx(expected)


def test_means_that_differ_by_rounding_are_ties():
    """The same votes summed in another order."""
    table = rows("a", 0.5)
    tied = comparison(table, "a", resamples=20).scores["a"].spearman
    table.loc[table.index[::2], "mean"] += 1e-12
    table.loc[table.index[::3], "score"] += 1e-12
    assert comparison(table, "a", resamples=20).scores["a"].spearman == tied


def test_images_without_a_person_count_as_persons():
    """If no person is known every image is one; one that is unknown is one more person."""
    some = rows("a", 0.5)
    some.loc[some.index[:2], "person"] = None
    assert comparison(some, "a", resamples=50).persons == 8
    table = rows("a", 0.5).assign(person=None)
    found = comparison(table, "a", resamples=50)
    assert found.persons == 72
    assert not found.exact
    assert "72 images" in found.scores["a"].accuracy.method


def test_a_constant_has_no_correlation():
    """Undefined is None with a reason, not 0."""
    table = rows("a", 0.5).assign(score=0.0)
    found = comparison(table, "a", resamples=50).scores["a"]
    assert found.spearman.value is None
    assert found.spearman.reason


def test_it_goes_through_json_and_knows_its_names():
    """To plain values and back; a reference must be among those compared."""
    found = comparison(rows("a", 0.5), "a", resamples=50)
    assert msgspec.convert(msgspec.to_builtins(found), EstimatorComparison) == found
    with pytest.raises(ValueError, match="none of the estimators compared: a"):
        comparison(rows("a", 0.5), "b")
