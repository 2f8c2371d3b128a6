"""The paper's rank rule: its published tables, an exact oracle, invariances, bad maps."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emorank.errors import PlanError, RelevanceError
from emorank.ranking import rank, rank_from_counts
from emorank.vocabulary import Rank
from reference import ranking as oracle

GOLDEN = Path(__file__).parent / "golden"
TABLES = {
    "table_03_jaffe_relevance_intervals.csv": 224 * 224 * 3,
    "table_04_affectnet_relevance_intervals.csv": 255 * 255 * 3,
}
# As printed, and what the same row's ten counts give.
ERRATA = {
    ("fear_11", "mean_3_printed"): ("19489", "194895"),
    ("surprise_240", "mean_2_printed"): ("55", "155"),
    ("surprise_240", "rank_printed"): ("Average", "Minimal"),
}

ROWS = [
    pytest.param(row, size, id=row["image"])
    for table, size in TABLES.items()
    for row in csv.DictReader((GOLDEN / table).open())
]
scores = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=60)
rules = st.sampled_from(["count", "mean", "sum"])


def counts_of(row):
    return np.array([[int(row[f"group_{j}"]) for j in range(1, 11)]])


def map_with(counts, place):
    """A map in [0, 1] with these counts: scores at `place` (0 … 1) of their interval, and 0 and 1.

    The intervals closed on the right, the minimum in none.
    """
    values = np.repeat((np.arange(10) + np.clip(place, 0.01, 0.99)) / 10, counts)
    values[-1] = 1.0  # the maximum is one of the last interval's
    return np.append(values, 0.0)


def test_all_sixteen_rows_are_there():
    """Eight of Table 3 and eight of Table 4."""
    assert len(ROWS) == 16


@pytest.mark.parametrize(("row", "size"), ROWS)
def test_published_row_follows_from_its_counts(row, size):
    """Tables 3 and 4: the three "means" are counts, and the greatest decides; errata as errata."""
    counts = counts_of(row)
    values, ranks, tied = rank_from_counts(counts)
    ours = {f"mean_{g}_printed": str(values[0, g - 1]) for g in (1, 2, 3)}
    ours["rank_printed"] = Rank(ranks[0]).label
    for column, value in ours.items():
        printed, right = ERRATA.get((row["image"], column), (value, value))
        assert row[column] == printed
        assert value == right
    assert not tied[0]
    # One score of the map lies in no interval.
    assert counts.sum() == size - 1


@pytest.mark.parametrize(("row", "size"), ROWS)
def test_published_row_from_a_whole_map(row, size):
    """A map of the published size with the published counts gives them back, and the rank.

    Intervals closed on the right: jaffe_2 has no score in the first interval, which can be only if
    the minimum (0.0) belongs to none.
    """
    counts = counts_of(row)
    scores = map_with(counts[0], 0.5)
    side = int((size / 3) ** 0.5)
    result = rank(7.0 * scores.reshape(1, 3, side, side) - 2.0, closed="right")
    np.testing.assert_array_equal(result.counts, counts)
    assert result.ranks[0] == rank_from_counts(counts)[1][0]
    np.testing.assert_allclose(result.zero, 2 / 7, rtol=1e-12)


@pytest.mark.parametrize(("row", "size"), ROWS)
def test_closed_on_the_left_changes_no_published_rank(row, size):
    """The printed intervals [ , ) move one score, the extreme that is left out, and no rank."""
    scores = map_with(counts_of(row)[0], 0.5)
    right, left = rank(scores[None], closed="right"), rank(scores[None])
    assert left.ranks[0] == right.ranks[0]
    moved = left.counts - right.counts
    np.testing.assert_array_equal(moved, [[1, 0, 0, 0, 0, 0, 0, 0, 0, -1]])


def test_one_published_row_cannot_be_closed_on_the_left():
    """jaffe_2: a scaled map has a 0.0, and [0, 0.1) would hold it; all rows have a score in 10."""
    empty_first = [p.values[0]["image"] for p in ROWS if p.values[0]["group_1"] == "0"]
    assert empty_first == ["jaffe_2"]
    assert all(int(p.values[0]["group_10"]) >= 1 for p in ROWS)


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("row", "size"), ROWS)
def test_by_the_printed_formula_every_published_row_would_be_strong(row, size, place):
    """Wherever the scores lie in their intervals, the mean of 6–10 is the greatest."""
    scores = map_with(counts_of(row)[0], place)
    assert rank(scores[None], "mean", closed="right").ranks[0] == Rank.STRONG


def test_bounds_from_counts_alone_prove_it():
    """The mean of 6–10 is over 0.5, that of 1–5 under; and 4–8 is 6–8 with lower scores added."""
    for row in (p.values[0] for p in ROWS):
        n = counts_of(row)[0]
        lower, upper = np.arange(10) / 10, np.arange(1, 11) / 10
        least_strong = (n * lower)[5:].sum() / n[5:].sum()
        most_minimal = (n * upper)[:5].sum() / n[:5].sum()
        # so that the inequality with 4–8 is strict
        assert n[8:].sum() > 0
        assert n[3:5].sum() > 0
        assert least_strong >= 0.5 >= most_minimal - 1e-12


@given(scores=scores, rule=rules, closed=st.sampled_from(["left", "right"]))
def test_any_map_is_the_oracle(scores, rule, closed):
    """Counts and values in exact fractions, edges included (integers hit 3/10 exactly)."""
    result = rank(np.array([scores]), rule, closed=closed)
    counts, _ = oracle.counts_and_sums(scores, closed)
    np.testing.assert_array_equal(result.counts[0], counts)
    expected = [np.nan if v is None else float(v) for v in oracle.values(scores, rule, closed)]
    np.testing.assert_allclose(result.values[0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("top", [10, 30, 70, 1000])
def test_edges_belong_to_the_interval_that_they_open(top):
    """Scores 0/10 … 10/10 of any range: one in each interval, the maximum in none."""
    result = rank(np.linspace(0, top, 11)[None])
    np.testing.assert_array_equal(result.counts, np.ones((1, 10)))
    below = np.nextafter(np.arange(1, 10) / 10, 0)
    result = rank(np.concatenate([[0.0], below, [1.0]])[None])
    np.testing.assert_array_equal(result.counts, [[2, 1, 1, 1, 1, 1, 1, 1, 1, 0]])


@given(scores=scores, rule=rules, factor=st.sampled_from([0.25, 2.0, 3.0, 1e-3, 1e6]))
def test_positive_scaling_changes_nothing_that_matters(scores, rule, factor):
    """Counts and ranks of maps away from the edges are those of the scaled map."""
    once, more = rank(np.array([scores]), rule), rank(factor * np.array([scores]), rule)
    assume(not once.tied[0])
    if factor in (0.25, 2.0):  # exact in binary, so edges too
        np.testing.assert_array_equal(once.counts, more.counts)
        np.testing.assert_array_equal(once.ranks, more.ranks)
    np.testing.assert_allclose(once.zero, more.zero, rtol=1e-9, atol=1e-12)


@given(scores=scores, seed=st.integers(0, 1000))
def test_the_order_of_pixels_does_not_matter(scores, seed):
    """Any permutation of pixels and channels gives the same counts, zero and rank."""
    shuffled = np.random.default_rng(seed).permutation(scores)
    one, other = rank(np.array([scores])), rank(shuffled[None])
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.ranks, other.ranks)
    np.testing.assert_array_equal(one.zero, other.zero)


@given(scores=scores)
def test_negation_mirrors(scores):
    """Closed on the left, negated, is closed on the right with counts and zero mirrored.

    Not so for one closing alone, which leaves out the maximum of one and the minimum of the other;
    nor for the ranks: the groups 1–5, 4–8, 6–10 are not symmetric, 4–8 mirrored is 3–7.
    """
    one = rank(np.array([scores]))
    other = rank(-np.array([scores]), closed="right")
    np.testing.assert_array_equal(one.counts, other.counts[:, ::-1])
    np.testing.assert_allclose(one.zero, 1 - other.zero, atol=1e-12)


def test_the_groups_are_not_symmetric():
    """What is Average upside down need not be Average: 4–8 mirrored is 3–7."""
    counts = np.array([[1, 0, 0, 1, 0, 0, 0, 2, 0, 0]])
    _, ranks, tied = rank_from_counts(np.concatenate([counts, counts[:, ::-1]]))
    np.testing.assert_array_equal(ranks, [Rank.AVERAGE, Rank.MINIMAL])
    np.testing.assert_array_equal(tied, [False, True])


@pytest.mark.parametrize(
    ("peak", "below", "above", "expected"),
    [
        (2, 0, 9, Rank.MINIMAL),
        (5, 9, 0, Rank.MINIMAL),
        (5, 0, 9, Rank.AVERAGE),
        (7, 9, 0, Rank.AVERAGE),
        (7, 0, 9, Rank.STRONG),
        (10, 9, 0, Rank.STRONG),
    ],
)
def test_in_the_middle_the_tails_decide(peak, below, above, expected):
    """A peak in 4–5 or 6–8 lies in two groups; a handful of scores in their other intervals decide.

    `below` scores lie in what only the lower of the two groups has, `above` in the upper's.
    """
    counts = np.zeros((1, 10), dtype=int)
    counts[0, peak - 1] = 150_000
    counts[0, 0 if peak < 6 else 3] += below
    counts[0, 7 if peak < 6 else 8] += above
    _, ranks, _ = rank_from_counts(counts)
    assert ranks[0] == expected


@given(scores=scores)
def test_counts_sum_to_the_scores_below_the_maximum(scores):
    """N less the number of maxima."""
    counts = rank(np.array([scores])).counts
    assert counts.sum() == sum(score < max(scores) for score in scores)


@pytest.mark.parametrize("value", [0.0, 3.5, -1e-30])
@pytest.mark.parametrize("rule", ["count", "mean", "sum"])
def test_constant_map(value, rule):
    """No extent to scale by: nothing counted, Minimal, marked as a tie, zero lands nowhere."""
    result = rank(np.full((2, 3, 4, 4), value), rule)
    assert (result.counts == 0).all()
    assert (result.ranks == Rank.MINIMAL).all()
    assert result.tied.all()
    assert np.isnan(result.zero).all()


def test_on_a_tie_the_lower_rank_is_given_and_marked():
    """All scores in 4 and 5 count for Minimal and Average alike."""
    _, ranks, tied = rank_from_counts(
        np.array([[0, 0, 0, 9, 9, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 4, 0, 0, 0, 0], [9] * 10])
    )
    np.testing.assert_array_equal(ranks, [Rank.MINIMAL, Rank.AVERAGE, Rank.MINIMAL])
    np.testing.assert_array_equal(tied, [True, True, True])


def test_where_zero_lands_decides():
    """A sharp peak of zeros: the strongest negative against the strongest positive relevance."""
    maps = np.zeros((5, 3, 8, 8))
    maps[:, 0, 0, 0] = [-1, -4.5, -5.5, -9, 0]
    maps[:, 0, 0, 1] = [9, 5.5, 4.5, 1, 10]
    result = rank(maps)
    np.testing.assert_allclose(result.zero, [0.1, 0.45, 0.55, 0.9, 0.0])
    # At 0.45 and 0.55 the peak lies in two groups; the extreme at 0 or 1 breaks the tie or not.
    np.testing.assert_array_equal(
        result.ranks, [Rank.MINIMAL, Rank.MINIMAL, Rank.AVERAGE, Rank.STRONG, Rank.MINIMAL]
    )


def test_each_map_is_scaled_by_itself_whatever_its_type():
    """A batch is its maps one by one; float32, float16 and lists of any shape are taken."""
    generator = np.random.default_rng(0)
    maps = generator.normal(size=(3, 3, 5, 7)) * np.array([1e-20, 1, 1e20])[:, None, None, None]
    together = rank(maps)
    for k in range(3):
        alone = rank(maps[k : k + 1])
        np.testing.assert_array_equal(alone.counts[0], together.counts[k])
        assert alone.zero[0] == together.zero[k]
    single = maps.astype(np.float32)
    np.testing.assert_array_equal(
        rank(single).counts, rank(single.astype(np.float64).reshape(3, -1)).counts
    )
    assert (together.counts.dtype, together.ranks.dtype) == (np.int64, np.int64)
    assert len(rank(np.zeros((0, 3, 4, 4))).ranks) == 0


@pytest.mark.parametrize("size", [1.7e308, 1e-320])
def test_the_range_of_float64_is_no_limit(size):
    """Neither an overflow of max − min nor subnormal scores bring NaN."""
    result = rank(np.array([[-size, -size / 2, 0.0, size / 2, size]]))
    np.testing.assert_array_equal(result.counts, [[1, 0, 1, 0, 0, 1, 0, 1, 0, 0]])
    np.testing.assert_allclose(result.zero, 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_maps_that_are_not_finite_are_refused(bad):
    """The message says which map."""
    maps = np.zeros((2, 3, 2, 2))
    maps[1, 0, 0, 0] = bad
    with pytest.raises(RelevanceError, match="infinity in map 1"):
        rank(maps)


def test_what_is_no_map_or_no_rule_is_refused():
    """Shape, type and names."""
    for bad in (np.zeros(5), np.zeros((2, 0)), np.array([["a", "b"]]), np.zeros((1, 2), complex)):
        with pytest.raises(RelevanceError, match="expected relevance maps"):
            rank(bad)
    with pytest.raises(PlanError, match="'median' is no rank rule; expected count, mean or sum"):
        rank(np.zeros((1, 3)), "median")
    with pytest.raises(PlanError, match="left or right"):
        rank(np.zeros((1, 3)), closed="both")
    for bad in (np.zeros((2, 9), int), np.zeros((2, 10)), np.zeros(10, int)):
        with pytest.raises(RelevanceError, match="integer counts"):
            rank_from_counts(bad)
