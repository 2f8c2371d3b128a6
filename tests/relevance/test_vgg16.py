"""The walk through emorank's own VGG-16, with random weights and a narrow head."""

import pytest
import torch
from torch import nn

from emorank.networks.normalisation import IMAGENET
from emorank.networks.vgg16 import VGG16
from emorank.relevance import PRESETS, relevance


def small_vgg16() -> VGG16:
    torch.manual_seed(0)
    net = VGG16(7, hidden=16).eval()
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):  # so that something reaches the logits
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


@pytest.mark.parametrize("preset", PRESETS)
def test_vgg16_is_explained_by_every_preset(preset):
    """Its own logits, all layers by name, and nothing lost in the bias-free convolutions."""
    net = small_vgg16().double()
    images = IMAGENET(torch.rand(1, 3, 32, 32, dtype=torch.float64))
    low, high = IMAGENET.bounds()
    result = relevance(net, images, preset=preset, low=low, high=high)
    torch.testing.assert_close(result.logits, net(images).detach(), rtol=1e-10, atol=1e-10)
    assert result.layers[:4] == ("classifier.6", "classifier.3", "classifier.0", "avgpool")
    assert result.layers[-1] == "features.0"
    assert len(result.layers) == 3 + 1 + 5 + 13
    # The convolutions have no biases: what they took is the stabiliser's, a little of it but in the
    # lecture, and alpha-beta's where all contributions to a unit are of one sign.
    assert (result.bias[4:] == 0).all()
    scale = float(result.sums.abs().max())
    near = 5e-2 if "alpha2" in preset else 1e-6
    torch.testing.assert_close(
        result.lost, torch.zeros_like(result.lost), rtol=0, atol=near * scale
    )
    taken = result.stabiliser[4:].sum() / result.sums[4]
    assert abs(taken) < (1e-2 if preset != "lecture" else 1)
    assert (abs(taken) > 1e-2) == (preset == "lecture")
