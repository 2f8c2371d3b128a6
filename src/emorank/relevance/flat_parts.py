"""Flat parts of a picture: a mask, a border, one colour, where max pooling sees only ties."""

import torch
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
    tall, wide = (min(_TILE, side) for side in images.shape[2:])
    down, along = images.shape[2] // tall, images.shape[3] // wide
    # Side by side as they lie in memory, first over rows, which is fast, then over columns.
    tiles = images[:, :, : down * tall, : along * wide].permute(0, 2, 3, 1)
    rows = tiles.reshape(len(images), down, tall, -1)
    highest, lowest = (
        of_rows.reshape(len(images), down, along, wide, -1).amax(3)
        for of_rows in (rows.amax(2), (-rows).amax(2))
    )
    spread = images.amax((1, 2, 3)) - images.amin((1, 2, 3))
    flat = (highest + lowest <= _SAME * spread.view(-1, 1, 1, 1)).all(3)
    return flat.to(torch.float32).mean((1, 2))


def warning(share: float) -> str:
    """What to say of a picture of which this share is flat; empty where it is little."""
    return f"{share:.0%} of the picture is {WARNING}" if share >= LARGE else ""
