"""The network of face-api.js that names seven expressions (Mühler 2018): 81,000 weights.

TensorFlow's "same" padding puts the odd row of zeros at the end; here that is a layer of its own.
The modules are plain, so that torch.fx can read the graph.
"""

from typing import Any

import torch.nn.functional as F
from torch import nn

from emorank.networks.vgg import Chain


class SeparableConvolution(nn.Module):
    """A 3×3 convolution within each channel, then a 1×1 convolution across them."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        # With stride 2 and an even side, "same" padding is one row and one column at the end.
        self.pad = nn.ZeroPad2d((0, 1, 0, 1) if stride == 2 else 1)
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, width, 1)

    def forward(self, maps: Any) -> Any:
        """(batch, width, height / stride, width / stride)."""
        return self.pointwise(self.depthwise(self.pad(maps)))


class SummedBlock(nn.Module):
    """Four convolutions; each takes the sum of all outputs before it, rectified.

    Args:
        channels: of the input.
        width: channels of the output.
        first: the first convolution is an ordinary one, as in the first block.
    """

    def __init__(self, channels: int, width: int, first: bool = False) -> None:
        super().__init__()
        ordinary = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, width, 3, 2))
        self.conv0 = ordinary if first else SeparableConvolution(channels, width, 2)
        self.conv1 = SeparableConvolution(width, width)
        self.conv2 = SeparableConvolution(width, width)
        self.conv3 = SeparableConvolution(width, width)

    def forward(self, maps: Any) -> Any:
        """Half the height and width, `width` channels, not negative."""
        first = F.relu(self.conv0(maps))
        second = first + self.conv1(first)
        third = second + self.conv2(F.relu(second))
        return F.relu(third + self.conv3(F.relu(third)))


def expression_network(classes: int = 7) -> Chain:
    """Four blocks, the mean over 7×7, one dense layer; its 256 inputs are the features.

    The input is (batch, 3, 112, 112), the output logits (batch, classes).
    """
    blocks = nn.Sequential(
        SummedBlock(3, 32, first=True),
        SummedBlock(32, 64),
        SummedBlock(64, 128),
        SummedBlock(128, 256),
    )
    return Chain(blocks, nn.AvgPool2d(7, 2), nn.Sequential(nn.Linear(256, classes)))
