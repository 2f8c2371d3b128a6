"""What bias and stabiliser take at a layer, by closed forms; and bias spread instead of kept."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_nets import HIGH, LOW, NETS, RULES, build, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Preset, override_preset, prepare, relevance
from emorank.relevance.operators import Unmade
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    NormFree,
    Part,
    Pass,
    Rule,
    WSquare,
    Zero,
    ZPlus,
)
from emorank.relevance.weighted import Weighted


def everywhere(rule: Rule, bias: str = "absorbed") -> Preset:
    return Preset(rule, rule, rule, bias=bias)


def unit(rule: Rule, shift: float, bias: str = "absorbed"):
    """Inputs (1, 2), weights (3, −1): z = 1 + shift."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 1)).double()
    net[1].weight.data = torch.tensor([[3.0, -1.0]]).double()
    net[1].bias.data = torch.tensor([shift]).double()
    return relevance(net, torch.tensor([[[[1.0, 2.0]]]]).double(), preset=everywhere(rule, bias))


# The rule, the bias, and by hand: shares s = R/(d + ε sign d) times what each takes.
ACCOUNTS = {
    "zero": (Zero(), 0.5, 0.5, 0.0),
    "epsilon": (Epsilon(0.25), 0.5, 0.5 * 1.5 / 1.75, 0.25 * 1.5 / 1.75),
    "epsilon, z < 0": (Epsilon(0.25), -2.0, -2 * -1 / -1.25, -0.25 * -1 / -1.25),
    "epsilon of the root mean square": (Epsilon(0, relative=0.5), 0.5, 0.5 / 1.5, 0.75 / 1.5),
    "z+": (ZPlus(0.5), 0.5, 0.5 * 1.5 / 4, 0.5 * 1.5 / 4),
    "z+, b < 0": (ZPlus(1.0), -0.5, 0.0, 1 * 0.5 / 4),
    "alpha-beta": (AlphaBeta(2, 1, 0.5), 0.5, 1.5 / 4, 1.5 / 4 - 0.75 / 2.5),
    "gamma": (Gamma(0.25, 0.125), 0.5, 0.625 * 1.5 / 2.5, 0.125 * 1.5 / 2.5),
    "gamma, z < 0": (Gamma(1, 0.5), -2.0, -4 * -1 / -5.5, -0.5 * -1 / -5.5),
    "flat": (Flat(0.5), 0.5, 0.0, 0.5 * 1.5 / 2.5),
    "w²": (WSquare(0.75), 0.5, 0.25 * 1.5 / 11, 0.75 * 1.5 / 11),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCOUNTS)
def test_bias_and_stabiliser_take_their_share(name):
    """One dense unit; what is left is lost, and that is nothing."""
    rule, shift, bias, stabiliser = ACCOUNTS[name]
    result = unit(rule, shift)
    near = {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(result.bias, [[bias]], **near)
    np.testing.assert_allclose(result.stabiliser, [[stabiliser]], **near)
    np.testing.assert_allclose(result.gap, [[bias + stabiliser]], **near)
    np.testing.assert_allclose(result.lost, 0, **near)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_distributed_it_is_spread_evenly(name):
    """Half of what they took to each of the two inputs; nothing is taken any more."""
    rule, shift, bias, stabiliser = ACCOUNTS[name]
    kept, spread = unit(rule, shift), unit(rule, shift, "distributed")
    np.testing.assert_allclose(
        spread.pixels, kept.pixels + (bias + stabiliser) / 2, rtol=1e-12, atol=1e-14
    )
    for row in (spread.gap, spread.bias, spread.stabiliser):
        np.testing.assert_allclose(row, 0, atol=1e-14)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"norm-free"}))
@pytest.mark.parametrize("net", NETS)
def test_the_account_is_whole(net, rule):
    """The gap is bias, stabiliser and lost, and lost is nothing but units without contributions."""
    result = relevance(build(net), images(), preset=everywhere(RULES[rule]))
    scale = float(result.sums.abs().max())
    if rule == "zero" or rule.startswith(("epsilon", "flat", "w²")):
        np.testing.assert_allclose(result.lost, 0, atol=1e-8 * scale)
    bare = relevance(build(net, bias=False), images(), preset=everywhere(RULES[rule]))
    assert (bare.bias == 0).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("net", NETS)
def test_distributed_bias_is_the_oracle(net, rule):
    """Unit by unit, what is kept is spread: signed inputs, strides, groups, dead units."""
    preset = everywhere(RULES[rule], "distributed")
    batch = images(1)
    mine = relevance(build(net), batch, 1, preset)
    theirs, _ = oracle(build(net), batch, preset, [1])
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(mine.pixels, theirs, rtol=1e-9, atol=1e-9 * scale)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    stride=st.integers(1, 3),
    padding=st.integers(0, 1),
    groups=st.sampled_from([1, 3]),
    zeros=st.sampled_from([0.0, 0.5, 1.0]),
    preset=st.sampled_from(sorted(set(PRESETS) - {"lecture"})),
)
def test_distributed_relevance_is_conserved(seed, stride, padding, groups, zeros, preset):
    """The pixels sum to the logit to 1e-8 (alpha-beta cancels), layer by layer."""
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride, padding, groups=groups),
        nn.ReLU(),
        nn.Conv2d(6, 3, 1),
        nn.ReLU(),
        nn.MaxPool2d(2, 1, ceil_mode=True) if stride < 3 else nn.Identity(),
        nn.Flatten(),
        nn.LazyLinear(3),
    )
    net(images(1).float())
    net = net.double()
    for values in net.parameters():
        drawn = torch.rand(values.shape, generator=generator, dtype=torch.float64) < zeros
        values.data.masked_fill_(drawn, 0)
    options = {"preset": override_preset(preset, bias="distributed"), "low": LOW, "high": HIGH}
    result = relevance(net, images(2, seed=seed % 1000), **options)
    scale = float(result.pixels.abs().sum()) + 1e-300
    exact = "alpha" not in preset
    np.testing.assert_allclose(result.gap, 0, atol=(1e-10 if exact else 1e-7) * scale)


@pytest.mark.parametrize("rule", [Pass(), NormFree()], ids=["pass", "norm-free"])
def test_rules_that_divide_by_nothing_take_nothing(rule):
    """Passing conserves, norm-free does not; neither bias nor stabiliser has a part in it."""
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Flatten(), nn.Linear(147, 2)).double()
    for bias in ("absorbed", "distributed"):
        result = relevance(net, images(), preset=Preset(Zero(), rule, rule, bias=bias))
        assert (result.bias[-1] == 0).all()
        assert (result.stabiliser == 0).all()
        passed = bool((result.lost[-1].abs() < 1e-12).all())
        assert passed == isinstance(rule, Pass)


def test_pass_needs_outputs_like_inputs():
    """The message names the layer and both shapes."""
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(98, 2)).double()
    with pytest.raises(RelevanceError, match=r"layer '0' takes \(3, 7, 7\) to \(2, 7, 7\)"):
        relevance(net, images(), preset=Preset(Zero(), Pass(), Pass()))


def test_modified_weights_of_convolutions_are_not_kept():
    """They would be most of the memory of a single image; dense layers, read once a batch, do."""
    rule = AlphaBeta(2, 1)
    steps = prepare(build("vgg-like"), everywhere(rule)).steps
    for step in (placed.step for placed in steps if isinstance(placed.step, Weighted)):
        kept = [branch.back for branch in step.branches if branch.parts == (Part.WHOLE,)]
        is_convolution = step.own.geometry is not None
        assert all(isinstance(one, Unmade) == is_convolution for one in kept)
        assert len(kept) == 2 or step.name == "0"
