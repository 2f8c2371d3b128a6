"""dlib's network that tells persons apart by 128 numbers (King 2017), as face-api.js has it."""

from typing import Any

import torch.nn.functional as F
from torch import nn

from emorank.networks.vgg import Chain


class ScaledConvolution(nn.Module):
    """A convolution, then a scale and a shift of each channel (a batch norm that is fixed)."""

    def __init__(self, channels: int, width: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        padding = 0 if stride == 2 else kernel // 2
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding)
        self.scale = nn.Conv2d(width, width, 1, groups=width)

    def forward(self, maps: Any) -> Any:
        """Scaled maps."""
        return self.scale(self.conv(maps))


class Residual(nn.Module):
    """Two convolutions beside a shortcut that keeps the shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ScaledConvolution(width, width)
        self.conv2 = ScaledConvolution(width, width)

    def forward(self, maps: Any) -> Any:
        """As the input in shape, not negative."""
        return F.relu(self.conv2(F.relu(self.conv1(maps))) + maps)


class ResidualDown(nn.Module):
    """Two convolutions, the first of stride 2, beside means of 2×2 with channels of zeros added.

    Args:
        channels: of the input.
        width: of the output.
        short: rows and columns that the convolutions have fewer than the shortcut.
    """

    def __init__(self, channels: int, width: int, short: int = 0) -> None:
        super().__init__()
        self.conv1 = ScaledConvolution(channels, width, stride=2)
        self.conv2 = ScaledConvolution(width, width)
        self.pool = nn.AvgPool2d(2, 2)
        self.added, self.short = width - channels, short

    def forward(self, maps: Any) -> Any:
        """Half the height and width, `width` channels, not negative."""
        shortcut = self.pool(maps)
        if self.added:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        maps = self.conv2(F.relu(self.conv1(maps)))
        if self.short:
            maps = F.pad(maps, (0, self.short, 0, self.short))
        return F.relu(maps + shortcut)


def identity_network() -> Chain:
    """A residual network with 128 outputs; the input is (batch, 3, 150, 150)."""
    features = nn.Sequential(
        ScaledConvolution(3, 32, 7, 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        *(Residual(32) for _ in range(3)),
        ResidualDown(32, 64),
        *(Residual(64) for _ in range(3)),
        ResidualDown(64, 128),
        *(Residual(128) for _ in range(2)),
        ResidualDown(128, 256, short=1),
        *(Residual(256) for _ in range(2)),
        ResidualDown(256, 256, short=1),
    )
    return Chain(features, nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.Linear(256, 128, bias=False)))
