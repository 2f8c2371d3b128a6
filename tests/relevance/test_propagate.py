"""The walk: conservation, invariances, what it leaves alone and what it refuses."""

import copy

import numpy as np
import pytest
import torch
from small_nets import HIGH, LOW, NETS, build, images, oracle
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, Preset, prepare, relevance
from emorank.relevance.rules import AlphaBeta, Epsilon, Flat, Gamma, ZBox, Zero, ZPlus

ALL = sorted(PRESETS)
AVERAGES = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def explained(net, batch, target=None, preset="epsilon-plus"):
    return relevance(net, batch, target, preset, low=LOW, high=HIGH)


@pytest.mark.parametrize("preset", ALL)
def test_the_sums_are_the_oracles(preset):
    """Row by row: the logit, then the sum at the inputs of every named layer."""
    net, batch = build("vgg-like"), images()
    mine = explained(net, batch, [1, 2], preset)
    _, sums = oracle(net, batch, PRESETS[preset], [1, 2])
    assert mine.layers == ("10", "7", "5", "4", "2", "0")
    rows = [0, *(len(net) - int(name) for name in mine.layers)]
    np.testing.assert_allclose(mine.sums, sums[rows], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mine.gap, sums[rows][:-1] - sums[rows][1:], atol=1e-9)


@pytest.mark.parametrize("net", NETS)
def test_without_biases_relevance_is_conserved_to_rounding(net):
    """Equations 1 and 2 of the paper, float64, layer by layer.

    The rules are without stabilisers; only average pooling has one, and the account names what it
    took, a millionth.
    """
    presets = [Preset(Zero(), rule, rule) for rule in (Zero(), ZPlus(0.0), Gamma(0.25, 0.0))]
    if net != "dense only":  # no first convolution
        presets.append(Preset(Zero(), ZPlus(0.0), Flat(0.0)))
        presets.append(Preset(Zero(), Gamma(0.25, 0.0), ZBox(0.0)))
    bare = build(net, seed=3, bias=False)
    pooled = [isinstance(bare[int(name)], AVERAGES) for name in prepare(bare).layers]
    for preset in presets:
        result = explained(bare, images(seed=4), preset=preset)
        scale = float(result.pixels.abs().sum())
        np.testing.assert_allclose(result.lost, 0, atol=1e-10 * scale)
        assert (result.bias == 0).all()
        assert (result.stabiliser[~np.array(pooled)] == 0).all()
        assert (result.stabiliser.abs() < 1e-4 * scale).all()
        np.testing.assert_allclose(
            result.pixels.sum((1, 2, 3)) + result.stabiliser.sum(0),
            result.logits.max(1).values,
            atol=1e-10 * scale,
        )


@pytest.mark.parametrize("preset", ALL)
def test_without_biases_the_presets_lose_only_the_stabiliser(preset):
    """ε = 1e-6 against values of order one."""
    result = explained(build("vgg-like", seed=3, bias=False), images(seed=4), preset=preset)
    np.testing.assert_allclose(result.sums, result.sums[:1].expand_as(result.sums), rtol=1e-4)


def test_alpha_beta_conserves_where_both_signs_contribute():
    """The sum holds by α − β = 1 as long as every unit has contributions of both signs."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(100, 2, bias=False)
    ).double()
    result = explained(net, images(), preset=Preset(Zero(), Zero(), AlphaBeta(2, 1, 0.0)))
    np.testing.assert_allclose(result.gap, 0, atol=1e-10)


@pytest.mark.parametrize("preset", ALL)
def test_a_batch_is_its_images_one_by_one(preset):
    """No image knows of its neighbours; permuting the batch permutes the maps."""
    net, batch = build("vgg-like"), images(4)
    together = explained(net, batch, preset=preset)
    order = torch.tensor([2, 0, 3, 1])
    permuted = explained(net, batch[order], preset=preset)
    torch.testing.assert_close(permuted.pixels, together.pixels[order], rtol=1e-12, atol=1e-12)
    for k in range(4):
        alone = explained(net, batch[k : k + 1], preset=preset)
        torch.testing.assert_close(alone.pixels[0], together.pixels[k], rtol=1e-12, atol=1e-12)
        assert alone.target[0] == together.target[k]


@pytest.mark.parametrize("preset", ALL)
def test_scaling_the_output_scales_the_map(preset):
    """A head three times as strong gives three times the relevance, up to the stabiliser."""
    net, batch = build("vgg-like"), images()
    stronger = copy.deepcopy(net)
    stronger[-1].weight.data *= 3
    stronger[-1].bias.data *= 3
    once, thrice = explained(net, batch, preset=preset), explained(stronger, batch, preset=preset)
    torch.testing.assert_close(
        thrice.pixels, 3 * once.pixels, rtol=1e-4, atol=1e-5 * float(once.pixels.abs().max())
    )


def test_mirrored_image_gives_the_mirrored_map():
    """With mirror-symmetric kernels the net is flip-equivariant, and so is LRP."""
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    ).double()
    for k in (0, 2):
        net[k].weight.data += net[k].weight.data.flip(3)
    for preset in ALL:
        straight = explained(net, images(), [0, 0], preset)
        mirrored = explained(net, images().flip(3), [0, 0], preset)
        torch.testing.assert_close(mirrored.pixels, straight.pixels.flip(3), rtol=1e-9, atol=1e-12)


def test_the_logits_are_the_nets_own_and_the_default_target_its_prediction():
    """The walk computes forward by hand; it must be the same forward."""
    for name in NETS:
        net, batch = build(name), images()
        result = explained(net, batch)
        torch.testing.assert_close(result.logits, net(batch).detach(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(result.target, result.logits.argmax(1))
        torch.testing.assert_close(result.sums[0], result.logits.max(1).values)


def test_net_and_images_are_left_as_they_were():
    """Neither weights, mode, hooks nor pixels change, though ReLUs are in place; dropout is off."""
    net, batch = build("vgg-like").train(), images()
    state, pixels = copy.deepcopy(net.state_dict()), batch.clone()
    first, second = explained(net, batch), explained(net, batch)
    torch.testing.assert_close(first.pixels, second.pixels, rtol=0, atol=0)
    assert net.training
    assert all(not layer._forward_hooks and not layer._backward_hooks for layer in net)
    torch.testing.assert_close(dict(net.state_dict()), dict(state), rtol=0, atol=0)
    torch.testing.assert_close(batch, pixels, rtol=0, atol=0)
    assert not first.pixels.requires_grad


def test_layout_and_type_do_not_matter():
    """Channels last or not: the same map; float32 within its rounding; pixels come contiguous."""
    net, batch = build("vgg-like"), images()
    wide = explained(net, batch)
    last = explained(net, batch.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last.pixels, wide.pixels, rtol=0, atol=0)
    assert last.pixels.is_contiguous()
    for preset in ALL:
        wide = explained(net, batch, preset=preset).pixels
        single = explained(copy.deepcopy(net).float(), batch, preset=preset).pixels
        assert single.dtype == torch.float32
        torch.testing.assert_close(
            single.double(), wide, rtol=1e-3, atol=2e-4 * float(wide.abs().max())
        )


def test_an_explainer_serves_many_batches():
    """Prepared once, it gives what `relevance` gives, for one image and for several."""
    net = build("vgg-like")
    explain = prepare(net, "epsilon-alpha2-beta1")
    for batch in (images(1), images(3, seed=9)):
        direct = relevance(net, batch, preset="epsilon-alpha2-beta1")
        torch.testing.assert_close(explain(batch).pixels, direct.pixels, rtol=0, atol=0)


def test_target_for_all_for_each_and_out_of_range():
    """One index stands for the whole batch; what is no class index is refused."""
    net, batch = build("vgg-like"), images()
    torch.testing.assert_close(
        explained(net, batch, 2).pixels, explained(net, batch, [2, 2]).pixels
    )
    for target, said in (
        ([0, 4], "from 0 to 3, got 0 to 4"),
        ([-1, 0], "got -1 to 0"),
        ([0, 1, 2], "each of 2 images"),
        (torch.tensor([0.0, 1.0]), "float32"),
    ):
        with pytest.raises(RelevanceError, match=said):
            explained(net, batch, target)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda x: x[0], "of shape"),
        (lambda x: x.to(torch.uint8), "uint8"),
        (lambda x: x.masked_fill(x > 0.5, float("nan")), "finite pixels"),
        (lambda x: x.masked_fill(x > 0.5, float("inf")), "finite pixels"),
        (lambda x: x[:, :2], "layer '0' cannot take inputs"),
        (lambda x: x[:, :, :5], "cannot take inputs"),
    ],
)
def test_images_that_do_not_fit_are_refused(bad, said):
    """Wrong shape, type, size or values: the message says what came."""
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(50, 2)).double()
    with pytest.raises(RelevanceError, match=said):
        relevance(net, bad(images()))


def test_z_box_asks_for_bounds_that_fit():
    """Bounds must be given, one per channel, around zero; and the images must lie within."""
    net, batch = build("vgg-like"), images()
    for bounds, said in (
        ({}, "needs the normalised values of black and white"),
        ({"low": LOW[:2], "high": HIGH}, "each of the 3 channels"),
        ({"low": LOW.abs(), "high": HIGH}, "low ≤ 0 ≤ high"),
        ({"low": LOW / 2, "high": HIGH / 2}, "between the bounds"),
    ):
        with pytest.raises(RelevanceError, match=said):
            relevance(net, batch, preset="epsilon-gamma-box", **bounds)
    with pytest.raises(RelevanceError, match=r"convolution that sees the pixels.*layer '2'"):
        relevance(net, batch, preset=Preset(Epsilon(), ZBox(), ZBox()), low=LOW, high=HIGH)
    shaped = relevance(
        net, batch, preset="epsilon-gamma-box", low=LOW.view(1, 3, 1, 1), high=HIGH.view(1, 3, 1, 1)
    )
    torch.testing.assert_close(
        shaped.pixels, explained(net, batch, None, "epsilon-gamma-box").pixels
    )


def test_an_unknown_preset_is_refused_with_the_names():
    """The message lists what there is."""
    with pytest.raises(RelevanceError, match=r"'gradient' is no preset.*epsilon-gamma-box"):
        explained(build("vgg-like"), images(), preset="gradient")


def test_a_black_net_gives_zero_relevance():
    """All weights zero: logits zero, relevance zero, no NaN, in every preset."""
    net = build("vgg-like")
    for parameter in net.parameters():
        parameter.data.zero_()
    for preset in ALL:
        assert (explained(net, images(), preset=preset).pixels == 0).all()


@pytest.mark.parametrize("preset", ALL)
def test_an_empty_batch_gives_empty_maps(preset):
    """No images, no maps, no error."""
    result = explained(build("vgg-like"), images()[:0], preset=preset)
    assert result.pixels.shape == (0, 3, 7, 7)
    assert result.sums.shape == (7, 0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_types_are_computed_as_such(dtype):
    """Maps in the net's type, sums in single precision, near the map in float64."""
    wide = explained(build("vgg-like"), images(), [0, 1]).pixels
    half = explained(build("vgg-like").to(dtype), images(), [0, 1])
    assert (half.pixels.dtype, half.sums.dtype) == (dtype, torch.float32)
    torch.testing.assert_close(
        half.pixels.double(), wide, rtol=0, atol=0.05 * float(wide.abs().max())
    )
