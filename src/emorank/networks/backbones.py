"""Backbones: trained layers on which a study trains its own classifier, and their last block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from emorank.networks.normalisation import IMAGENET, Normalisation
from emorank.networks.ready import READY, load_ready
from emorank.networks.ready.face_features import FEATURES, SIDE, WIDTH, FaceFeatures, FaceMaps
from emorank.networks.vgg import Chain, dense
from emorank.networks.vgg16 import CUT_BLOCK5, CUT_HEAD, channels_last

PAPERS = "vgg16"


@dataclass(frozen=True)
class Backbone:
    """One of `BACKBONES`.

    Attributes:
        layers: builds `features` and pooling with their weights; None for VGG-16, whose weights are
            a file of the plan.
        features: that enter the classifier.
        cuts: where the network is cut into its frozen and its trained part, by the names of a
            plan's `train.unfreeze`.
        size: side of the input in pixels; None where the plan says it.
        width: of the frame, in usual crops.
        normalisation: of the input.
    """

    layers: Callable[[], tuple[nn.Sequential, nn.Module]] | None
    features: int
    cuts: Mapping[str, int]
    size: int | None = None
    width: float = 1.0
    normalisation: Normalisation = IMAGENET


def _expression() -> tuple[nn.Sequential, nn.Module]:
    net = load_ready("expression")
    return net.features, net.avgpool


def _both() -> tuple[nn.Sequential, nn.Module]:
    return nn.Sequential(FaceMaps(), FaceFeatures()), nn.Unflatten(1, (FEATURES, 1, 1))


BACKBONES: dict[str, Backbone] = {
    PAPERS: Backbone(None, 512 * 7 * 7, {"none": CUT_HEAD, "block5": CUT_BLOCK5}),
    "expression": Backbone(
        _expression,
        256,
        {"none": 4, "block4": 3},
        READY["expression"].size,
        normalisation=READY["expression"].normalisation,
    ),
    "expression+identity": Backbone(
        _both, FEATURES, {"none": 2, "block4": 1}, SIDE, WIDTH, READY["expression"].normalisation
    ),
}
"""By the names of a plan's `train.backbone`."""


def on_backbone(name: str, outputs: int, hidden: int = 0, dropout: float = 0.5) -> Chain:
    """A ready backbone with a classifier of random weights, in evaluation mode.

    The classifier is one dense layer, or with `hidden` the paper's two of that width before it.
    """
    about = BACKBONES[name]
    assert about.layers is not None  # noqa: S101 - for the type checker
    classifier = nn.Sequential(nn.Linear(about.features, outputs))
    if hidden:
        classifier = dense(outputs, hidden, hidden, dropout, about.features)
    net = Chain(*about.layers(), classifier)
    return channels_last(net.eval().requires_grad_(False))
