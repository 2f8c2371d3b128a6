"""Layers that are read as several: against the oracle's matrix of the whole layer."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_nets import CONVOLUTIONS, HIGH, LOW, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, explainer, read, relevance
from emorank.relevance.random_weights import layer_groups, randomise
from emorank.relevance.rules import Epsilon


def net_of(*layers, seed=0):
    torch.manual_seed(seed)
    first = nn.Conv2d(3, 4, 3, stride=2)
    net = nn.Sequential(first, nn.ReLU(), *layers, nn.ReLU(), nn.Flatten(), nn.LazyLinear(4))
    net.double().eval()(images())
    return net.requires_grad_(requires_grad=False)


LAYERS = {
    "a stride and a rest": lambda: [nn.ConvTranspose2d(4, 3, (3, 2), 2, 1, output_padding=1)],
    "groups, gaps": lambda: [
        nn.ConvTranspose2d(4, 6, (3, 2), (1, 2), padding=1, dilation=2, groups=2, bias=False)
    ],
    "more padding than kernel": lambda: [nn.ConvTranspose2d(4, 3, 1, stride=2, padding=1)],
    "along rows": lambda: [nn.Flatten(2), nn.Conv1d(4, 6, 3, 2, padding=1, dilation=2, groups=2)],
}


@pytest.mark.parametrize("bias", ["absorbed", "distributed"])
@pytest.mark.parametrize("preset", ["epsilon", "epsilon-plus-flat", "epsilon-alpha2-beta1"])
@pytest.mark.parametrize("name", LAYERS)
def test_it_is_the_oracle(name, preset, bias):
    """The zeros between and around inputs are none, by no rule, nor do they get a share."""
    net, preset = net_of(*LAYERS[name]()), PRESETS[preset]
    # The rule of the first convolution is of interest at the layer in question.
    rules = replace(
        preset, convolution=preset.first_convolution, first_convolution=Epsilon(), bias=bias
    )
    record = relevance(net, images(), [1, 2], rules)
    expected, _ = oracle(net, images(), rules, [1, 2])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(record.pixels, expected, rtol=1e-9, atol=1e-9 * scale)
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)


def test_a_transposed_convolution_is_one_of_the_convolutions():
    """With its name, behind zeros; at the pixels the first rule is its own, bounds and all."""
    net = nn.Sequential(nn.ConvTranspose2d(3, 4, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(784, 3))
    net.double()
    assert [node.name for node in read(net)] == ["0.padding", "0", "1", "2", "3"]
    record = relevance(net, images(), 1, "epsilon-gamma-box", low=LOW, high=HIGH)
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-8, rtol=0)


def test_batch_norm_behind_it_is_folded():
    """As behind any convolution."""
    up = nn.ConvTranspose2d(4, 3, 2, 2)
    net = net_of(up, nn.BatchNorm2d(3))
    net[3].running_mean.fill_(0.3)
    record = relevance(net, images(), 1, "epsilon")
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    assert record.layers == ("6", "2", "2.padding", "0")


def test_explainers_beside_lrp_take_it():
    """DeepLIFT too: it is linear."""
    net = net_of(nn.ConvTranspose2d(4, 3, 2, 2))
    found = explainer(net, "deep-lift")(images(), 1)
    dark = net(torch.zeros_like(images()))[:, 1]
    torch.testing.assert_close(found.pixels.sum((1, 2, 3)), found.logits[:, 1] - dark)


@pytest.mark.parametrize("name", LAYERS)
def test_new_weights_are_as_large_as_those_of_any_convolution(name):
    """By the number of inputs of a unit, which a transposed one keeps first (He et al. 2015)."""
    net = net_of(*LAYERS[name]())
    (place,) = (str(k) for k, m in enumerate(net) if isinstance(m, CONVOLUTIONS) and k)
    other = randomise(net, [place], torch.Generator().manual_seed(1)).get_submodule(place)
    kernel = other.weight[0, 0].numel()
    expected = math.sqrt(2 / (other.in_channels // other.groups * kernel))
    assert 0.6 < float(other.weight.std()) / expected < 1.6
    assert place in [layer for group in layer_groups(net) for layer in group.layers]


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding_mode": "circular"}])
def test_rows_are_padded_with_a_number_of_zeros(options):
    """Other ways are refused by name."""
    net = nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 2, 3, **options), nn.Flatten(), nn.Linear(9, 2))
    with pytest.raises(RelevanceError, match=r"layer '1' \(Conv1d\) with padding"):
        read(net)
