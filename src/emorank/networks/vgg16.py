"""The paper's VGG-16, cut in two: a trunk that stays as it is and a tail that is trained."""

from typing import TypeVar

import torch
from torch import nn

from emorank.networks.vgg import CONFIGURATIONS, Chain, convolutions, dense

Net = TypeVar("Net", bound=nn.Module)

# Where `features` is cut in two: what lies before the cut is frozen, and its output can be kept.
CUT_HEAD = 31  # all thirteen convolutions frozen, as in the paper
CUT_BLOCK5 = 24  # the last three convolutions are trained too


class VGG16(Chain):
    """The thirteen convolutions, average pooling to 7×7, and the paper's new classifier.

    Args:
        classes: number of outputs.
        hidden: width of the two hidden dense layers (the paper: 4096).
        dropout: probability after each of them (the paper: 0.5).
    """

    def __init__(self, classes: int, hidden: int = 4096, dropout: float = 0.5) -> None:
        super().__init__(
            convolutions(CONFIGURATIONS[16]),
            nn.AdaptiveAvgPool2d(7),
            dense(classes, hidden, hidden, dropout),
        )
        self.classes, self.hidden = classes, hidden


def skeleton() -> Chain:
    """The layers of `VGG16` under their names, one channel wide: what is known without weights."""
    narrow = tuple(width if width == "M" else 1 for width in CONFIGURATIONS[16])
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and nobody else's changed
        return Chain(convolutions(narrow), nn.AdaptiveAvgPool2d(7), dense(2, 1, 1))


def channels_last(net: Net) -> Net:
    """Lay the kernels out channels last, nearly twice as fast on the CPU; in place."""
    # torch's own annotations do not know this keyword of Module.to.
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net
