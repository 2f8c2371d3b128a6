"""Features of a map of relevance that say how strongly an emotion is expressed."""

import numpy as np
from jaxtyping import Float

from emorank.errors import RelevanceError
from emorank.ranking.regions import REGIONS, coverage

FEATURES: dict[str, str] = {
    "net": "sum of the relevance: how far the explained logit is from zero",
    "mass": "sum over the places with positive relevance, those that speak for the emotion",
    "balance": "net over the sum of absolute relevance, −1 to 1: how far the places agree",
    **{name: f"share of the mass in the region of the {name}" for name in REGIONS},
}
"""The name of each feature and what it is."""


def relevance_features(
    relevance: Float[np.ndarray, "batch channels height width"],
) -> Float[np.ndarray, "batch features"]:
    """The features of maps of relevance, in the order of `FEATURES`.

    The relevance of a place is the sum over its channels. `net` and `mass` are in units of the
    logit; the others are shares, which are 0 if the whole is 0.

    Args:
        relevance: signed, as computed, of a face cropped as `faces.TEMPLATE` says; of pixels and
            colours, or of the units of a layer.

    Raises:
        RelevanceError: relevance is not finite.
    """
    maps = np.asarray(relevance, np.float64)
    if not np.isfinite(maps).all():
        raise RelevanceError("expected finite relevance, got NaN or infinity; explain in float64")
    places = maps.sum(1)
    positive = np.clip(places, 0, None)
    net, mass = places.sum((1, 2)), positive.sum((1, 2))
    inside = np.einsum("bhw,rhw->br", positive, coverage(*places.shape[1:]))
    return np.column_stack(
        [net, mass, _share(net, np.abs(maps).sum((1, 2, 3))), _share(inside, mass[:, None])]
    )


def _share(part: Float[np.ndarray, "..."], whole: Float[np.ndarray, "..."]) -> np.ndarray:
    share: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
