"""From 8-bit images to the numbers that a network was trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from emorank.errors import PlanError
from emorank.networks.devices import sent


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

    def words(self) -> str:
        """For people: "mean 0.485, 0.456, 0.406 and deviation 0.229, 0.224, 0.225"."""
        mean, deviation = (
            ", ".join(f"{number:.4g}" for number in numbers)
            for numbers in (self.mean, self.deviation)
        )
        return f"mean {mean} and deviation {deviation}"


IMAGENET = Normalisation()
"""Torchvision's, for networks that were trained on ImageNet."""

GREY = Normalisation((0.449, 0.449, 0.449), (0.226, 0.226, 0.226))
"""The means over the channels of ImageNet's, for networks that take one channel."""


Numbers = Sequence[float | int] | float | int | None  # for every channel, or each of the three


def normalisation(mean: Numbers = None, deviation: Numbers = None) -> Normalisation:
    """Mean and deviation as people write them: one number or one for each channel, red first.

    If any of the numbers is greater than 1, all are of pixels from 0 to 255; else from 0 to 1. What
    is not given is ImageNet's.

    Raises:
        PlanError: not one or three finite numbers, a mean outside the pixels, no deviation.
    """
    given = {"mean": _three("mean", mean), "deviation": _three("deviation", deviation)}
    if any(number > 1 for numbers in given.values() for number in numbers or ()):
        given = {
            name: None
            if numbers is None
            else (numbers[0] / 255, numbers[1] / 255, numbers[2] / 255)
            for name, numbers in given.items()
        }
    found = Normalisation(given["mean"] or IMAGENET.mean, given["deviation"] or IMAGENET.deviation)
    if not all(0 <= number <= 1 for number in found.mean) or min(found.deviation) <= 0:
        raise PlanError(
            "expected a mean within the pixels (0 to 1, or 0 to 255) and a deviation above 0, got "
            f"mean {mean} and deviation {deviation}"
        )
    return found


def _three(name: str, given: Numbers) -> tuple[float, float, float] | None:
    """A number for each channel."""
    if given is None:
        return None
    numbers = [float(given)] * 3 if isinstance(given, int | float) else [float(n) for n in given]
    numbers = numbers * 3 if len(numbers) == 1 else numbers
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise PlanError(
            f"{name}: expected one number, or three for red, green and blue, got {given}"
        )
    return numbers[0], numbers[1], numbers[2]


def to_grey(pixels: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """The brightness of an 8-bit RGB image (ITU-R BT.601, rounded as PIL's mode L) three times."""
    weighted = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    grey = ((weighted + 2**15) >> 16).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def to_batch(
    images: Sequence[UInt8[np.ndarray, "side side 3"]],
    normalisation: Normalisation = IMAGENET,
    *,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "batch 3 h w"]:
    """Normalised network input on a device from 8-bit RGB images, channels last in memory."""
    eight_bit = sent(torch.from_numpy(np.stack(images)), device)
    pixels = eight_bit.permute(0, 3, 1, 2).to(torch.float32) / 255
    return normalisation(pixels).contiguous(memory_format=torch.channels_last)
