"""Each rule against the slow oracle, float64, on nets with something to get wrong."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_nets import HIGH, LOW, NETS, RULES, build, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Preset, prepare, relevance
from emorank.relevance.presets import BIASES, MAX_POOLINGS
from emorank.relevance.rules import AlphaBeta, Epsilon, Flat, WSquare, ZBox, Zero, ZPlus


def assert_as_oracle(net, batch, preset, target=None):
    """Engine and oracle agree to 1e-10 of the largest relevance."""
    mine = relevance(net, batch, target, preset, low=LOW, high=HIGH)
    theirs, _ = oracle(net, batch, preset, [int(t) for t in mine.target])
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(mine.pixels.numpy(), theirs, rtol=1e-10, atol=1e-10 * scale)


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "non-negative"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("net", NETS)
def test_each_rule_in_every_layer_is_the_oracle(net, rule, signed):
    """One rule for all layers, so that each meets signed inputs, strides, groups and dead units."""
    preset = Preset(RULES[rule], RULES[rule], RULES[rule])
    assert_as_oracle(build(net), images(signed=signed), preset)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("net", NETS)
def test_each_preset_is_the_oracle(net, preset):
    """The literal tables, on every net; the last class, whose logit may be negative."""
    assert_as_oracle(build(net, seed=5), images(seed=6), PRESETS[preset], target=[3, 1])


@pytest.mark.parametrize("below", ["epsilon", "z+", "alpha 2 beta 1", "gamma", "zero"])
def test_relevance_on_dead_units_is_followed(below):
    """Flat and w² give relevance to units that are zero; the layer below must use its real z."""
    for above in (Flat(), WSquare()):
        preset = Preset(above, above, RULES[below])
        assert_as_oracle(build("vgg-like", seed=2), images(), preset)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**31),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 3]),
    zeros=st.floats(0, 1),
    preset=st.sampled_from(sorted(PRESETS)),
)
def test_any_convolution_is_the_oracle(
    seed, kernel, stride, padding, dilation, groups, zeros, preset
):
    """Shapes, strides, paddings, dilations and groups; any part of weights and pixels zero."""
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(3, 3, kernel, stride, padding, dilation, groups),
        nn.ReLU(),
        nn.Conv2d(3, 2, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 2),
    ).double()
    batch = images(1, seed=seed % 1000)
    for values in (*(p.data for p in net.parameters()), batch):
        drawn = torch.rand(values.shape, generator=generator, dtype=torch.float64) < zeros
        values.masked_fill_(drawn, 0)
    assert_as_oracle(net, batch, PRESETS[preset])


SIZES = [0.0, 5e-324, 1e-300, 1e-40, 1e-30, 1e-6, 1.0, 1e6, 1e15, 1e150]
TYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@settings(max_examples=150)
@given(
    seed=st.integers(0, 1000),
    size=st.sampled_from(SIZES),
    weight=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e4]),
    shift=st.sampled_from([-1.0, 0.0, 1.0, 1e4]),
    dtype=st.sampled_from(TYPES),
    rules=st.tuples(*[st.sampled_from([*RULES.values(), ZBox(), Zero()])] * 2),
    bias=st.sampled_from(BIASES),
    max_pooling=st.sampled_from(MAX_POOLINGS),
)
def test_never_nan(seed, size, weight, shift, dtype, rules, bias, max_pooling):
    """Zeros, denormals, dead units, huge and tiny numbers, in every rule and type.

    Finite relevance and a finite account, or an error that speaks of the type.
    """
    net = build("vgg-like", seed=seed)
    for parameter in net.parameters():
        parameter.data *= weight
    net[0].bias.data += shift  # all units of the first layer dead, or alive
    first, second = rules
    second = ZPlus() if isinstance(second, ZBox) else second
    preset = Preset(second, second, first, bias=bias, max_pooling=max_pooling)
    batch = (images(1, seed=seed) * size).to(dtype)
    bounds = {"low": LOW * max(size, 1), "high": HIGH * max(size, 1)}
    try:
        result = relevance(net.to(dtype), batch, preset=preset, **bounds)
    except RelevanceError as error:  # an overflow, reported as one
        said = str(error)
    else:
        for values in (result.pixels, result.sums, result.bias, result.stabiliser):
            assert torch.isfinite(values).all()
        return
    assert "wider type" in said or "finite pixels" in said
    assert size > 1 or weight > 1 or shift > 1 or dtype is torch.float16 or Zero() in rules


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("stabiliser", [1e-6, 1e-9, 1e-60])
def test_a_stabiliser_below_what_the_type_holds_is_none(stabiliser, dtype):
    """A dead net then sends nothing, where 0/0 would be NaN."""
    net = build("vgg-like").to(dtype)
    for parameter in net.parameters():
        parameter.data.zero_()
    for rule in (Epsilon(stabiliser), Epsilon(stabiliser, relative=0.25), ZPlus(stabiliser)):
        maps = relevance(net, images().to(dtype), preset=Preset(rule, rule, rule)).pixels
        assert (maps == 0).all()


def test_relative_epsilon_holds_where_squares_leave_the_type():
    """Activations of 300 have squares beyond float16, of 1e25 beyond float32."""
    rule = Epsilon(1e-9, relative=0.25)
    net = nn.Sequential(nn.Flatten(), nn.Linear(147, 3, bias=False)).double()
    net[1].weight.data.abs_()
    wide = relevance(net, images(signed=False), 0, Preset(rule, rule, rule)).pixels
    for dtype, size in ((torch.float16, 100), (torch.float32, 1e25)):
        given = (images(signed=False) * size).to(dtype)
        found = relevance(net.to(dtype), given, 0, Preset(rule, rule, rule)).pixels
        torch.testing.assert_close(found.double() / size, wide, rtol=0.05, atol=1e-2)


def test_z_plus_is_alpha_1_beta_0():
    """Two names of one rule: equal to the last bit."""
    net, batch = build("vgg-like"), images()
    plus = relevance(net, batch, preset=Preset(ZPlus(), ZPlus(), ZPlus()))
    alpha = relevance(net, batch, preset=Preset(*[AlphaBeta(1, 0)] * 3))
    torch.testing.assert_close(plus.pixels, alpha.pixels, rtol=0, atol=0)


def test_alpha_beta_that_does_not_conserve_is_refused():
    """α − β must be 1, β not negative."""
    with pytest.raises(ValueError, match="alpha − beta = 1"):
        AlphaBeta(2, 0)
    with pytest.raises(ValueError, match="beta ≥ 0"):
        AlphaBeta(0, -1)


def test_one_dense_unit_by_hand():
    """Inputs (1, 2), weights (3, −1), bias 0.5: z = 1.5; shares 3 and −2 of 1.5."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 1)).double()
    net[1].weight.data = torch.tensor([[3.0, -1.0]], dtype=torch.float64)
    net[1].bias.data = torch.tensor([0.5], dtype=torch.float64)
    batch = torch.tensor([1.0, 2.0], dtype=torch.float64).view(1, 2, 1, 1)
    zero = relevance(net, batch, preset=Preset(*[RULES["zero"]] * 3)).pixels.flatten()
    np.testing.assert_allclose(zero, [3.0, -2.0], rtol=1e-15)
    plus = relevance(net, batch, preset=Preset(*[ZPlus(0.0)] * 3)).pixels.flatten()
    np.testing.assert_allclose(plus, [3 / 3.5 * 1.5, 0.0], rtol=1e-15)
    # (3·1 + 0.25·3) / (3.75 − 2 + 0.625) and −2 / the same
    gamma = relevance(net, batch, preset=Preset(*[RULES["gamma"]] * 3)).pixels.flatten()
    np.testing.assert_allclose(gamma, [3.75 / 2.375 * 1.5, -2 / 2.375 * 1.5], rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_z_box_shares_are_positive_and_conserve(bias):
    """Within the box every share of a positive relevance is ≥ 0, and biases cancel."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=bias), nn.ReLU(), nn.Flatten())
    net = nn.Sequential(*net, nn.Linear(4 * 49, 2, bias=False)).double()
    net[-1].weight.data.abs_()
    explain = prepare(net, Preset(ZPlus(), ZPlus(), ZBox()), low=LOW, high=HIGH)
    result = explain(images())
    assert (result.pixels >= 0).all()
    np.testing.assert_allclose(result.gap[-1], 0, atol=1e-5 * float(result.sums[0].max()))
