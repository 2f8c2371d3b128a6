"""From 8-bit images to the numbers that a network was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Normalisation:
    """What a network wants of its input: the mean and the deviation of each channel, red first.

    Attributes:
        mean: subtracted from pixels in [0, 1].
        deviation: what the rest is divided by.
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __call__(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Bring pixels in [0, 1] to the mean and the deviation, per channel."""
        mean = pixels.new_tensor(self.mean).view(3, 1, 1)
        deviation = pixels.new_tensor(self.deviation).view(3, 1, 1)
        return (pixels - mean) / deviation

    def bounds(self) -> tuple[Float[Tensor, "3"], Float[Tensor, "3"]]:
        """What black and white become, per channel (for the z-box rule)."""
        low, high = self(torch.zeros(1, 3, 1, 1)), self(torch.ones(1, 3, 1, 1))
        return low.flatten(), high.flatten()


IMAGENET = Normalisation()
"""Torchvision's, for networks that were trained on ImageNet."""


def to_batch(
    images: Sequence[UInt8[np.ndarray, "side side 3"]], normalisation: Normalisation = IMAGENET
) -> Float[Tensor, "batch 3 h w"]:
    """Normalised network input from 8-bit RGB images, channels last in memory."""
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).to(torch.float32) / 255
    return normalisation(pixels).contiguous(memory_format=torch.channels_last)
