"""Alpha and Fleiss' kappa against the libraries, exact oracles and published examples."""

import warnings

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss
from tests.reference import agreement as oracle

from emorank.evaluation.raters import coincidence

# Krippendorff 2011, section C: four observers, twelve units, 0 for a missing vote.
WORKED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
# Fleiss 1971, Table 1: how many of six psychiatrists gave each of five diagnoses to 30 patients.
DIAGNOSES = (
    "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 "
    "144444 224445 333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 "
    "111155 224444 133333 555555"
)
# The ten subjects and fourteen raters of the usual textbook example.
TEXTBOOK = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]


def counts_of(grid: np.ndarray, levels: int) -> np.ndarray:
    """(raters, units) levels from 0, -1 missing, to counts per unit."""
    return np.stack([(grid == k).sum(axis=0) for k in range(levels)], axis=1)


def total(counts: np.ndarray) -> np.ndarray:
    counts = np.asarray(counts)
    return coincidence.unit_tables(counts, np.arange(len(counts))).sum(axis=0)


def test_krippendorffs_worked_example():
    """Nominal 0.743 and ordinal 0.815, as printed on pages 5 and 7."""
    table = total(counts_of(WORKED - 1, 5))
    assert round(float(coincidence.nominal_alpha(table)), 3) == 0.743
    assert round(float(coincidence.ordinal_alpha(table)), 3) == 0.815


def test_krippendorffs_coincidences():
    """The matrix of observed coincidences on page 4: 40 pairable votes in 11 units."""
    table = total(counts_of(WORKED - 1, 5))
    assert table[-1, 1] == 11
    np.testing.assert_allclose(
        table[:5],
        [
            [7, 4 / 3, 1 / 3, 1 / 3, 0],
            [4 / 3, 10, 4 / 3, 1 / 3, 0],
            [1 / 3, 4 / 3, 8, 1 / 3, 0],
            [1 / 3, 1 / 3, 1 / 3, 4, 0],
            [0, 0, 0, 0, 3],
        ],
        atol=1e-12,
    )


def test_fleiss_1971():
    """Overall agreement 0.5556 and kappa 0.430, as printed on page 380."""
    grid = np.array([[int(k) - 1 for k in patient] for patient in DIAGNOSES.split()]).T
    table = total(counts_of(grid, 5))
    assert round(float(coincidence.observed_agreement(table)), 4) == 0.5556
    assert round(float(coincidence.fleiss_kappa(table)), 3) == 0.430


def test_fleiss_textbook():
    """Kappa 0.210 with agreement 0.378."""
    table = total(TEXTBOOK)
    assert round(float(coincidence.observed_agreement(table)), 3) == 0.378
    assert round(float(coincidence.fleiss_kappa(table)), 3) == 0.210


def random_grid(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Two to nine raters, one to thirty units, two to five levels, some to most votes missing."""
    levels = int(rng.integers(2, 6))
    shape = int(rng.integers(2, 10)), int(rng.integers(1, 31))
    truth = rng.integers(levels, size=shape[1])
    noise = rng.integers(levels, size=shape)
    grid = np.where(rng.random(shape) < rng.random(), truth, noise)
    return np.where(rng.random(shape) < rng.random() * 0.8, -1, grid), levels


def test_alpha_equals_the_library_on_random_tables():
    """Four hundred tables with missing votes, nominal and ordinal."""
    rng = np.random.default_rng(1)
    compared = 0
    for _ in range(400):
        grid, levels = random_grid(rng)
        table = total(counts_of(grid, levels))
        data = np.where(grid < 0, np.nan, grid.astype(float))
        for name, mine in (
            ("nominal", coincidence.nominal_alpha),
            ("ordinal", coincidence.ordinal_alpha),
        ):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    theirs = krippendorff.alpha(
                        data, value_domain=list(range(levels)), level_of_measurement=name
                    )
            except (ValueError, AssertionError):
                theirs = np.nan
            if np.isfinite(theirs):
                compared += 1
                np.testing.assert_allclose(float(mine(table)), theirs, atol=1e-9)
            elif not np.isfinite(float(mine(table))):
                continue
            else:  # the library gives no value; the exact oracle has to have one
                units = [[int(v) for v in column if v >= 0] for column in grid.T]
                assert oracle.alpha(units, name == "ordinal") is not None
    assert compared > 600


def test_fleiss_equals_statsmodels_on_random_tables():
    """Three hundred full tables."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        levels, raters = int(rng.integers(2, 6)), int(rng.integers(2, 12))
        counts = rng.multinomial(raters, rng.dirichlet(np.ones(levels)), int(rng.integers(2, 25)))
        with np.errstate(all="ignore"):
            theirs = float(statsmodels_fleiss(counts))
        mine = float(coincidence.fleiss_kappa(total(counts)))
        if np.isfinite(theirs):
            np.testing.assert_allclose(mine, theirs, atol=1e-9)
        else:
            assert np.isnan(mine)


UNITS = st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=12)


def counted(units: list[list[int]]) -> np.ndarray:
    return np.array([np.bincount(unit, minlength=4) for unit in units])


@given(UNITS)
def test_all_statistics_equal_the_exact_oracle(units):
    """Pair by pair in fractions, with missing votes; only undefined values are NaN."""
    table = total(counted(units))
    for mine, exact in (
        (coincidence.nominal_alpha, oracle.alpha(units, ordinal=False)),
        (coincidence.ordinal_alpha, oracle.alpha(units, ordinal=True)),
        (coincidence.fleiss_kappa, oracle.fleiss(units, 4)),
    ):
        value = float(mine(table))
        if exact is None:
            assert np.isnan(value)
        else:
            np.testing.assert_allclose(value, float(exact), atol=1e-9)


@given(UNITS, st.permutations(range(4)), st.randoms(use_true_random=False))
def test_invariants(units, names, random):
    """The order of units and mirroring never matter; names of levels do for ordinal ones."""
    table = total(counted(units))
    shuffled = random.sample(units, len(units))
    mirrored = [[3 - vote for vote in unit] for unit in units]
    renamed = [[names[vote] for vote in unit] for unit in units]
    nominal = (coincidence.nominal_alpha, coincidence.fleiss_kappa, coincidence.observed_agreement)
    for statistic in (*nominal, coincidence.ordinal_alpha):
        for other in (shuffled, mirrored, *([renamed] if statistic in nominal else [])):
            np.testing.assert_allclose(
                statistic(table), statistic(total(counted(other))), atol=1e-9
            )
        assert np.isnan(statistic(table)) or float(statistic(table)) <= 1 + 1e-12


@given(UNITS.filter(lambda units: len({v for u in units for v in u[:1] if len(u) > 1}) > 1))
def test_who_always_agrees_has_one(units):
    """If all votes of each unit are the same, and not all units alike, everything is 1."""
    same = [[unit[0]] * len(unit) for unit in units if unit]
    table = total(counted(same))
    for statistic in (
        coincidence.nominal_alpha,
        coincidence.ordinal_alpha,
        coincidence.fleiss_kappa,
        coincidence.observed_agreement,
    ):
        np.testing.assert_allclose(float(statistic(table)), 1)


def test_tables_add_up_over_images():
    """Units of one image lie in one table; the sum does not depend on whose they are."""
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 4, size=(40, 4))
    by_image = coincidence.unit_tables(counts, rng.permutation(np.repeat(np.arange(10), 4)))
    assert by_image.shape == (10, 6, 4)
    np.testing.assert_allclose(by_image.sum(axis=0), total(counts))


def test_one_level_is_no_scale():
    """With a single possible answer there is nothing to disagree on."""
    with pytest.raises(ValueError, match="two or more levels"):
        coincidence.unit_tables(np.ones((3, 1), np.int64), np.arange(3))
