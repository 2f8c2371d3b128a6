"""VGG (Simonyan, Zisserman 2015) and AlexNet (Krizhevsky 2014): features, avgpool, classifier.

Plain modules with torchvision's state-dict keys and shapes, so that anybody's checkpoint fits.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

# Simonyan and Zisserman 2015, Table 1: output channels of each 3×3 convolution, M for max pooling.
CONFIGURATIONS: dict[int, tuple[int | str, ...]] = {
    11: (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    13: (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    16: (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"),
    19: (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"),
}


class Chain(nn.Module):
    """Convolutions, pooling to a fixed size, dense layers.

    It can be cut in two at a place among `features`: a trunk that stays as it is, whose output can
    be kept, and a tail that is trained. At their end, `end`, the trunk pools too.
    """

    def __init__(
        self, features: nn.Sequential, avgpool: nn.Module, classifier: nn.Sequential
    ) -> None:
        super().__init__()
        self.features, self.avgpool, self.classifier = features, avgpool, classifier

    # Not annotated as tensors: torch.fx reads the graph by passing proxies.
    def forward(self, images: Any) -> Any:
        """Logits (batch, classes) of normalised images (batch, 3, height, width)."""
        return self.classifier(torch.flatten(self.avgpool(self.features(images)), 1))

    @property
    def end(self) -> int:
        """The cut behind which only the classifier is left."""
        return len(self.features)

    def trunk(self, images: Float[Tensor, "batch 3 height width"], cut: int) -> Tensor:
        """The part before the cut: what enters `tail`."""
        maps: Tensor = self.features[:cut](images)
        return self.avgpool(maps) if cut == self.end else maps

    def pooled(self, maps: Float[Tensor, "batch ..."], cut: int) -> Tensor:
        """What enters the classifier, from the trunk's output."""
        return maps if cut == self.end else self.avgpool(self.features[cut:](maps))

    def tail(self, maps: Float[Tensor, "batch ..."], cut: int) -> Tensor:
        """The part behind the cut: logits from the trunk's output."""
        logits: Tensor = self.classifier(torch.flatten(self.pooled(maps, cut), 1))
        return logits


def vgg(depth: int, batch_norm: bool, classes: int, first: int = 4096, second: int = 4096) -> Chain:
    """A VGG of 11, 13, 16 or 19 layers with weights; `first` and `second` dense widths."""
    features = convolutions(CONFIGURATIONS[depth], batch_norm)
    return Chain(features, nn.AdaptiveAvgPool2d(7), dense(classes, first, second))


def convolutions(table: tuple[int | str, ...], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions of a row of `CONFIGURATIONS`, each with its ReLU."""
    layers: list[nn.Module] = []
    channels = 3
    for width in table:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(channels, width, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return nn.Sequential(*layers)


def dense(
    classes: int, first: int, second: int, dropout: float = 0.5, inputs: int = 512 * 7 * 7
) -> nn.Sequential:
    """VGG's classifier."""
    return nn.Sequential(
        nn.Linear(inputs, first),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(first, second),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(second, classes),
    )


def alexnet(classes: int, first: int = 4096, second: int = 4096) -> Chain:
    """AlexNet in the form of Krizhevsky 2014, without local response normalisation."""
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
    )
    classifier = nn.Sequential(
        nn.Dropout(),
        nn.Linear(256 * 6 * 6, first),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(first, second),
        nn.ReLU(inplace=True),
        nn.Linear(second, classes),
    )
    return Chain(features, nn.AdaptiveAvgPool2d(6), classifier)
