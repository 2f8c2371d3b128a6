"""How a network's score changes while regions of an image are removed in the order of a map.

If a map shows what the network uses, the score falls soon if the most relevant regions are removed
first, and late if they are removed last (Samek et al. 2017). The network is a function from images
to logits, so that any network can be measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from emorank.errors import RelevanceError

Images = UInt8[np.ndarray, "batch side side 3"]
Maps = Float[np.ndarray, "batch side side"]
Score = Callable[[Images], Float[np.ndarray, "batch classes"]]
Fill = Callable[[Images, np.ndarray, np.random.Generator], np.ndarray]

GRID = 14  # regions along each side
_LEAST_WEIGHT = 0.02  # of remaining pixels, for a filter to be used
FRACTIONS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # of the regions removed


def mean_colour(images: Images, gone: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean colour of each image."""
    return np.broadcast_to(images.mean(axis=(1, 2), keepdims=True), images.shape)


def blurred(images: Images, gone: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image filtered by a Gaussian of a sixteenth of its side."""
    return _gaussian(images.astype(np.float32), images.shape[1] / 16)


def noise(images: Images, gone: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values drawn uniformly from 0 to 255 (Samek et al. 2017)."""
    return rng.integers(0, 256, images.shape).astype(np.float32)


def surroundings(images: Images, gone: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean of the remaining pixels around each removed one; near pixels count more.

    As with inpainting, neither an edge nor a colour marks the removed regions. If no pixel remains,
    it is the mean colour.
    """
    left = (~gone).astype(np.float32)[..., None]
    filled = np.array(mean_colour(images, gone, rng), np.float32)
    for share in (1, 1 / 4, 1 / 16):  # a finer filter replaces a coarser one near remaining pixels
        sigma = images.shape[1] / 4 * share
        weight = _gaussian(left, sigma)
        nearby = _gaussian(images * left, sigma)
        np.divide(nearby, weight, out=filled, where=weight > _LEAST_WEIGHT)
    return filled


# What replaces a region.
FILLS: dict[str, Fill] = {
    "mean": mean_colour,
    "blur": blurred,
    "noise": noise,
    "surroundings": surroundings,
}


@dataclass(frozen=True)
class Curves:
    """Scores while regions are removed, by order: "most" or "least" relevant first.

    Attributes:
        fractions: of the regions removed, from 0 to 1.
        logit: of the explained class, by order, (batch, fractions).
        probability: of the explained class, by order, (batch, fractions).
    """

    fractions: tuple[float, ...]
    logit: dict[str, Float[np.ndarray, "batch fractions"]]
    probability: dict[str, Float[np.ndarray, "batch fractions"]]

    def aopc(self, order: str = "most") -> Float[np.ndarray, " batch"]:
        """The mean fall of the logit (area over the perturbation curve)."""
        logit = self.logit[order]
        return self._area(logit[:, :1] - logit)

    def between(self) -> Float[np.ndarray, " batch"]:
        """The mean of the logit, least relevant first, minus the logit, most relevant first.

        A map without information has 0. (Area between the perturbation curves, Samek et al. 2017;
        symmetric relevance gain, Blücher et al. 2024.)
        """
        return self._area(self.logit["least"] - self.logit["most"])

    def deletion(self) -> Float[np.ndarray, " batch"]:
        """Area under the probability, most relevant first; the less the better (Petsiuk 2018)."""
        return self._area(self.probability["most"])

    def insertion(self) -> Float[np.ndarray, " batch"]:
        """Area under the probability, most relevant put back first; the more the better.

        It is the curve of removing the least relevant first, read from its end.
        """
        return self._area(self.probability["least"])

    def _area(self, values: Float[np.ndarray, "batch fractions"]) -> Float[np.ndarray, " batch"]:
        area: np.ndarray = np.trapezoid(values, self.fractions, axis=1)
        return area


@dataclass(frozen=True)
class Ends:
    """Logits of the whole images and of wholly filled ones; they are the same for all maps."""

    whole: Float[np.ndarray, "batch classes"]
    empty: Float[np.ndarray, "batch classes"]


def ends(score: Score, images: Images, fill: str, rng: np.random.Generator) -> Ends:
    """Where every curve of these images begins and ends.

    Raises:
        RelevanceError: there is no such fill.
    """
    gone = np.ones(images.shape[:3], bool)
    return Ends(score(images), score(_filled(images, gone, fill, rng)))


def curves(
    score: Score,
    images: Images,
    maps: Maps,
    target: Int[np.ndarray, " batch"],
    fill: str,
    at: Ends,
    rng: np.random.Generator,
    *,
    grid: int = GRID,
    fractions: Sequence[float] = FRACTIONS,
) -> Curves:
    """Remove the regions of each image, most and least relevant first.

    The relevance of a region is the sum of its pixels. `at` comes from `ends`, with the same fill;
    `rng` breaks ties, and draws noise; `grid` is the number of regions along each side, `fractions`
    of them are removed.

    Raises:
        RelevanceError: there is no such fill, or the fractions do not rise from 0 to 1.
    """
    from scipy.special import softmax

    if fractions[0] != 0 or fractions[-1] != 1 or np.diff(fractions).min() <= 0:
        raise RelevanceError(f"expected fractions that rise from 0 to 1, got {tuple(fractions)}")
    cells = grid_cells(images.shape[1], grid)
    first = order(regions(maps, cells), rng)
    count = first.shape[1]
    logits = {}
    for name, ranked in (("most", first), ("least", first[:, ::-1])):
        place = np.argsort(ranked, axis=1)[:, cells]  # order in which each pixel is removed
        between = [
            score(_filled(images, place < round(fraction * count), fill, rng))
            for fraction in fractions[1:-1]
        ]
        logits[name] = np.stack([at.whole, *between, at.empty], axis=1).astype(np.float64)
    rows = np.arange(len(images))
    return Curves(
        tuple(fractions),
        {name: values[rows, :, target] for name, values in logits.items()},
        {name: softmax(values, axis=-1)[rows, :, target] for name, values in logits.items()},
    )


def grid_cells(side: int, grid: int) -> Int[np.ndarray, "side side"]:
    """The number of the region of each pixel, as even as the side allows.

    Raises:
        RelevanceError: more regions than pixels, or none.
    """
    if not 1 <= grid <= side:
        raise RelevanceError(f"expected 1 to {side} regions along a side of {side} px, got {grid}")
    line = np.arange(side) * grid // side
    return line[:, None] * grid + line


def regions(maps: Maps, cells: Int[np.ndarray, "side side"]) -> Float[np.ndarray, "batch region"]:
    """The sum of each map over each region."""
    flat = cells.ravel()
    return np.stack([np.bincount(flat, one.ravel().astype(np.float64)) for one in maps])


def order(
    values: Float[np.ndarray, "batch region"], rng: np.random.Generator
) -> Int[np.ndarray, "batch region"]:
    """Regions from the greatest value to the least; equal values in random order."""
    shuffled = rng.permuted(np.broadcast_to(np.arange(values.shape[1]), values.shape), axis=1)
    ranks = np.argsort(-np.take_along_axis(values, shuffled, 1), axis=1, kind="stable")
    return np.take_along_axis(shuffled, ranks, 1)


def _filled(images: Images, gone: np.ndarray, fill: str, rng: np.random.Generator) -> Images:
    if fill not in FILLS:
        raise RelevanceError(f"'{fill}' is no fill; expected one of {', '.join(FILLS)}")
    values = FILLS[fill](images, gone, rng)
    mixed = np.where(gone[..., None], values, images)
    result: Images = mixed.round().clip(0, 255).astype(np.uint8)
    return result


def _gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Filter each image and channel."""
    from scipy.ndimage import gaussian_filter

    result: np.ndarray = gaussian_filter(values, (0, sigma, sigma, 0), truncate=3)
    return result
