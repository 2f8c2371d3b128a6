"""Intervals: Wilson's published form, and the bootstrap against a slow loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.evaluation import bootstrap, wilson
from emorank.evaluation.statistics import confusion, uncertainty
from emorank.evaluation.statistics.uncertainty import clusters, counts_per_cluster


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilson_is_its_formula(successes, more):
    """The ends solve (p - share)² = z² p (1 - p) / n."""
    total = successes + more
    estimate = wilson(successes, total)
    share = successes / total
    z2 = 1.959963984540054**2
    for end in (estimate.low, estimate.high):
        np.testing.assert_allclose((end - share) ** 2, z2 * end * (1 - end) / total, atol=1e-9)
    assert estimate.value == share


def test_a_share_of_nothing_is_none():
    """No images, no share; the reason is said."""
    assert wilson(0, 0).value is None
    assert wilson(0, 0).reason == "no images"


def test_unknown_persons_are_persons_of_their_own():
    """Missing names are not one big person."""
    numbers = clusters(["b", None, "a", "b", float("nan")], 5)
    assert numbers[0] == numbers[3]
    assert len(set(numbers)) == 4
    assert set(numbers) == set(range(4))
    np.testing.assert_array_equal(clusters(None, 3), [0, 1, 2])
    with pytest.raises(ValueError, match="one person per image"):
        clusters(["a"], 2)


def test_the_bootstrap_equals_a_slow_loop():
    """Percentiles over resampled persons equal those of really repeating the persons' images."""
    rng = np.random.default_rng(11)
    truth, predicted = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    person = rng.integers(0, 7, 60)
    tables = counts_per_cluster(truth, predicted, (3, 3), person)
    found = bootstrap(
        {"accuracy": confusion.accuracy, "kappa": confusion.quadratic_kappa},
        tables,
        np.random.default_rng(5),
        resamples=300,
    )
    draws = np.random.default_rng(5).multinomial(7, np.full(7, 1 / 7), size=300)
    slow = []
    for times in draws:
        images = np.concatenate(
            [np.flatnonzero(person == p) for p in np.repeat(np.arange(7), times)]
        )
        slow.append(np.mean(truth[images] == predicted[images]))
    low, high = np.quantile(slow, [0.025, 0.975])
    np.testing.assert_allclose([found["accuracy"].low, found["accuracy"].high], [low, high])
    np.testing.assert_allclose(found["accuracy"].value, np.mean(truth == predicted))
    assert found["kappa"].low < found["kappa"].value < found["kappa"].high
    assert found["accuracy"].method == "bootstrap over 7 persons, 300 resamples"


def test_persons_widen_the_interval():
    """Images that come in dependent dozens are worth less than independent ones."""
    person = np.repeat(np.arange(20), 12)
    right = (person % 2 == 0).astype(np.int64)
    rows = np.zeros_like(right)
    widths = []
    for cluster in (person, np.arange(240)):
        tables = counts_per_cluster(rows, 1 - right, (2, 2), cluster)
        found = bootstrap({"a": confusion.accuracy}, tables, np.random.default_rng(1))["a"]
        widths.append(found.high - found.low)
    np.testing.assert_allclose(widths[0] / widths[1], np.sqrt(12), rtol=0.1)
    np.testing.assert_allclose(widths[0], 2 * 1.96 * 0.5 / np.sqrt(20), rtol=0.15)


def test_the_same_seed_gives_the_same_interval(monkeypatch):
    """The interval depends on the generator alone, not on how the work is cut into chunks."""
    tables = counts_per_cluster(np.arange(30) % 3, np.arange(30) % 2, (3, 3), np.arange(30) // 3)
    once = bootstrap({"a": confusion.accuracy}, tables, np.random.default_rng(2))
    monkeypatch.setattr(uncertainty, "_CHUNK", 200)
    assert bootstrap({"a": confusion.accuracy}, tables, np.random.default_rng(2)) == once


def test_one_person_has_no_interval():
    """Nothing is known about other persons from one; the value stays, the reason is said."""
    found = bootstrap(
        {"a": confusion.accuracy}, np.array([[[3, 1], [0, 4]]]), np.random.default_rng(0)
    )["a"]
    assert found.value == 0.875
    assert found.low is found.high is None
    assert found.reason == "no interval: one person only"


def test_rarely_defined_statistics_have_no_interval():
    """An interval over the lucky resamples alone is not given."""
    tables = np.zeros((4, 2, 2), np.int64)
    tables[:, 0, 0] = 1
    tables[0] = [[0, 1], [1, 0]]
    found = bootstrap({"k": confusion.quadratic_kappa}, tables, np.random.default_rng(0))["k"]
    assert found.value is not None
    assert found.low is None
    assert "of the resamples" in found.reason


def test_no_images_give_none():
    """An empty table is undefined and says so."""
    found = bootstrap(
        {"a": confusion.accuracy}, np.zeros((0, 2, 2), np.int64), np.random.default_rng(0)
    )["a"]
    assert (found.value, found.reason) == (None, "no images")
