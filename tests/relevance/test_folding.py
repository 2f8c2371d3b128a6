"""Batch norm as part of the layer before it, or as a layer of its own, against nets without any."""

from dataclasses import replace

import pytest
import torch
from small_nets import HIGH, LOW, images
from torch import Tensor, nn

from emorank.relevance import PRESETS, Preset, read, relevance
from emorank.relevance.folding import fold
from emorank.relevance.rules import Epsilon, Flat, Gamma, WSquare


def normed(kind: type[nn.Module], channels: int, **options: bool) -> nn.Module:
    """A batch norm as after a training, with scales of either sign."""
    norm = kind(channels, **options).double()
    norm.running_mean.uniform_(-0.5, 0.5)
    norm.running_var.uniform_(0.5, 2)
    if norm.affine:
        nn.init.uniform_(norm.weight, -1.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    return norm


def by_hand(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift of y = s x + t, found by asking the norm itself."""
    shape = (1, norm.num_features, *(1, 1) * isinstance(norm, nn.BatchNorm2d))
    with torch.no_grad():
        shift = norm.eval()(torch.zeros(shape).double()).flatten()
        return norm(torch.ones(shape).double()).flatten() - shift, shift


def merged(layer: nn.Module, norm: nn.Module) -> nn.Module:
    """The layer with the norm after it multiplied in."""
    scale, shift = by_hand(norm)
    options = {"bias": True, "dtype": torch.float64}
    if isinstance(layer, nn.Linear):
        other = nn.Linear(layer.in_features, layer.out_features, **options)
    else:
        other = nn.Conv2d(
            layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding,
            layer.dilation, layer.groups, **options,
        )  # fmt: skip
    with torch.no_grad():
        other.weight.copy_(layer.weight * scale.view(-1, *(1,) * (layer.weight.ndim - 1)))
        other.bias.copy_(shift + (0 if layer.bias is None else layer.bias * scale))
    return other


def alone(norm: nn.Module) -> nn.Module:
    """The norm as a layer of its own: a weight for each channel."""
    scale, shift = by_hand(norm)
    if isinstance(norm, nn.BatchNorm1d):
        layer = nn.Linear(len(scale), len(scale)).double()
        weight = torch.diag(scale)
    else:
        layer = nn.Conv2d(len(scale), len(scale), 1, groups=len(scale)).double()
        weight = scale.view(-1, 1, 1, 1)
    layer.load_state_dict({"weight": weight, "bias": shift})
    return layer


def pairs() -> dict[str, tuple[list[nn.Module], list[nn.Module]]]:
    """Layers with batch norm, and the same by hand without; images of 3×7×7, four classes."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, 3, 2, 1, bias=False).double()
    grouped = nn.Conv2d(6, 4, 3, padding="same", groups=2).double()
    dense, last = nn.Linear(64, 8).double(), nn.Linear(8, 4).double()
    first, second = normed(nn.BatchNorm2d, 6), normed(nn.BatchNorm2d, 4, affine=False)
    third = normed(nn.BatchNorm1d, 8)
    flat = normed(nn.BatchNorm1d, 64)
    relu, drop = nn.ReLU(inplace=True), nn.Dropout(0.5)
    whole = [conv, relu, grouped, relu, nn.Flatten(), dense, relu, last]
    return {
        "after convolutions and dense layers": (
            [conv, first, relu, grouped, second, relu, nn.Flatten(), dense, third, relu, last],
            [merged(conv, first), relu, merged(grouped, second), relu, nn.Flatten(),
             merged(dense, third), relu, last],
        ),
        "twice, dropout between": (
            [conv, nn.Dropout2d(), first, nn.Identity(), first, relu, *whole[2:]],
            [merged(merged(conv, first), first), relu, *whole[2:]],
        ),
        "after pooling": (
            [conv, relu, nn.MaxPool2d(1), first, grouped, *whole[3:]],
            [conv, relu, nn.MaxPool2d(1), alone(first), grouped, *whole[3:]],
        ),
        "after a ReLU, one-dimensional": (
            [*whole[:5], flat, drop, *whole[5:]],
            [*whole[:5], alone(flat), *whole[5:]],
        ),
        "at the end": ([*whole, normed4 := normed(nn.BatchNorm1d, 4)],
                       [*whole[:-1], merged(last, normed4)]),
    }  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", pairs())
def test_folding_changes_neither_logits_nor_maps(name, preset):
    """To 1e-10 in float64, against the net by hand; the net's own logits."""
    with_norm, without = (nn.Sequential(*layers).eval() for layers in pairs()[name])
    # A scale before the pixels' layer leaves the box of the pixels.
    bounds = {"low": LOW, "high": HIGH}
    mine, theirs = (relevance(net, images(), 1, preset, **bounds) for net in (with_norm, without))
    torch.testing.assert_close(mine.logits, with_norm(images()).detach(), rtol=1e-10, atol=1e-10)
    scale = float(theirs.pixels.abs().max())
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-10, atol=1e-10 * scale)
    torch.testing.assert_close(mine.sums, theirs.sums, rtol=1e-10, atol=1e-10 * scale)


class Branched(nn.Module):
    """Convolutions side by side, pooled, and a batch norm behind all of it, or none."""

    def __init__(self, branches: list[nn.Module], norm: nn.Module, *, often: bool = False) -> None:
        super().__init__()
        self.branches, self.norm = nn.ModuleList(branches), norm
        torch.manual_seed(2)
        self.fc, self.often = nn.Linear(16, 4).double(), often

    def forward(self, x: Tensor) -> Tensor:
        parts = [branch(x) for branch in self.branches]
        joined = torch.cat(parts, 1)
        y = self.norm(joined)
        if self.often:
            y = y + joined
        y = nn.functional.adaptive_avg_pool2d(torch.relu(y), 2)
        return self.fc(y.flatten(1))


def branches(*, negative: bool = False, often: bool = False) -> tuple[nn.Module, nn.Module]:
    """Such a net, and the same with the norm multiplied into the convolutions by hand."""
    torch.manual_seed(5)
    convs = [nn.Conv2d(3, 2, 3, bias=False).double(), nn.Conv2d(3, 2, 3).double()]
    norm = normed(nn.BatchNorm2d, 4).eval()
    norm.weight.data.abs_()
    if negative:
        norm.weight.data[0] = -1.0
    pools = [nn.MaxPool2d(2), nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)]
    pools[1] = nn.Sequential(pools[1], nn.AdaptiveAvgPool2d(2))
    whole = [nn.Sequential(conv, pool) for conv, pool in zip(convs, pools, strict=True)]
    scale, shift = by_hand(norm)
    by_conv = []
    for k, (conv, pool) in enumerate(zip(convs, pools, strict=True)):
        other = nn.Conv2d(3, 2, 3).double()
        part = slice(2 * k, 2 * k + 2)
        with torch.no_grad():
            other.weight.copy_(conv.weight * scale[part].view(-1, 1, 1, 1))
            bias = 0 if conv.bias is None else conv.bias * scale[part]
            other.bias.copy_(shift[part] + bias)
        by_conv.append(nn.Sequential(other, pool))
    return Branched(whole, norm, often=often), Branched(by_conv, nn.Identity())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_norm_behind_pooling_and_branches_joins_their_convolutions(preset):
    """Where the order does not matter; the logits are the net's own."""
    net, merged_net = branches()
    bounds = {"low": LOW, "high": HIGH}
    mine, theirs = (relevance(n.eval(), images(), 1, preset, **bounds) for n in (net, merged_net))
    torch.testing.assert_close(mine.logits, net(images()).detach(), rtol=1e-10, atol=1e-10)
    scale = float(theirs.pixels.abs().max())
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-10, atol=1e-10 * scale)
    assert "norm" not in mine.layers


@pytest.mark.parametrize("case", ["a negative scale", "read elsewhere too", "zeros that count"])
def test_a_norm_stays_where_the_order_matters(case):
    """The winner of a maximum would be another, or the other reader would get other values."""
    net, _ = branches(negative=case == "a negative scale", often=case == "read elsewhere too")
    if case == "zeros that count":
        net.branches[1][1][0].count_include_pad = True
    record = relevance(net.eval(), images(), 1, "epsilon")
    torch.testing.assert_close(record.logits, net(images()).detach(), rtol=1e-10, atol=1e-10)
    assert "norm" in record.layers


def test_under_epsilon_a_norm_before_a_convolution_is_as_if_merged_with_it():
    """W s x / z either way: also at a border of zeros, which no merging to the right allows."""
    torch.manual_seed(3)
    first, second = nn.Conv2d(3, 4, 3).double(), nn.Conv2d(4, 5, 3).double()
    norm = normed(nn.BatchNorm2d, 4).eval()
    scale, shift = by_hand(norm)
    end = (nn.ReLU(), nn.Flatten(), nn.Linear(45, 4).double())
    right = nn.Conv2d(4, 5, 3).double()
    with torch.no_grad():
        right.weight.copy_(second.weight * scale.view(1, -1, 1, 1))
        right.bias.copy_(second.bias + (second.weight * shift.view(1, -1, 1, 1)).sum((1, 2, 3)))
    rule = Epsilon(1e-13)
    preset = Preset(rule, rule, rule)
    net = nn.Sequential(first, nn.ReLU(), norm, second, *end).eval()
    other = nn.Sequential(first, nn.ReLU(), right, *end).eval()
    mine, theirs = (relevance(one, images(), 1, preset) for one in (net, other))
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_norm_of_the_images_is_their_normalisation(preset):
    """It is no convolution: the first one's rule goes to the first, and has the pixels' box."""
    _, layers = pairs()["after convolutions and dense layers"]
    norm = normed(nn.BatchNorm2d, 3).eval()
    norm.weight.data = torch.tensor([1.2, -0.9, 0.7]).double()
    norm.bias.data.mul_(0.2)
    given = {"low": LOW, "high": HIGH}
    mine = relevance(nn.Sequential(norm, nn.Identity(), *layers), images(), 1, preset, **given)
    with torch.no_grad():
        ends = [norm(bound.view(1, 3, 1, 1)).flatten() for bound in given.values()]
        box = {"low": torch.minimum(*ends), "high": torch.maximum(*ends)}
        theirs = relevance(nn.Sequential(*layers), norm(images()), 1, preset, **box)
    scale = float(theirs.pixels.abs().max())
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-10, atol=1e-10 * scale)
    torch.testing.assert_close(mine.logits, theirs.logits, rtol=1e-10, atol=1e-10)


class Shared(nn.Module):
    """Two readers of one convolution: its norm must not change what the other reads."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = normed(nn.BatchNorm2d, 4)
        self.head = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(100, 4))

    def forward(self, x):
        x = self.conv(x)
        return self.head(self.norm(x) + x)


def test_a_convolution_that_others_read_is_left_as_it_is():
    """The norm then stands alone."""
    net = Shared().double().eval()
    kinds = [type(node.layer).__name__ for node in fold(read(net))]
    assert kinds == ["Conv2d", "Conv2d", "Sum", "ReLU", "Flatten", "Linear"]
    result = relevance(net, images())
    torch.testing.assert_close(result.logits, net(images()).detach(), rtol=1e-12, atol=1e-12)


def test_the_layers_given_are_not_changed():
    """Folding makes layers of its own; dropout and identities are gone, names are the layers'."""
    layers, _ = pairs()["twice, dropout between"]
    net = nn.Sequential(*layers)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    names = [node.name for node in fold(read(net))]
    torch.testing.assert_close(dict(net.state_dict()), before, rtol=0, atol=0)
    assert names[:3] == ["0", "5", "6"]
    assert len(names) == 8


def test_a_norm_that_stands_alone_is_no_convolution():
    """It moves no place and has the rule of the convolution behind it, but not the first one's."""
    torch.manual_seed(0)
    convs = [nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3)]
    dense = nn.Linear(100, 4)
    norm = normed(nn.BatchNorm2d, 4).eval()
    middle = [norm, convs[1], nn.ReLU(), convs[2], nn.ReLU(), nn.Flatten(), dense]
    net = nn.Sequential(convs[0], nn.ReLU(), *middle).double()
    by_place = Preset(Epsilon(), Epsilon(), Epsilon(), layers={"1:2": Flat(), "2:3": Gamma()})
    named = {"2": Flat(), "3": Flat(), "5": Gamma()}  # the norm, the second and third convolution
    mine, theirs = (
        relevance(net, images(), 1, one) for one in (by_place, replace(by_place, layers=named))
    )
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=0, atol=0)
    before = nn.Sequential(nn.MaxPool2d(1), normed(nn.BatchNorm2d, 3), *net).eval()
    found = relevance(
        before, images(), 1, replace(by_place, first_convolution=WSquare(), layers={})
    )
    named = {"1": Epsilon(), "2": WSquare()}
    expected = relevance(before, images(), 1, replace(by_place, layers=named))
    torch.testing.assert_close(found.pixels, expected.pixels, rtol=0, atol=0)


def test_a_norm_of_flattened_or_scaled_images_is_their_normalisation():
    """It passes relevance on as it is, and is neither dense layer nor convolution."""
    torch.manual_seed(0)
    flat, of_channels = (normed(nn.BatchNorm1d, 147), normed(nn.BatchNorm2d, 3))
    for first in ([nn.Flatten(), flat], [nn.Flatten(), nn.Unflatten(1, (3, 7, 7)), of_channels]):
        norm = nn.Sequential(*first).eval()
        rest = nn.Sequential(nn.Flatten(), nn.Linear(147, 8), nn.ReLU(), nn.Linear(8, 4)).double()
        with torch.no_grad():
            given = norm(images()).view(-1, 3, 7, 7)
        mine = relevance(nn.Sequential(*norm, *rest), images(), 1, "epsilon")
        theirs = relevance(rest, given, 1, "epsilon")
        torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-10, atol=1e-10)
        assert mine.layers == tuple(f"{len(norm) + k}" for k in (3, 1))
