"""A network, and explanations of it, as plain functions of 8-bit images."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import nn

from emorank.networks.normalisation import IMAGENET, Normalisation, to_batch
from emorank.relevance.methods import explainer

BATCH = 8  # images in one pass forward

Images = UInt8[np.ndarray, "batch side side 3"]


def logits_of(
    net: nn.Module,
    device: str,
    *,
    half: bool = False,
    normalisation: Normalisation = IMAGENET,
) -> Callable[[Images], Float[np.ndarray, "batch classes"]]:
    """A network on a device as a function: logits (float32); `half` computes in bfloat16."""
    kind = torch.device(device).type

    def logits(images: Images) -> Float[np.ndarray, "batch classes"]:
        batches = [list(images[k : k + BATCH]) for k in range(0, len(images), BATCH)]
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=half):
            inputs = (to_batch(batch, normalisation, device=device) for batch in batches)
            outputs = [net(batch).float().cpu() for batch in inputs]
        return torch.cat(outputs).numpy()

    return logits


def maps_of(
    net: nn.Module, method: str, device: str, normalisation: Normalisation = IMAGENET
) -> Callable[[Images, Int[np.ndarray, " batch"]], Float[np.ndarray, "batch side side"]]:
    """One of `relevance.methods.METHODS` as a function: maps (float64) of images and classes.

    Raises:
        MissingExtraError: the method needs captum, and it is not installed.
        RelevanceError: no such method, or it does not fit the network.
    """
    low, high = normalisation.bounds()
    explain = explainer(net, method, low=low, high=high)

    def maps(images: Images, target: Int[np.ndarray, " batch"]) -> Float[np.ndarray, "b s s"]:
        parts = []
        for k in range(0, len(images), BATCH):
            batch = to_batch(list(images[k : k + BATCH]), normalisation, device=device)
            record = explain(batch, target[k : k + BATCH].tolist())
            parts.append(record.pixels.sum(1).double().cpu().numpy())
        return np.concatenate(parts)

    return maps
