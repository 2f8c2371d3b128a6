"""Flat parts of a picture: a mask, a border, one colour, where max pooling sees only ties."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

LARGE = 0.1  # the share of a picture from which on its flat parts are worth a word
WARNING = (
    "of one colour (a mask, a border), where max pooling finds only ties and under the epsilon "
    "rule the map can depend on rounding; explain by epsilon-plus, or in float64"
)
_TILE = 4  # pixels; the windows of the first layers are about as large
_SAME = 1e-3  # of the range of an image, a quarter of a step of 8 bits


def flat_share(images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch"]:
    """The share of each image that lies in tiles of 4×4 pixels of one colour, from 0 to 1."""
    if not images.numel():
        return images.new_zeros(len(images))
    images = images.contiguous()  # few channels: one at a time is faster than side by side
    tile = [min(_TILE, side) for side in images.shape[2:]]
    highest, lowest = F.max_pool2d(images, tile), -F.max_pool2d(-images, tile)
    spread = images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True)
    flat = (highest - lowest <= _SAME * spread).all(1)
    return flat.to(torch.float32).mean((1, 2))


def warning(share: float) -> str:
    """What to say of a picture of which this share is flat; empty where it is little."""
    return f"{share:.0%} of the picture is {WARNING}" if share >= LARGE else ""
