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


class FaceFeatures(nn.Module):
    """(batch, 3, 150, 150) to (batch, 1664), normalised as `expression` wants it.

    The features are the 256 of `expression` in two crops, and the last maps of 128 channels of
    `identity`, averaged to 3×3.
    """

    def __init__(self) -> None:
        super().__init__()
        expression, identity = load_ready("expression"), load_ready("identity")
        self.expression = expression.features
        self.identity = nn.Sequential(*list(identity.features)[:_LAST_128])
        # `identity` divides by another number: its first weights take that in.
        first = cast(ScaledConvolution, self.identity[0]).conv
        with torch.no_grad():
            first.weight.div_(READY["identity"].normalisation.deviation[0])
        self.mean, self.thirds = nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d(3)

    def forward(self, frame: Any) -> Any:
        """The features of each frame."""
        near, wider = ((SIDE - side) // 2 for side in (_NEAR, _WIDER))
        parts = (
            self.mean(self.expression(frame[:, :, near:-near, near:-near])),
            self.mean(self.expression(frame[:, :, wider:-wider, wider:-wider])),
            self.thirds(self.identity(frame)),
        )
        return torch.cat([torch.flatten(part, 1) for part in parts], 1)
