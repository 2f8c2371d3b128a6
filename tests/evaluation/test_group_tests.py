"""The permutation test of groups: all permutations counted, and every reason for no test."""

from itertools import combinations

import numpy as np
import pytest

from emorank.evaluation.group_tests import LEAST_PERSONS, SEVERAL, group_test
from emorank.evaluation.statistics import confusion

NAMES = ("young", "old", "older")


def tables(right, wrong):
    """Persons with so many right and wrong answers, in a table of two classes."""
    return np.array([[[r, w], [0, 0]] for r, w in zip(right, wrong, strict=True)])


def result_of(counts, group, statistic=confusion.accuracy, permutations=199):
    return group_test(
        "accuracy", statistic, counts, np.asarray(group), NAMES,
        rng=np.random.default_rng(0), kind="emotion", unit="persons", permutations=permutations,
    )  # fmt: skip


def spread(counts, group):
    """The variance of the groups' accuracies, weighted by images."""
    sums = [counts[group == k].sum(0) for k in np.unique(group)]
    values = [s[0, 0] / s.sum() for s in sums]
    weights = [s.sum() for s in sums]
    middle = np.average(values, weights=weights)
    return np.average((np.array(values) - middle) ** 2, weights=weights)


def test_p_is_the_share_of_all_assignments():
    """Ten persons with one to four images: 252 ways to assign five of them to a group."""
    counts = tables([3, 2, 4, 1, 3, 0, 1, 0, 2, 0], [0, 1, 0, 0, 1, 2, 1, 1, 2, 3])
    group = np.repeat([0, 1], 5)
    every = [
        spread(counts, np.isin(np.arange(10), some).astype(int))
        for some in combinations(range(10), 5)
    ]
    exact = np.mean(np.array(every) >= spread(counts, group) - 1e-9)
    found = result_of(counts, group, permutations=9999)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.groups == ("young", "old")
    assert found.gap == pytest.approx(13 / 15 - 3 / 12)
    assert found.method == "permutation over 10 persons, 9999 times"
    assert (found.reason, found.adjusted) == ("", None)


def test_three_groups_of_different_size():
    """P as a slow loop of random assignments has it; the gap is from the best to the worst."""
    counts = tables([4] * 5 + [2, 3, 1, 2, 3, 2] + [1] * 7, [0, 1, 0, 2, 1] + [1] * 6 + [2] * 7)
    group = np.repeat([0, 1, 2], [5, 6, 7])
    rng = np.random.default_rng(1)
    slow = [spread(counts, rng.permutation(group)) for _ in range(2000)]
    found = result_of(counts, group, permutations=2000)
    assert found.p == pytest.approx(np.mean(np.array(slow) >= spread(counts, group)), abs=0.01)
    assert found.gap == pytest.approx(20 / 24 - 7 / 21)
    weak = result_of(counts, np.roll(group, 3), permutations=2000)
    again = [value >= spread(counts, np.roll(group, 3)) - 1e-12 for value in slow]
    assert weak.p == pytest.approx(np.mean(again), abs=0.05)
    assert weak.p > 0.05


def test_as_many_permutations_as_documented():
    """9,999 by default."""
    counts, group = tables([1] * 10, [0] * 10), np.repeat([0, 1], 5)
    found = group_test(
        "accuracy", confusion.accuracy, counts, group, NAMES,
        rng=np.random.default_rng(0), kind="emotion", unit="persons",
    )  # fmt: skip
    assert found.method == "permutation over 10 persons, 9999 times"


def test_equal_groups_are_not_different():
    """Every assignment spreads as much as none: p is 1."""
    found = result_of(tables([2] * 10, [1] * 10), np.repeat([0, 1], 5))
    assert (found.gap, found.p) == (0, 1)


@pytest.mark.parametrize("size", [LEAST_PERSONS - 1, LEAST_PERSONS])
def test_a_group_needs_five_persons(size):
    """With four it is not compared, with five it is; the others are."""
    group = np.repeat([0, 1, 2], [size, 6, 6])
    count = len(group)
    found = result_of(tables([1] * count, [1] * count), group)
    assert found.groups == (NAMES if size == LEAST_PERSONS else NAMES[1:])
    assert f"over {count if size == LEAST_PERSONS else 12} persons" in found.method


def test_persons_without_counts_do_not_count():
    """Five persons of whom one has no images are four."""
    found = result_of(tables([1] * 4 + [0] + [1] * 6, [0] * 11), np.repeat([0, 1], [5, 6]))
    assert found.reason == "fewer than two groups have 5 persons (the largest has 6)"
    assert (found.gap, found.p, found.groups) == (None, None, ())


def test_reasons_for_no_test():
    """A person in several groups, nothing counted, a score that a group has not."""
    some = tables([1] * 12, [1] * 12)
    group = np.repeat([0, 1], 6)
    assert result_of(some, [SEVERAL, *group[1:]]).reason == (
        "the images of a person are in several groups"
    )
    assert result_of(0 * some, group).reason == "no image whose emotion is compared"
    unknown = np.full(12, -1)
    assert "the largest has 0" in result_of(some, unknown).reason
    found = result_of(some * [[1, 0], [0, 0]], group, confusion.quadratic_kappa)
    assert found.reason == "not defined in every group"
    assert (found.groups, found.p) == (("young", "old"), None)


def test_an_undefined_permutation_counts_as_spread_as_much():
    """Kappa needs two classes: two persons hold the second, and may come into one group."""
    counts = np.zeros((10, 2, 2), int)
    counts[:, 0, 0] = 3
    counts[[0, 5], 1, 1] = 1
    found = result_of(counts, np.repeat([0, 1], 5), confusion.quadratic_kappa, 999)
    assert found.gap == 0
    assert found.p == 1
