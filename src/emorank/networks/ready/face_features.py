"""Both ready networks as one: 1,664 numbers of a face, for a head trained on one's own faces.

The input is one frame, so that relevance goes back to one picture: a crop 1.3 times as wide as
usual, 150 pixels. `identity` sees all of it, `expression` two squares in its middle, 0.97 and 1.11
of the usual crop.
"""

from typing import Any, cast

import torch
from torch import nn

from emorank.networks.ready import READY, load_ready
from emorank.networks.ready.identity import ScaledConvolution

SIDE = READY["identity"].size
WIDTH = 1.3  # of the frame, in usual crops
FEATURES = 256 + 256 + 9 * 128
_NEAR = READY["expression"].size  # pixels in the middle
_WIDER = 128
_LAST_128 = 13  # of the layers of `identity`: the end of its blocks with 128 channels
_BLOCKS = 3  # of `expression`, before its last one; each halves the side
_SIDES = (_NEAR // 2**_BLOCKS, _WIDER // 2**_BLOCKS)  # of the 128 maps that enter the last one


class FaceMaps(nn.Module):
    """(batch, 3, 150, 150), normalised as `expression` wants it, to (batch, 59008).

    What enters the last block of `expression` in two crops, and the features of `identity`: its
    last maps of 128 channels, averaged to 3×3.
    """

    def __init__(self) -> None:
        super().__init__()
        expression, identity = load_ready("expression"), load_ready("identity")
        self.expression = expression.features[:_BLOCKS]
        self.identity = nn.Sequential(*list(identity.features)[:_LAST_128])
        # `identity` divides by another number: its first weights take that in.
        first = cast(ScaledConvolution, self.identity[0]).conv
        with torch.no_grad():
            first.weight.div_(READY["identity"].normalisation.deviation[0])
        self.thirds = nn.AdaptiveAvgPool2d(3)

    def forward(self, frame: Any) -> Any:
        """The maps of each frame, in one row."""
        near, wider = ((SIDE - side) // 2 for side in (_NEAR, _WIDER))
        parts = (
            self.expression(frame[:, :, near:-near, near:-near]),
            self.expression(frame[:, :, wider:-wider, wider:-wider]),
            self.thirds(self.identity(frame)),
        )
        return torch.cat([torch.flatten(part, 1) for part in parts], 1)


class FaceFeatures(nn.Module):
    """From `FaceMaps` to (batch, 1664): 256 of `expression` in two crops, those of `identity`."""

    def __init__(self) -> None:
        super().__init__()
        self.block4 = load_ready("expression").features[_BLOCKS]
        self.mean = nn.AdaptiveAvgPool2d(1)

    def forward(self, maps: Any) -> Any:
        """The features of each frame."""
        near, wider = (128 * side * side for side in _SIDES)
        parts = (
            maps[:, :near].reshape(-1, 128, _SIDES[0], _SIDES[0]),
            maps[:, near : near + wider].reshape(-1, 128, _SIDES[1], _SIDES[1]),
        )
        means = [torch.flatten(self.mean(self.block4(part)), 1) for part in parts]
        return torch.cat([*means, maps[:, near + wider :]], 1)
