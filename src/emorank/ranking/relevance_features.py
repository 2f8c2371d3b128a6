"""What is taken from a map of relevance to say how strongly an emotion is expressed."""

import numpy as np
from jaxtyping import Float

from emorank.errors import RelevanceError
from emorank.ranking.regions import REGIONS, coverage

FEATURES: dict[str, str] = {
    "net": "relevance in all: how far the logit explained is from zero",
    "mass": "relevance of the places that speak for it, those against it left out",
    "balance": "net over absolute relevance, −1 to 1: do the parts agree?",
    **{name: f"share of the mass in the region of the {name}" for name in REGIONS},
}
"""Each feature and what it is."""


def relevance_features(
    relevance: Float[np.ndarray, "batch channels height width"],
) -> Float[np.ndarray, "batch features"]:
    """The features of maps of relevance, in the order of `FEATURES`.

    A place's relevance is the sum over its channels. `net` and `mass` are in units of the logit and
    grow with the map; the others are shares, which do not; where there is nothing to share out they
    are 0.

    Args:
        relevance: signed, as computed, over the crop that `REGIONS` is drawn on; of pixels and
            colours, or of the units of a layer.

    Raises:
        RelevanceError: relevance is not finite.
    """
    maps = np.asarray(relevance, np.float64)
    if not np.isfinite(maps).all():
        raise RelevanceError("expected finite relevance, got NaN or infinity; explain in float64")
    places = maps.sum(1)
    favourable = np.clip(places, 0, None)
    net, mass = places.sum((1, 2)), favourable.sum((1, 2))
    inside = np.einsum("bhw,rhw->br", favourable, coverage(*places.shape[1:]))
    return np.column_stack(
        [net, mass, _share(net, np.abs(maps).sum((1, 2, 3))), _share(inside, mass[:, None])]
    )


def _share(part: Float[np.ndarray, "..."], whole: Float[np.ndarray, "..."]) -> np.ndarray:
    shared: np.ndarray = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return shared
