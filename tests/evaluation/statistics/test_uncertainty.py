"""Intervals: Wilson's published form, and the bootstrap against a slow loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.evaluation import bootstrap, wilson
from emorank.evaluation.statistics import confusion, uncertainty
from emorank.evaluation.statistics.uncertainty import (
    Estimate,
    clusters,
    counts_per_cluster,
    no_narrower,
    resampled,
    with_reason,
)


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
    """Without images there is no share, and the reason says so."""
    assert wilson(0, 0).value is None
    assert wilson(0, 0).reason == "no images"


def test_unknown_persons_are_persons_of_their_own():
    """Each image with a missing name counts as one person."""
    numbers = clusters(["b", None, "a", "b", float("nan")], 5)
    assert numbers[0] == numbers[3]
    assert len(set(numbers)) == 4
    assert set(numbers) == set(range(4))
    np.testing.assert_array_equal(clusters(None, 3), [0, 1, 2])
    with pytest.raises(ValueError, match="one person per image"):
        clusters(["a"], 2)


def test_the_bootstrap_equals_a_slow_loop():
    """Percentiles over resampled persons equal those of copies of the persons' images."""
    rng = np.random.default_rng(11)
    truth, predicted = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    person = rng.integers(0, 12, 60)
    tables = counts_per_cluster(truth, predicted, (3, 3), person)
    found = bootstrap(
        {"accuracy": confusion.accuracy, "kappa": confusion.quadratic_kappa},
        tables,
        np.random.default_rng(5),
        resamples=300,
    )
    draws = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), size=300)
    slow = []
    for times in draws:
        images = np.concatenate(
            [np.flatnonzero(person == p) for p in np.repeat(np.arange(12), times)]
        )
        slow.append(np.mean(truth[images] == predicted[images]))
    low, high = np.quantile(slow, [0.025, 0.975])
    np.testing.assert_allclose([found["accuracy"].low, found["accuracy"].high], [low, high])
    np.testing.assert_allclose(found["accuracy"].value, np.mean(truth == predicted))
    assert found["kappa"].low < found["kappa"].value < found["kappa"].high
    assert found["accuracy"].method == "bootstrap over 12 persons, 300 resamples"


def test_persons_widen_the_interval():
    """Twelve equal images of each person give a wider interval than as many independent images."""
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
    """One person gives a value, no interval, and the reason."""
    found = bootstrap(
        {"a": confusion.accuracy}, np.array([[[3, 1], [0, 4]]]), np.random.default_rng(0)
    )["a"]
    assert found.value == 0.875
    assert found.low is found.high is None
    assert found.reason == "no interval: one person only"


def undefined_in(share, resamples=100):
    """The estimate of a statistic that is undefined in a share of its resamples."""

    def statistics(weights):
        values = np.arange(len(weights), dtype=float)
        values[: round(share * resamples) if len(weights) > 1 else 0] = np.nan
        return {"a": values}

    rng = np.random.default_rng(0)
    return resampled(statistics, np.ones(12, int), rng, resamples=resamples, chunk=resamples)["a"]


def test_rarely_defined_statistics_have_no_interval():
    """Up to 5 % of undefined resamples are left out; with more there is no interval."""
    few, more = undefined_in(0.04), undefined_in(0.06)
    assert few.low == pytest.approx(4 + 0.025 * 95)
    assert few.high == pytest.approx(4 + 0.975 * 95)
    assert few.reason == ""
    assert more.value == 0
    assert (more.low, more.high) == (None, None)
    assert more.reason == "no interval: not defined in 6% of the resamples"


def test_two_persons_have_an_interval():
    """One has none, two have one; images are counted in their own word."""
    two = bootstrap({"a": confusion.accuracy}, np.array([[[1, 0], [0, 0]], [[0, 1], [0, 0]]]),
                    np.random.default_rng(0), resamples=50)["a"]  # fmt: skip
    assert (two.low, two.high) == (0, 1)
    one = bootstrap({"a": confusion.accuracy}, np.array([[[1, 0], [0, 0]]]),
                    np.random.default_rng(0), unit="images")["a"]  # fmt: skip
    assert one.reason == "no interval: one image only"


def test_the_level_is_the_coverage():
    """The ends are the percentiles that the level asks for, of Wilson's interval too."""
    tables = counts_per_cluster(np.arange(40) % 3, np.arange(40) % 2, (3, 3), np.arange(40) // 2)
    wide, narrow = (
        bootstrap({"a": confusion.accuracy}, tables, np.random.default_rng(2), level=level)["a"]
        for level in (0.95, 0.5)
    )
    assert narrow.level == 0.5
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wilson(5, 10, 0.5).low > wilson(5, 10).low
    assert wilson(5, 10, 0.5).level == 0.5


def test_tables_that_are_given_once_stand_for_all_that_are_alike():
    """Three persons of one table and two of another: as likely as five tables."""
    tables = np.array([[[3, 0], [0, 0]], [[0, 1], [0, 0]]])
    once = bootstrap({"a": confusion.accuracy}, tables, np.random.default_rng(0),
                     alike=np.array([3, 2]), resamples=4000)["a"]  # fmt: skip
    every = bootstrap({"a": confusion.accuracy}, tables[[0, 0, 0, 1, 1]],
                      np.random.default_rng(1), resamples=4000)["a"]  # fmt: skip
    assert once.value == every.value == 9 / 11
    assert "over 5 persons" in once.method
    assert once.low == pytest.approx(every.low, abs=0.05)
    assert once.high == every.high == 1


def test_a_reason_replaces_one_that_says_less():
    """Where there is a value, or no better reason, nothing changes."""
    none, some = Estimate(None, reason="not defined"), Estimate(0.5, reason="no interval")
    assert with_reason(none, "no vote").reason == "no vote"
    assert with_reason(none, "") == none
    assert with_reason(some, "no vote") == some


def test_counts_of_persons_without_images():
    """As many tables as are asked for, the last ones empty."""
    one = np.zeros(1, int)
    assert counts_per_cluster(one, one, (2, 2), one, 3).sum((1, 2)).tolist() == [1, 0, 0]
    assert counts_per_cluster(one[:0], one[:0], (2, 2), one[:0]).shape == (0, 2, 2)


def test_no_images_give_none():
    """An empty table is undefined and says so."""
    found = bootstrap(
        {"a": confusion.accuracy}, np.zeros((0, 2, 2), np.int64), np.random.default_rng(0)
    )["a"]
    assert (found.value, found.reason) == (None, "no images")


def test_resampled_draws_like_the_bootstrap_of_sums():
    """A mean is the same number whether tables are summed or persons weighted."""
    sums = np.random.default_rng(0).uniform(0, 1, (7, 1, 2))
    summed = bootstrap(
        {"a": lambda t: t[..., 0, 0] / t[..., 0, 1]}, sums, np.random.default_rng(1), resamples=90
    )
    weighted = resampled(
        lambda w: {"a": (w @ sums[:, 0, 0]) / (w @ sums[:, 0, 1])},
        np.ones(7, int),
        np.random.default_rng(1),
        resamples=90,
        chunk=90,
    )
    assert summed["a"].low == pytest.approx(weighted["a"].low)
    assert summed["a"].high == pytest.approx(weighted["a"].high)


@pytest.mark.parametrize("hits", [(4, 4, 4), (0, 4, 8), (8, 8, 8), (3, 4, 5)])
def test_three_persons_give_no_narrower_interval_than_wilson(hits):
    """Equal scores of three persons would give an interval of no width; and it is called rough."""
    tables = np.array([[[n, 8 - n], [0, 0]] for n in hits])
    rng = np.random.default_rng(0)
    over = bootstrap({"": lambda c: c[..., 0, 0] / c.sum((-2, -1))}, tables, rng)[""]
    assert over.rough
    widened, other = no_narrower(over, sum(hits), 24), wilson(sum(hits), 24)
    assert widened.low == min(over.low, other.low)
    assert widened.high == max(over.high, other.high)
    assert widened.value == over.value


@pytest.mark.parametrize(("persons", "rough"), [(2, True), (9, True), (10, False)])
def test_the_interval_of_few_persons_is_wider_and_rough(persons, rough):
    """By the expanded percentiles; from ten persons on the interval is the plain one."""
    rng = np.random.default_rng(1)
    tables = rng.integers(0, 9, (persons, 1, 2)) + 1
    share = {"": lambda c: c[..., 0, 0] / c.sum((-2, -1))}
    found = bootstrap(share, tables, np.random.default_rng(2), resamples=4000)[""]
    assert found.rough == rough
    draws = np.random.default_rng(2).multinomial(persons, np.full(persons, 1 / persons), 4000)
    sums = np.tensordot(draws, tables, axes=1)
    values = sums[:, 0, 0] / sums.sum((1, 2))
    low, high = np.quantile(values, [0.025, 0.975])
    if rough:
        assert found.low < low or found.low == values.min()
        assert found.high > high or found.high == values.max()
    else:
        assert (found.low, found.high) == (low, high)
    images = bootstrap(share, tables, np.random.default_rng(2), unit="images", resamples=4000)[""]
    assert not images.rough
