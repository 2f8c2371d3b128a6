"""Zeros padded by a layer of their own: as a convolution that pads itself, and what is refused."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tests.relevance.small_nets import HIGH, LOW, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, override_preset, prepare, relevance
from emorank.relevance.rules import Epsilon


class Padded(nn.Module):
    """Two convolutions whose zeros come from elsewhere; the first is padded at the end only."""

    def __init__(self, function=None, channels=0):
        super().__init__()
        torch.manual_seed(3)
        self.pad = nn.ZeroPad2d((0, 2, 0, 2))
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.second = nn.Conv2d(4 + channels, 5, 3)
        self.relu = nn.ReLU()
        self.flatten = nn.Flatten()
        self.dense = nn.LazyLinear(3)
        self.function = function or (lambda maps: F.pad(maps, (1, 1, 1, 1)))
        self.double()
        self(images())

    def forward(self, pixels):
        maps = self.relu(self.first(self.pad(pixels)))
        maps = self.relu(self.second(self.function(maps)))
        return self.dense(self.flatten(maps))


class Itself(nn.Module):
    """The same net: a kernel with two rows and columns of zeros; the convolutions pad."""

    def __init__(self, other):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 5, stride=2, padding=2).double()
        with torch.no_grad():
            self.first.weight.zero_()
            self.first.weight[:, :, 2:, 2:] = other.first.weight
            self.first.bias.copy_(other.first.bias)
        self.second = nn.Conv2d(4, 5, 3, padding=1).double()
        self.second.load_state_dict(other.second.state_dict())
        self.dense, self.flatten, self.relu = other.dense, other.flatten, other.relu

    def forward(self, pixels):
        maps = self.relu(self.second(self.relu(self.first(pixels))))
        return self.dense(self.flatten(maps))


@pytest.mark.parametrize("preset", PRESETS)
def test_padding_before_is_padding_within(preset):
    """Padding is no input: by no rule does it matter who adds the zeros."""
    net, rules = Padded(), PRESETS[preset]
    if preset.endswith("flat"):
        # The kernel of the other net has zeros, which are connections to the flat rule.
        rules = replace(rules, first_convolution=Epsilon())
    bounds = {"low": LOW, "high": HIGH}
    before = relevance(net, images(), preset=rules, **bounds)
    within = relevance(Itself(net), images(), preset=rules, **bounds)
    torch.testing.assert_close(before.logits, net(images()).detach())
    torch.testing.assert_close(before.pixels, within.pixels, atol=1e-10, rtol=1e-8)


@pytest.mark.parametrize("layer", ["first", "second"])
def test_the_flat_rule_counts_pixels_and_not_the_zeros_beside_them(layer):
    """Every input that is no padding gets the same share, so nothing is lost in the padding."""
    rules = override_preset("epsilon", {layer: "flat"})
    record = relevance(Padded(), images(), preset=rules)
    torch.testing.assert_close(record.sums[1:] * 0, record.lost, atol=1e-6, rtol=0)


def test_channels_of_zeros_can_be_added():
    """As in the shortcuts of dlib's face network; they carry nothing on."""
    net = Padded(lambda maps: F.pad(maps, (1, 1, 1, 1, 0, 2)), channels=2)
    record = relevance(net, images(), preset="epsilon")
    torch.testing.assert_close(record.logits, net(images()).detach())
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-8, rtol=0)


@pytest.mark.parametrize(
    "function",
    [
        lambda maps: F.pad(maps, (1, 1, 1, 1, 0, 0), mode="replicate"),
        lambda maps: F.pad(maps, (1, 1, 1, 1), value=0.5),
    ],
    ids=["replicate in depth", "not zero"],
)
def test_other_padding_is_refused_by_name(function):
    """Copies of the border, or a constant, are inputs of another kind."""
    with pytest.raises(RelevanceError, match="no rule for 'pad"):
        relevance(Padded(function), images())


def test_padding_of_the_batch_is_refused():
    """It would make images of zeros."""

    def function(x):
        return F.pad(x, (0, 0, 0, 0, 0, 0, 0, 1))

    with pytest.raises(RelevanceError, match=r"expected zeros added to channels, rows or columns"):
        relevance(Padded(function), images())


class Shared(nn.Module):
    """Zeros around the images that one convolution reads, or two, or a pooling too."""

    def __init__(self, readers):
        super().__init__()
        torch.manual_seed(5)
        self.pad = nn.ZeroPad2d(1)
        self.readers = nn.ModuleList(
            nn.AvgPool2d(3, 1) if reader == "pooling" else nn.Conv2d(3, 3, 3) for reader in readers
        ).double()
        self.dense = nn.Linear(3 * 7 * 7, 3).double()

    def forward(self, pixels):
        padded = self.pad(pixels)
        maps = [torch.relu(reader(padded)) for reader in self.readers]
        return self.dense(torch.flatten(sum(maps[1:], maps[0]), 1))


@pytest.mark.parametrize("preset", ["epsilon-plus", "epsilon-gamma-box"])
@pytest.mark.parametrize(
    "readers", [["convolution"], ["convolution"] * 2, ["convolution", "pooling"]], ids=str
)
def test_convolutions_add_the_zeros_before_them_themselves(readers, preset):
    """If only convolutions read them: a pass less; relevance at the zeros is that at the images."""
    net = Shared(readers)
    explain = prepare(net, preset, low=LOW, high=HIGH)
    record = explain(images(), 1, at=["pad"])
    assert ("pad" in explain.layers) == ("pooling" in readers)
    torch.testing.assert_close(record.logits, net(images()).detach())
    at = record.at["pad"]
    if "pooling" in readers:
        at = at[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(at, record.pixels)
