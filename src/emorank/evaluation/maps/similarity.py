"""How alike two relevance maps are: by the order of their pixels, and by their structure."""

import numpy as np
from jaxtyping import Float

from emorank.evaluation.maps.region_perturbation import Maps
from emorank.evaluation.statistics import correlation
from emorank.evaluation.statistics.ratio import ratio

Similarities = Float[np.ndarray, " batch"]
# Wang et al. 2004: Gaussian windows of 11 pixels, and the two constants.
_SIGMA, _REACH, _K1, _K2 = 1.5, 5, 0.01, 0.03
_PERCENTILE = 99.5  # of |R| that is scaled to 1; few pixels hold most of the relevance


def spearman(first: Maps, second: Maps) -> Similarities:
    """Spearman's correlation over the pixels of each pair; NaN where a map is constant."""
    once = np.ones((1, first[0].size if len(first) else 0))
    rho = [
        correlation.spearman(a.ravel(), b.ravel(), once)[0]
        for a, b in zip(first, second, strict=True)
    ]
    return np.array(rho, np.float64)


def ssim(first: Maps, second: Maps) -> Similarities:
    """Structural similarity (Wang et al. 2004) of each pair, both scaled to −1 … 1.

    The 99.5th percentile of |R| of a map is scaled to 1, and greater values are cut to 1. NaN if a
    map is zero everywhere.
    """
    pairs = zip(_scaled(first), _scaled(second), strict=True)
    return np.array([_ssim(a, b) for a, b in pairs], np.float64)


def _scaled(maps: Maps) -> Maps:
    size = np.abs(maps).reshape(len(maps), -1)
    full = np.percentile(size, _PERCENTILE, axis=1)
    full = np.where(full > 0, full, size.max(axis=1))[:, None, None]
    return np.array(np.clip(ratio(maps, full), -1, 1))


def _ssim(a: Float[np.ndarray, "side side"], b: Float[np.ndarray, "side side"]) -> float:
    from scipy.ndimage import gaussian_filter

    def local(values: np.ndarray) -> np.ndarray:
        filtered: np.ndarray = gaussian_filter(values, _SIGMA, radius=_REACH)
        return filtered

    if np.isnan(a).any() or np.isnan(b).any():
        return float("nan")
    one, two = (_K1 * 2) ** 2, (_K2 * 2) ** 2  # the range is 2
    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    both = local(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + one) * (2 * both + two)
    local_ssim = above / ((mean_a**2 + mean_b**2 + one) * (var_a + var_b + two))
    inner = slice(_REACH, -_REACH) if min(a.shape) > 2 * _REACH else slice(None)
    return float(local_ssim[inner, inner].mean())
