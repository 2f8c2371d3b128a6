"""Every architecture known by name, explained: random weights, narrow heads, small images."""

import pytest
import torch
from torch import nn

from emorank.networks.architectures import ARCHITECTURES
from emorank.relevance import prepare
from reference.architectures import narrow

LOW, HIGH = torch.full((3,), -2.0), torch.full((3,), 2.0)


def images(side: int) -> torch.Tensor:
    unit = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    return LOW.view(3, 1, 1) + unit * 4


def alive(name: str) -> nn.Module:
    """With batch norms that do something."""
    net = narrow(name)
    generator = torch.Generator().manual_seed(2)
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for values, low in ((norm.running_mean, -0.2), (norm.running_var, 0.8)):
                values.uniform_(low, low + 0.4, generator=generator)
            norm.weight.data.uniform_(0.8, 1.2, generator=generator)
            norm.bias.data.uniform_(-0.1, 0.2, generator=generator)
    return net


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_explained_by_presets_of_every_rule(name):
    """Its own logits; all relevance accounted for; each part of the net among the layers."""
    net, batch = alive(name), images(64 if name == "alexnet" else 32)
    with torch.no_grad():
        logits = net(batch)
    for preset in ("epsilon-gamma-box", "epsilon-alpha2-beta1-flat", "lecture"):
        result = prepare(net, preset, low=LOW, high=HIGH)(batch, 1)
        torch.testing.assert_close(result.logits, logits, rtol=1e-4, atol=1e-4)
        assert result.pixels.shape == batch.shape
        assert (result.pixels != 0).any()
        scale = float(result.sums.abs().max())
        torch.testing.assert_close(result.sums[0], result.logits[:, 1])
        torch.testing.assert_close(
            result.sums[-1], result.pixels.sum((1, 2, 3)), rtol=0, atol=1e-4 * scale
        )
        if preset != "epsilon-alpha2-beta1-flat":  # which loses where all is of one sign
            torch.testing.assert_close(
                result.lost, torch.zeros_like(result.lost), rtol=0, atol=1e-3 * scale
            )
        weighted = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        sums = sum(name.startswith("add") for name in result.layers)
        assert sums == {"resnet18": 8, "resnet34": 16, "resnet50": 16}.get(name, 0)
        pools = len(result.layers) - sums - len(weighted)
        assert pools == {"alexnet": 4}.get(name, 2 if name.startswith("resnet") else 6)
