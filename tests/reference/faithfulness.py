"""Slow, obvious oracles of the faithfulness measures, and Quantus 0.6 ((L)GPL: for tests only)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from reference.peers import _torchvision

with _torchvision():  # Quantus imports zennit where there is one
    import quantus


def perturbed_scores(
    score: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    relevance: np.ndarray,
    target: int,
    colour: Sequence[float],
    grid: int,
    *,
    least: bool = False,
) -> list[float]:
    """The target's logit as one region after the other gets a colour, the first one whole."""
    side = len(image) // grid  # of a region; the side is a multiple
    places = [(row, column) for row in range(grid) for column in range(grid)]

    def worth(place: tuple[int, int]) -> float:
        row, column = place
        return float(
            relevance[row * side : (row + 1) * side, column * side : (column + 1) * side].sum()
        )

    left = image.astype(float).copy()
    found = [float(score(image[None])[0, target])]
    for row, column in sorted(places, key=worth, reverse=not least):
        left[row * side : (row + 1) * side, column * side : (column + 1) * side] = colour
        found.append(float(score(left.round().astype(np.uint8)[None])[0, target]))
    return found


def quantus_falls(
    weights: np.ndarray,
    image: np.ndarray,
    relevance: np.ndarray,
    target: int,
    grid: int,
    order: str,
) -> np.ndarray:
    """What a linear net loses as regions turn black, by Quantus' region perturbation.

    Args:
        weights: (classes, 3, side, side), of the net.
        image: 8-bit RGB.
        relevance: (side, side).
        target: the explained class.
        grid: regions along each side.
        order: "morf" or "lerf".
    """
    dense = nn.Linear(weights[0].size, len(weights), bias=False)
    dense.weight.data = torch.tensor(weights.reshape(len(weights), -1), dtype=torch.float32)
    net = nn.Sequential(nn.Flatten(), dense).eval()
    metric = quantus.RegionPerturbation(
        patch_size=len(image) // grid,
        order=order,
        regions_evaluation=grid**2,
        perturb_baseline=0.0,
        normalise=False,
        disable_warnings=True,
    )
    # Quantus adds the channels up: a map with one of them only is the map.
    maps = np.zeros((1, 3, *relevance.shape), np.float32)
    maps[0, 0] = relevance
    batch = image.transpose(2, 0, 1)[None].astype(np.float32)
    found = metric(net, batch, np.array([target]), a_batch=maps, softmax=False, device="cpu")
    return np.asarray(found[0], np.float64)


def quantus_sparseness(
    net: nn.Module, images: np.ndarray, classes: np.ndarray, explain: Callable[..., np.ndarray]
) -> list[float]:
    """Quantus' sparseness of what a function of its kind explains."""
    metric = quantus.Sparseness(disable_warnings=True, abs=True)
    return list(metric(net, images, classes, explain_func=explain, device="cpu"))


def quantus_located(relevance: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Relevance mass and rank accuracy of a map that is nowhere negative, by Quantus."""
    options = {"normalise": False, "abs": False, "disable_warnings": True}
    given = {
        "model": None,
        "x_batch": np.zeros((1, 1, *relevance.shape)),
        "y_batch": np.array([0]),
        "a_batch": relevance[None, None],
        "s_batch": mask[None, None],
        "channel_first": True,
    }
    mass = quantus.RelevanceMassAccuracy(**options)(**given)
    rank = quantus.RelevanceRankAccuracy(**options)(**given)
    return float(mass[0]), float(rank[0])
