"""Division and means that are NaN, without a warning, where they are not defined."""

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


def ratio(part: Any, whole: Any, least: float = 0.0) -> Floats:
    """Divide element by element; NaN where the divisor is not farther from zero than `least`."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    result: Floats = np.divide(
        part, whole, out=np.full(part.shape, np.nan), where=np.abs(whole) > least
    )
    return result


def defined_mean(values: Any, weights: Any = 1.0, axis: int = -1) -> Floats:
    """The weighted mean of the values that are not NaN; NaN if none is left."""
    defined = np.isfinite(values)
    weighted = np.where(defined, values * weights, 0).sum(axis)
    return ratio(weighted, np.where(defined, weights, 0).sum(axis))
