"""Activations that pass relevance: against the slow oracle, zennit, and each other's spellings."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_nets import HIGH, LOW, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, explainer, override_preset, prepare, relevance
from emorank.relevance.activations import ACTIVATIONS
from reference import peers

BOUNDS = {"low": LOW, "high": HIGH}


def net_of(make, seed=0):
    """Two convolutions, one without zeros in its inputs, and a dense layer."""
    torch.manual_seed(seed)
    layers = (nn.Conv2d(3, 4, 3, stride=2), make(), nn.MaxPool2d(2, 1), nn.Conv2d(4, 3, 2))
    net = nn.Sequential(*layers, make(), nn.Flatten(), nn.Linear(3, 4)).double().eval()
    return net.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("preset", ["epsilon-alpha2-beta1-flat"])
@pytest.mark.parametrize("make", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_it_is_the_oracle_and_nothing_is_lost(make, preset):
    """Relevance passes, whatever the slope is; zero may become something else."""
    net = net_of(make)
    record = relevance(net, images(), [1, 2], preset)
    expected, sums = oracle(net, images(), PRESETS[preset], [1, 2])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(record.pixels, expected, rtol=1e-10, atol=1e-10 * scale)
    np.testing.assert_allclose(record.sums[-1], sums[-1], rtol=1e-10, atol=1e-10 * scale)
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    assert not {"1", "4"} & set(record.layers)  # they pass


@pytest.mark.parametrize("preset", ["epsilon-plus"])
@pytest.mark.parametrize(
    "make", [kind for kind in ACTIVATIONS if kind is not nn.Mish], ids=lambda kind: kind.__name__
)
def test_it_is_zennits(make, preset):
    """Which knows all but Mish."""
    net = net_of(make)
    rules = peers.composite(preset, LOW, HIGH)
    theirs = peers.by_zennit(copy.deepcopy(net), images(), torch.tensor([1, 2]), rules)
    mine = relevance(net, images(), [1, 2], preset, **BOUNDS).pixels
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11 * float(theirs.abs().max()))


WRITTEN = {
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), lambda: nn.LeakyReLU(0.2)),
    "leaky_relu_": (lambda x: F.leaky_relu_(x, 0.2), lambda: nn.LeakyReLU(0.2)),
    "prelu": (lambda x: F.prelu(x, torch.full((1,), 0.3).double()), lambda: nn.PReLU(1, 0.3)),
    "elu": (lambda x: F.elu(x, alpha=0.5), lambda: nn.ELU(0.5)),
    "selu": (F.selu, nn.SELU),
    "celu": (lambda x: F.celu(x, 2.0, inplace=True), lambda: nn.CELU(2.0)),
    "silu": (lambda x: F.silu(x, inplace=True), nn.SiLU),
    "silu by hand": (lambda x: x * torch.sigmoid(x), nn.SiLU),
    "mish": (F.mish, nn.Mish),
    "gelu": (lambda x: F.gelu(x, approximate="tanh"), lambda: nn.GELU("tanh")),
    "hardswish": (F.hardswish, nn.Hardswish),
    "hardswish by hand": (lambda x: x * F.relu6(x + 3) / 6, nn.Hardswish),
    "mish by hand": (lambda x: F.softplus(x).tanh() * x, nn.Mish),
    "hardsigmoid": (F.hardsigmoid, nn.Hardsigmoid),
    "softplus": (lambda x: F.softplus(x, 2), lambda: nn.Softplus(2)),
    "sigmoid": (lambda x: x.sigmoid(), nn.Sigmoid),
    "sigmoid_": (lambda x: x.sigmoid_(), nn.Sigmoid),
    "torch.tanh": (torch.tanh, nn.Tanh),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_functions_are_the_layers_that_do_the_same(name):
    """Also in place, and by the formula: then the signal takes all, which is the same."""
    function, make = WRITTEN[name]

    class Applied(nn.Module):
        def forward(self, x):
            return function(x)

    mine, other = (
        relevance(net, images(), [1, 2], "epsilon") for net in map(net_of, (Applied, make))
    )
    torch.testing.assert_close(mine.logits, net_of(Applied)(images()))
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-9, atol=1e-12)


def test_one_in_place_does_not_overwrite_what_a_layer_has_saved():
    """The way back needs the outputs of the convolution as they were."""
    plain, eager = net_of(nn.SiLU), net_of(lambda: nn.SiLU(inplace=True))
    mine, other = (relevance(net, images(), 1, "epsilon") for net in (eager, plain))
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=0, atol=0)


def test_what_is_read_after_it_was_overwritten_is_refused():
    """In a graph the values of before would be read."""

    class Late(nn.Module):
        def forward(self, x):
            return F.silu(x, inplace=True) + x * 2

    with pytest.raises(RelevanceError, match="'silu' works in place on what"):
        prepare(net_of(Late))


@pytest.mark.parametrize("make", [nn.Sigmoid, nn.Softplus])
def test_a_dead_unit_may_matter_where_zero_becomes_something_else(make):
    """So the ReLU before keeps its true inputs: nothing is lost there (z+ gives to sigmoid(0))."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), make(), nn.Conv2d(4, 3, 2), nn.Flatten())
    net = nn.Sequential(*layers, nn.Linear(12, 4)).double().requires_grad_(requires_grad=False)
    rules = override_preset("epsilon", {"convolution": "z-plus"})
    record = relevance(net, images(), [1, 2], rules)
    expected, _ = oracle(net, images(), rules, [1, 2])
    np.testing.assert_allclose(record.pixels, expected, rtol=1e-9, atol=1e-10)


def test_deep_lift_takes_activations_that_captum_rescales():
    """The others would be explained by their gradient, which is another method."""
    net = net_of(nn.ELU)
    found = explainer(net, "deep-lift")(images(), 1)
    dark = net(torch.zeros_like(images()))[:, 1]
    torch.testing.assert_close(found.pixels.sum((1, 2, 3)), found.logits[:, 1] - dark)
    with pytest.raises(RelevanceError, match=r"no rescale rule for '1' \(GELU\)"):
        explainer(net_of(nn.GELU), "deep-lift")
    assert explainer(net_of(nn.GELU), "gradient-times-input")(images(), 1).pixels.any()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_capped_relu_is_one_step_with_its_layer(preset):
    """The same map as of a ReLU and a limit apart, with units beyond the limit and dead ones."""
    apart = net_of(lambda: nn.Sequential(nn.ReLU(), nn.Hardtanh(-1, 0.3)))
    one = copy.deepcopy(apart)
    one[1], one[4] = nn.Hardtanh(0, 0.3), nn.Hardtanh(0, 0.3)
    values = one[0](images())
    assert (values > 0.3).any()
    assert (values < 0).any()
    steps = prepare(one, preset, **BOUNDS).steps
    assert not any("Clip" in type(placed.step).__name__ for placed in steps)
    mine, theirs = (relevance(net, images(), 1, preset, **BOUNDS) for net in (one, apart))
    scale = float(theirs.pixels.abs().max())
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-10, atol=1e-12 * scale)
