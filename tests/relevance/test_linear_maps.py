"""Norms, enlarging and padding with copies: against the slow oracle, and over many shapes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from small_nets import HIGH, LOW, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Preset, explainer, override_preset, prepare, read, relevance
from emorank.relevance.rules import Epsilon, Zero

BOUNDS = {"low": LOW, "high": HIGH}


def net_of(*layers, seed=0):
    """Between a convolution and a dense layer; with weights in the norms."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), *layers, nn.Flatten(), nn.LazyLinear(4))
    net.double().eval()(images())
    for layer in net:
        norm = isinstance(layer, nn.LayerNorm | nn.GroupNorm | nn.InstanceNorm2d)
        if norm and layer.weight is not None:
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    return net.requires_grad_(requires_grad=False)


KINDS = {
    "layer norm of an image": lambda: nn.LayerNorm([4, 3, 3]),
    "layer norm of a row": lambda: nn.LayerNorm(3),
    "without weights": lambda: nn.LayerNorm(3, elementwise_affine=False),
    "group norm": lambda: nn.GroupNorm(2, 4),
    "instance norm": lambda: nn.InstanceNorm2d(4, affine=True),
    "instance norm, plain": lambda: nn.InstanceNorm2d(4),
    "local response norm": lambda: nn.LocalResponseNorm(3, alpha=0.5),
    "nearest": lambda: nn.Upsample(scale_factor=2),
    "nearest-exact": lambda: nn.Upsample(size=(4, 5), mode="nearest-exact"),
    "bilinear": lambda: nn.Upsample(size=(4, 5), mode="bilinear"),
    "bilinear, corners": lambda: nn.UpsamplingBilinear2d(scale_factor=2),
    "reflection": lambda: nn.ReflectionPad2d((1, 2, 0, 1)),
    "replication": lambda: nn.ReplicationPad2d(2),
    "circular": lambda: nn.CircularPad2d((0, 1, 1, 0)),
}


@pytest.mark.parametrize("preset", ["epsilon", "epsilon-alpha2-beta1-flat"])
@pytest.mark.parametrize("name", KINDS)
def test_it_is_the_oracle(name, preset):
    """A norm as the matrix that it is at its statistics; a copy sends back all that it got."""
    net = net_of(KINDS[name](), nn.Conv2d(4, 3, 2), nn.ReLU())
    record = relevance(net, images(), [1, 2], preset)
    expected, sums = oracle(net, images(), PRESETS[preset], [1, 2])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(record.pixels, expected, rtol=1e-10, atol=1e-10 * scale)
    np.testing.assert_allclose(record.sums[-1], sums[-1], rtol=1e-10, atol=1e-10 * scale)
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_every_class_and_the_even_spreading_of_biases(name):
    """Maps of one image share what was saved; distributed, nothing is taken anywhere."""
    net = net_of(KINDS[name](), nn.Conv2d(4, 3, 2), nn.ReLU())
    explain = prepare(net, override_preset("epsilon", bias="distributed"))
    for number, record in enumerate(explain.each(images())):
        alone = explain(images(), number)
        torch.testing.assert_close(record.pixels, alone.pixels)
        sums = record.sums[-1] + record.stabiliser.sum(0)
        torch.testing.assert_close(sums, record.logits[:, number], rtol=1e-9, atol=1e-9)


@given(
    channels=st.sampled_from([2, 4, 6]),
    groups=st.sampled_from([1, 2]),
    height=st.integers(3, 7),
    width=st.integers(3, 7),
    mode=st.sampled_from(["nearest", "bilinear", "bicubic"]),
    padding=st.sampled_from(["reflect", "replicate", "circular"]),
)
@settings(max_examples=15, deadline=None)
def test_without_biases_all_shapes_conserve(channels, groups, height, width, mode, padding):
    """All of the logit is at the pixels, but for what the account says the stabilisers took."""
    torch.manual_seed(height)
    net = nn.Sequential(
        nn.Conv2d(3, channels, 3, padding=1, padding_mode=padding, bias=False),
        nn.GroupNorm(groups, channels),
        nn.Upsample(size=(width + 3, height + 2), mode=mode),
        nn.Conv2d(channels, 2, (2, 3), padding="same", padding_mode=padding, bias=False),
        nn.SiLU(), nn.Flatten(), nn.LayerNorm(2 * (width + 3) * (height + 2)),
        nn.Linear(2 * (width + 3) * (height + 2), 3, bias=False),
    ).double()  # fmt: skip
    rule = Zero()
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    record = relevance(net, x, 1, Preset(rule, rule, rule))
    torch.testing.assert_close(record.logits, net(x).detach(), rtol=1e-10, atol=1e-12)
    scale = float(record.sums.abs().max())
    kept = record.sums[-1] + record.stabiliser.sum(0)
    torch.testing.assert_close(kept, record.sums[0], rtol=0, atol=1e-9 * scale)
    assert not record.bias.any()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_a_convolution_that_pads_with_copies_is_a_padding_and_a_convolution(mode, preset):
    """Under every rule: copies are inputs, not zeros; also at the pixels."""
    kinds = {"reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d}
    padding = kinds.get(mode, nn.CircularPad2d)((1, 1, 2, 2))
    torch.manual_seed(0)
    own = nn.Conv2d(3, 4, (5, 3), padding=(2, 1), padding_mode=mode)
    bare = nn.Conv2d(3, 4, (5, 3))
    bare.load_state_dict(own.state_dict())
    rest = [nn.ReLU(), nn.Flatten(), nn.Linear(196, 4)]
    mine, other = (
        relevance(nn.Sequential(*layers, *rest).double(), images(), 1, preset, **BOUNDS)
        for layers in ((own,), (padding, bare))
    )
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-10, atol=1e-12)
    assert mine.layers == ("3", "0", "0.padding")


def test_weights_that_are_computed_are_padded_with_copies_too():
    """Weight norm and its like are read as a plain convolution, which keeps its padding."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
    plain = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(196, 4)).double()
    expected = relevance(plain, images(), 1, "epsilon").pixels
    nn.utils.parametrizations.weight_norm(conv)
    found = relevance(plain, images(), 1, "epsilon").pixels
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
def test_padding_of_one_side_more_is_the_oracle(preset):
    """`padding="same"` with an even kernel: zeros are no inputs, and named weights stay."""
    net = net_of(nn.ReLU(), nn.Conv2d(4, 3, (2, 3), padding="same"), nn.ReLU())
    rules = replace(PRESETS[preset], first_convolution=Epsilon())
    if preset.endswith("flat"):
        rules = replace(rules, convolution=PRESETS[preset].first_convolution)
    record = relevance(net, images(), [1, 2], rules)
    expected, _ = oracle(net, images(), rules, [1, 2])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(record.pixels, expected, rtol=1e-10, atol=1e-10 * scale)
    assert [n.name for n in read(net)] == ["0", "1", "2.padding", "2", "3", "4", "5"]


class Functional(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("weight", torch.linspace(-1, 2, 4).double())

    def forward(self, x):
        return self.function(x, self.weight)


def with_weight(layer):
    layer.weight.data = torch.linspace(-1, 2, 4).double()
    return layer


FUNCTIONS = {
    "layer_norm": (lambda x, w: F.layer_norm(x, (3,)), lambda: nn.LayerNorm(3)),
    "group_norm": (
        lambda x, w: F.group_norm(x, 2, w, eps=0.1),
        lambda: with_weight(nn.GroupNorm(2, 4, 0.1)),
    ),
    "local_response_norm": (
        lambda x, w: F.local_response_norm(x, 3, k=2.0),
        lambda: nn.LocalResponseNorm(3, k=2.0),
    ),
    "batch_norm": (
        lambda x, w: F.batch_norm(x, w, w.abs() + 1, w),
        lambda: with_statistics(nn.BatchNorm2d(4)),
    ),
    "interpolate": (
        lambda x, w: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
        lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    ),
    "pad": (
        lambda x, w: F.pad(x, (1, 0, 1, 2), "reflect"),
        lambda: nn.ReflectionPad2d((1, 0, 1, 2)),
    ),
}


def with_statistics(norm):
    weight = torch.linspace(-1, 2, 4).double()
    norm.running_mean, norm.running_var = weight, weight.abs() + 1
    return with_weight(norm)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_the_layers_that_do_the_same(name):
    """With their weights and settings."""
    function, make = FUNCTIONS[name]
    mine, other = (
        relevance(net_plain(layer), images(), 1, "epsilon-plus")
        for layer in (Functional(function), make())
    )
    torch.testing.assert_close(mine.logits, net_plain(Functional(function))(images()))
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-9, atol=1e-12)


def net_plain(layer):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), layer, nn.Flatten(), nn.LazyLinear(4))
    net.double().eval()(images())
    return net.requires_grad_(requires_grad=False)


def test_in_inference_mode_too():
    """The transpose of a map is torch's own, which needs gradients for a moment."""
    net = net_of(nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReplicationPad2d(1))
    expected = relevance(net, images(), 1, "epsilon")
    with torch.inference_mode():
        found = relevance(net, images(), 1, "epsilon")
    torch.testing.assert_close(found.pixels, expected.pixels, rtol=0, atol=0)


def test_explainers_beside_lrp_take_them():
    """All but DeepLIFT, which has no rule for a norm."""
    net = net_of(nn.GroupNorm(2, 4), nn.Upsample(scale_factor=2))
    assert explainer(net, "gradient-times-input")(images(), 1).pixels.any()
    with pytest.raises(RelevanceError, match=r"no rescale rule for '1' \(GroupNorm\)"):
        explainer(net, "deep-lift")
