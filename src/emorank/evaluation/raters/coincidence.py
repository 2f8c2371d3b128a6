"""Agreement of any number of raters from how often each answer was given to each unit.

It does not matter who gave an answer, so the statistics hold for raters with names and for counts
of votes. All of them are functions of sums over units: of the coincidences of answers, of the
shares of answers, of the agreement within units. So a bootstrap resample is a weighted sum of the
images' tables (see `uncertainty`).
"""

import numpy as np
from jaxtyping import Float, Int

from emorank.evaluation.statistics.ratio import Floats, ratio

# (…, K + 2, K): K rows of coincidences, a row of shares, and a row with the sum of the agreement
# within units in its first cell and the number of units behind it in the second.
Tables = Float[np.ndarray, "*stack row level"]
# Sums of fractions miss zero by rounding: a divisor below this is zero.
_ZERO = 1e-12


def unit_tables(
    counts: Int[np.ndarray, "unit level"], cluster: Int[np.ndarray, " unit"]
) -> Float[np.ndarray, "cluster row level"]:
    """The additive parts of all statistics here, one table per image.

    Units with fewer than two votes are left out, because they cannot agree or disagree. `counts`
    says how often each unit was given each of K ≥ 2 levels, ascending if ordered; `cluster` is the
    image that each unit belongs to, numbered from 0.
    """
    levels = counts.shape[1]
    if levels < 2:
        raise ValueError(f"agreement needs two or more levels, got {levels}")
    total = counts.sum(axis=1)
    paired = total >= 2
    n, m = counts[paired].astype(float), total[paired].astype(float)
    own = np.eye(levels) * n[:, None, :]
    coincidences = (n[:, :, None] * n[:, None, :] - own) / (m - 1)[:, None, None]
    tables = np.zeros((len(n), levels + 2, levels))
    tables[:, :levels] = coincidences
    tables[:, levels] = n / m[:, None]
    tables[:, levels + 1, 0] = (n * (n - 1)).sum(axis=1) / (m * (m - 1))
    tables[:, levels + 1, 1] = 1
    result = np.zeros((int(cluster.max()) + 1 if len(cluster) else 0, levels + 2, levels))
    np.add.at(result, cluster[paired], tables)
    return result


def nominal_alpha(tables: Tables) -> Floats:
    """Krippendorff's alpha when two answers are either the same or not.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, sections C and E.
    """
    levels = tables.shape[-1]
    return _alpha(tables, 1 - np.eye(levels))


def ordinal_alpha(tables: Tables) -> Floats:
    """Krippendorff's alpha for ordered answers.

    The distance of two answers is the number of votes between them, with half of the votes of both;
    so it depends on the votes of each resample.

    Source: Krippendorff 2011, section E, the ordinal metric difference.
    """
    margin = _coincidences(tables).sum(-1)
    middle = margin.cumsum(-1) - margin / 2
    return _alpha(tables, (middle[..., :, None] - middle[..., None, :]) ** 2)


def fleiss_kappa(tables: Tables) -> Floats:
    """Fleiss' kappa; where units have different numbers of votes, its generalisation.

    The agreement within a unit is taken over the pairs of its own votes, the share of an answer is
    the mean over units of the unit's shares. With equal numbers of votes that is Fleiss' formula.

    Source: Fleiss 1971, Psychological Bulletin 76, 378–382; for missing votes Gwet 2014, Handbook
    of Inter-Rater Reliability, 4th edition, chapter 3.
    """
    units = tables[..., -1, 1]
    expected = (ratio(tables[..., -2, :], units[..., None]) ** 2).sum(-1)
    return ratio(observed_agreement(tables) - expected, 1 - expected, least=_ZERO)


def observed_agreement(tables: Tables) -> Floats:
    """The share of pairs of votes on a unit that are the same, averaged over units."""
    return ratio(tables[..., -1, 0], tables[..., -1, 1])


def _alpha(tables: Tables, squared: Float[np.ndarray, "*stack level level"]) -> Floats:
    coincidences = _coincidences(tables)
    margin = coincidences.sum(-1)
    total = margin.sum(-1)
    observed = (coincidences * squared).sum((-2, -1)) * (total - 1)
    expected = np.einsum("...c,...ck,...k->...", margin, np.broadcast_to(
        squared, coincidences.shape), margin)  # fmt: skip
    return 1 - ratio(observed, expected, least=_ZERO)


def _coincidences(tables: Tables) -> Tables:
    return tables[..., : tables.shape[-1], :]
