"""Pooling against the slow oracle: windows that overlap, leave a rest, reach into padding."""

import copy

import numpy as np
import pytest
import torch
from small_nets import everywhere, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, override_preset, prepare, relevance
from emorank.relevance.pooling import MaxPool
from emorank.relevance.presets import MAX_POOLINGS
from reference import lrp

MAXIMA = {
    "halves": nn.MaxPool2d(2),
    "overlapping": nn.MaxPool2d(3, 1),
    "padded": nn.MaxPool2d(3, 2, padding=1),
    "a last window that is cut": nn.MaxPool2d(2, 2, ceil_mode=True),
    "cut and padded": nn.MaxPool2d((3, 2), (2, 3), padding=(1, 0), ceil_mode=True),
    "gaps": nn.MaxPool2d(2, 1, dilation=2),
}
MEANS = {
    "halves": nn.AvgPool2d(2),
    "overlapping": nn.AvgPool2d(3, 1),
    "padded": nn.AvgPool2d(3, 2, padding=1),
    "padding left out": nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
    "cut": nn.AvgPool2d((2, 3), ceil_mode=True),
    "divided by five": nn.AvgPool2d(2, divisor_override=5),
    "adaptive, uneven": nn.AdaptiveAvgPool2d((3, 2)),
    "adaptive, more than there are": nn.AdaptiveAvgPool2d(9),
    "adaptive, a side left": nn.AdaptiveAvgPool2d((None, 2)),
    "nothing to pool": nn.AdaptiveAvgPool2d(7),
}


def net(pool: nn.Module, *, rectified: bool = True) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 4, 3, padding=1),
        *([nn.ReLU()] if rectified else []),
        pool,
        nn.Flatten(),
    ]
    size = nn.Sequential(*layers)(torch.zeros(1, 3, 7, 7)).shape[1]
    return nn.Sequential(*layers, nn.Linear(size, 4)).double()


def assert_as_oracle(layers: nn.Sequential, preset):
    mine = relevance(layers, images(), [1, 3], preset)
    for k, (image, target) in enumerate(zip(images(), (1, 3), strict=True)):
        found = everywhere(list(layers), image, preset, lrp.logit(target))
        scale = np.abs(found[0]).max()
        np.testing.assert_allclose(mine.pixels[k], found[0], rtol=1e-10, atol=1e-10 * scale)


@pytest.mark.parametrize("rectified", [True, False], ids=["after a ReLU", "signed"])
@pytest.mark.parametrize("way", MAX_POOLINGS)
@pytest.mark.parametrize("name", [name for name in MAXIMA if name != "gaps"])
def test_each_way_through_max_pooling_is_the_oracle(name, way, rectified):
    """Winner, even and proportional; dead units below, and windows of negative numbers."""
    assert_as_oracle(
        net(MAXIMA[name], rectified=rectified), override_preset("epsilon-plus", max_pooling=way)
    )


@pytest.mark.parametrize("rectified", [True, False], ids=["after a ReLU", "signed"])
@pytest.mark.parametrize("name", MEANS)
def test_average_pooling_is_the_oracle(name, rectified):
    """In proportion to the inputs, stabilised also where nothing is pooled."""
    assert_as_oracle(net(MEANS[name], rectified=rectified), PRESETS["epsilon-plus"])


@pytest.mark.parametrize("way", MAX_POOLINGS)
def test_max_pooling_conserves(way):
    """All that comes is handed on; proportional, up to its stabiliser."""
    result = relevance(
        net(MAXIMA["cut and padded"]), images(), 0, override_preset("epsilon", max_pooling=way)
    )
    place = result.layers.index("2")
    np.testing.assert_allclose(result.lost[place], 0, atol=1e-12)
    assert (result.bias[place] == 0).all()
    assert bool((result.stabiliser[place] == 0).all()) == (way != "proportional")


@pytest.mark.parametrize("way", MAX_POOLINGS)
def test_every_class_goes_through_pooling_at_once(way):
    """What was kept of one image serves all its maps."""
    explain = prepare(net(MAXIMA["padded"]), override_preset("epsilon", max_pooling=way))
    for k, record in enumerate(explain.each(images())):
        torch.testing.assert_close(
            record.pixels, explain(images(), k).pixels, rtol=1e-10, atol=1e-12
        )


def test_the_first_of_equal_maxima_wins():
    """A constant window has one winner, as the gradient has; evenly, all of it."""
    flat = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 1, bias=False)).double()
    image = torch.ones(1, 1, 2, 2).double()
    winner, even = (
        relevance(flat, image, 0, override_preset("epsilon", max_pooling=way))
        for way in ("winner", "even")
    )
    whole = float(winner.pixels.sum())
    np.testing.assert_allclose(winner.pixels.flatten(), [whole, 0, 0, 0])
    np.testing.assert_allclose(even.pixels.flatten(), [whole / 4] * 4)


def test_windows_with_gaps_have_a_winner_only():
    """Dilated pooling is followed by its winners, and refused by name otherwise."""
    layers = net(MAXIMA["gaps"])
    assert relevance(layers, images(), 0, "epsilon").sums.isfinite().all()
    for way in ("even", "proportional"):
        with pytest.raises(RelevanceError, match=r"layer '2' has dilation=2; use 'winner'"):
            relevance(layers, images(), 0, override_preset("epsilon", max_pooling=way))


FLAT = {
    "side by side": nn.MaxPool2d(2),
    "overlapping": nn.MaxPool2d(3, 2, padding=1),
    "gaps": nn.MaxPool2d(2, 1, dilation=2),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", FLAT)
def test_in_flat_parts_the_winner_does_not_depend_on_rounding(name, dtype):
    """Whatever the order of summation made of equal sums, one map; and it sums to what came."""
    generator = torch.Generator().manual_seed(0)
    flat = torch.full((1, 2, 8, 8), 3.0, dtype=dtype)
    flat[:, 1] = 0.01  # small beside the greatest, and so with more rounding of its own
    flat[:, :, 5:, 2:4] *= 2
    flat[:, :, 6, 6] = 3e3  # a bright place elsewhere makes no difference
    step = MaxPool("pool", FLAT[name])
    maps = []
    for _ in range(4):
        noise = torch.randint(-1, 2, flat.shape, generator=generator)
        rounded = flat + noise * torch.finfo(dtype).eps * flat.amax(1, keepdim=True)
        _, saved = step.forward(rounded)
        shape = step.forward(flat)[0].shape
        (given,) = step.backward(torch.ones(shape, dtype=dtype), saved).to
        maps.append(given)
        assert given.sum() == torch.ones(shape).sum()
    for other in maps[1:]:
        torch.testing.assert_close(other, maps[0], rtol=0, atol=0)


def test_a_unit_that_is_off_never_wins_from_one_that_is_on():
    """Though beside the greatest of the image their difference is less than rounding."""
    faint = torch.tensor([[0.0, 1e-9], [0.0, 0.0]]).expand(1, 1, 2, 2)
    values = torch.cat([faint, torch.ones(1, 1, 2, 2)], 1)
    step = MaxPool("pool", nn.MaxPool2d(2))
    (given,) = step.backward(torch.ones(1, 2, 1, 1), step.forward(values)[1]).to
    np.testing.assert_array_equal(given[0, 0], [[0, 1], [0, 0]])


def test_a_masked_face_has_one_map_whatever_the_order_of_summation():
    """Channels in another order add up otherwise; the map stays, in the flat half too."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 49, 3),
    ).double()  # fmt: skip
    order = torch.randperm(16)
    other = copy.deepcopy(net)
    with torch.no_grad():
        for one in (other[0].weight, other[0].bias):
            one.copy_(one[order])
        other[2].weight.copy_(other[2].weight[:, order])
    face = torch.randn(1, 3, 28, 28).double()
    face[:, :, 14:] = 0.3
    mine, theirs = (relevance(one, face, 0, "epsilon").pixels for one in (net, other))
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9 * float(mine.abs().max()))


def test_a_winner_by_more_than_rounding_wins():
    """Beside a great activation elsewhere in the image, too."""
    values = torch.full((1, 1, 2, 4), 3.0)
    values[..., 1, 1] += 16 * 3 * torch.finfo(torch.float32).eps
    values[..., 0, 2] = 3e6
    step = MaxPool("pool", nn.MaxPool2d(2))
    (given,) = step.backward(torch.ones(1, 1, 1, 2), step.forward(values)[1]).to
    np.testing.assert_array_equal(given[0, 0], [[0, 0, 1, 0], [0, 1, 0, 0]])
