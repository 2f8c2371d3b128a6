"""Intraclass correlations against published numbers, and with missing cells."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emorank.evaluation.raters.intraclass import intraclass

# Shrout and Fleiss 1979, table 2: six targets, four judges.
TABLE = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def values(table, image=None, resamples=100):
    image = np.arange(len(table)) if image is None else image
    found = intraclass(table, image, np.random.default_rng(0), resamples=resamples)
    return {name: one.value for name, one in found.items()}, found


def test_shrout_and_fleiss():
    """Table 4: ICC(2,1) 0.29, ICC(3,1) 0.71, ICC(2,4) 0.62; with an interval around them."""
    value, found = values(TABLE)
    assert_allclose([value[name] for name in ("single", "consistency", "mean")],
                    [0.29, 0.71, 0.62], atol=0.005)  # fmt: skip
    assert found["single"].low < value["single"] < found["single"].high


def test_with_missing_cells_as_the_normal_equations_say():
    """Henderson's sums of squares by least squares over dummy variables, as an oracle."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(25, 1)) * 2 + rng.normal(size=6) + rng.normal(size=(25, 6))
    table[rng.random(table.shape) < 0.4] = np.nan
    table = table[np.isfinite(table).sum(axis=1) >= 2]
    unit, rater = np.nonzero(np.isfinite(table))
    y = table[unit, rater]
    u, r = np.eye(len(table))[unit], np.eye(6)[rater]

    def left(design):
        return float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum())

    both = np.hstack([u, r])
    number, units, raters = len(y), len(table), 6
    error = left(both) / (number - np.linalg.matrix_rank(both))
    of_unit = (left(r) - left(both) - (units - 1) * error) / (number - raters)
    of_rater = (left(u) - left(both) - (raters - 1) * error) / (number - units)
    many = units / (1 / np.isfinite(table).sum(axis=1)).sum()
    expected = [
        of_unit / (of_unit + of_rater + error),
        of_unit / (of_unit + error),
        of_unit / (of_unit + (of_rater + error) / many),
    ]
    value, _ = values(table)
    assert_allclose([value[name] for name in ("single", "consistency", "mean")], expected)


@pytest.mark.parametrize("table", [np.full((3, 2), 5.0), TABLE[:1], np.full((4, 3), np.nan)])
def test_what_is_not_defined_has_a_reason(table):
    """No spread, one face, nothing at all."""
    value, found = values(table)
    assert set(value.values()) == {None}
    assert all(one.reason for one in found.values())


def test_too_many_raters_are_told():
    """Their tables would not fit into memory."""
    assert "at most 100" in values(np.ones((3, 101)))[1]["single"].reason
