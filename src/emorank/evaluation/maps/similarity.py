"""How alike two relevance maps are: by the order of their pixels, and by their structure."""

import numpy as np
from jaxtyping import Float

from emorank.evaluation.maps.region_perturbation import Maps

Similarities = Float[np.ndarray, " batch"]
# Wang et al. 2004: Gaussian windows of 11 pixels, and the two constants.
_SIGMA, _REACH, _K1, _K2 = 1.5, 5, 0.01, 0.03
_PERCENTILE = 99.5  # of |R| that full scale is: a few pixels hold most of a map


def spearman(first: Maps, second: Maps) -> Similarities:
    """Spearman's correlation over the pixels of each pair; NaN where a map is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    size = np.sqrt((centred[0] ** 2).sum(1) * (centred[1] ** 2).sum(1))
    products = (centred[0] * centred[1]).sum(1)
    return np.array(np.divide(products, size, out=np.full(len(size), np.nan), where=size > 0))


def ssim(first: Maps, second: Maps) -> Similarities:
    """Structural similarity (Wang et al. 2004) of each pair, both scaled to −1 … 1.

    Full scale is the 99.5th percentile of a map's |R|; what is beyond it counts as much. NaN where
    a map is zero everywhere.
    """
    scaled = [_scaled(maps) for maps in (first, second)]
    found = [_ssim(a, b) for a, b in zip(*scaled, strict=True)]
    return np.array(found, np.float64)


def _scaled(maps: Maps) -> Maps:
    size = np.abs(maps).reshape(len(maps), -1)
    full = np.percentile(size, _PERCENTILE, axis=1)
    full = np.where(full > 0, full, size.max(axis=1))[:, None, None]
    scaled = np.divide(maps, full, out=np.full(maps.shape, np.nan), where=full > 0)
    return np.array(np.clip(scaled, -1, 1))


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
    found = above / ((mean_a**2 + mean_b**2 + one) * (var_a + var_b + two))
    inner = slice(_REACH, -_REACH) if min(a.shape) > 2 * _REACH else slice(None)
    return float(found[inner, inner].mean())
