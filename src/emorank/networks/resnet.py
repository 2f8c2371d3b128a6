"""ResNet (He, Zhang, Ren and Sun 2016) with torchvision's state-dict keys and shapes.

The stride of a bottleneck is in its 3×3 convolution, as in torchvision's published weights
("ResNet v1.5"), not in the first 1×1 of the article ("v1"); `stride_first` moves it there. Every
layer is a module of its own, every sum a plain `+`, so that torch.fx can read the graph; it passes
proxies, and so `forward` is not annotated with tensors.
"""

from typing import Any

import torch
from torch import nn

STAGES = (64, 128, 256, 512)  # width of each stage's 3×3 convolutions

# He et al. 2016, Table 1: blocks in each stage, and whether they are bottlenecks.
CONFIGURATIONS: dict[int, tuple[tuple[int, int, int, int], bool]] = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
}


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels, width, stride)
        self.relu2 = nn.ReLU(inplace=True)

    def forward(self, maps: Any) -> Any:
        """The block's output (batch, channels, height, width)."""
        short = maps if self.downsample is None else self.downsample(maps)
        maps = self.relu(self.bn1(self.conv1(maps)))
        return self.relu2(self.bn2(self.conv2(maps)) + short)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions beside a shortcut; the last one is four times as wide."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        wide = width * self.expansion
        self.conv1 = _convolution(channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv3 = _convolution(width, wide, 1)
        self.bn3 = nn.BatchNorm2d(wide)
        self.downsample = _shortcut(channels, wide, stride)
        self.relu3 = nn.ReLU(inplace=True)

    def forward(self, maps: Any) -> Any:
        """The block's output (batch, channels, height, width)."""
        short = maps if self.downsample is None else self.downsample(maps)
        maps = self.relu(self.bn1(self.conv1(maps)))
        maps = self.relu2(self.bn2(self.conv2(maps)))
        return self.relu3(self.bn3(self.conv3(maps)) + short)


class ResNet(nn.Module):
    """A 7×7 convolution, four stages of blocks, the mean of each channel, one dense layer."""

    def __init__(
        self, blocks: tuple[int, int, int, int], kind: type[BasicBlock | Bottleneck], classes: int
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, stages = 64, []
        for stage, (count, width) in enumerate(zip(blocks, STAGES, strict=True)):
            strides = [1 if stage == 0 else 2] + [1] * (count - 1)
            members = []
            for stride in strides:
                members.append(kind(channels, width, stride))
                channels = width * kind.expansion
            stages.append(nn.Sequential(*members))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, images: Any) -> Any:
        """Logits (batch, classes) of normalised images (batch, 3, height, width)."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return self.fc(torch.flatten(self.avgpool(maps), 1))


def resnet(depth: int, classes: int) -> ResNet:
    """A ResNet of 18, 34 or 50 layers with weights."""
    blocks, bottlenecks = CONFIGURATIONS[depth]
    return ResNet(blocks, Bottleneck if bottlenecks else BasicBlock, classes)


def has_bottlenecks(net: nn.Module) -> bool:
    """Whether there is a choice of the convolution that has a block's stride."""
    return any(isinstance(block, Bottleneck) for block in net.modules())


def stride_first(net: nn.Module) -> None:
    """Move the stride of each bottleneck into its first convolution, as in the article; in place.

    Names and shapes of the weights stay the same.
    """
    for block in net.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride


def _convolution(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)


def _shortcut(channels: int, width: int, stride: int) -> nn.Sequential | None:
    """A 1×1 convolution where the block changes the shape; None where the input goes through."""
    if stride == 1 and channels == width:
        return None
    return nn.Sequential(_convolution(channels, width, 1, stride), nn.BatchNorm2d(width))
