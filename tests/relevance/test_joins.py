"""Residual nets against the slow oracle: their nodes are written out by hand beside the forward."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_nets import HIGH, LOW, images, plain
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, prepare, read, relevance
from reference import lrp

RELU = nn.ReLU()
FLAT = nn.Flatten()


class Net(nn.Module):
    """Convolutions `c0` to `c3` and a dense layer `fc`, to be joined by a forward."""

    def __init__(self, *channels: tuple[int, int, int], features: int) -> None:
        super().__init__()
        torch.manual_seed(len(channels))
        for k, (given, made, stride) in enumerate(channels):
            setattr(self, f"c{k}", nn.Conv2d(given, made, 3, stride, 1))
        self.fc = nn.Linear(features, 4)


class Plain(Net):
    """The input of the block is added to its outputs, in place."""

    def __init__(self):
        super().__init__((3, 4, 2), (4, 4, 1), (4, 4, 1), features=64)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.relu(self.c0(x))
        y = self.c2(self.relu(self.c1(x)))
        y += x
        return self.fc(torch.flatten(self.relu(y), 1))

    def nodes(self):
        c = [self.c0, RELU, self.c1, RELU, self.c2]
        return [*lrp.chain(c), (None, (5, 2)), (RELU, (6,)), (FLAT, (7,)), (self.fc, (8,))]


class Projection(Net):
    """The shortcut is a convolution; both branches are signed; nothing rectifies the sum."""

    def __init__(self):
        super().__init__((3, 4, 2), (4, 5, 2), (4, 5, 2), features=20)

    def forward(self, x):
        x = F.relu(self.c0(x))
        return self.fc(torch.add(self.c1(x), self.c2(x)).flatten(1))

    def nodes(self):
        return [(self.c0, (0,)), (RELU, (1,)), (self.c1, (2,)), (self.c2, (2,)),
                (None, (3, 4)), (FLAT, (5,)), (self.fc, (6,))]  # fmt: skip


class Nested(Net):
    """A sum of sums; one branch is read three times, one is the image itself."""

    def __init__(self):
        super().__init__((3, 3, 1), (3, 3, 1), features=27)
        self.pool = nn.MaxPool2d(3, 2)

    def forward(self, x):
        y = self.c0(x)
        z = (y + x) + self.c1(F.relu(y))
        return self.fc(torch.flatten(self.pool(z.add(y)), 1))

    def nodes(self):
        return [(self.c0, (0,)), (None, (1, 0)), (RELU, (1,)), (self.c1, (3,)), (None, (2, 4)),
                (None, (5, 1)), (self.pool, (6,)), (FLAT, (7,)), (self.fc, (8,))]  # fmt: skip


class Twice(Net):
    """The sum of a map and itself."""

    def __init__(self):
        super().__init__((3, 4, 2), features=64)

    def forward(self, x):
        x = F.relu(self.c0(x))
        return self.fc((x + x).flatten(1))

    def nodes(self):
        return [(self.c0, (0,)), (RELU, (1,)), (None, (2, 2)), (FLAT, (3,)), (self.fc, (4,))]


class Late(Net):
    """A sum behind the flattening, of a dense layer and what it reads."""

    def __init__(self):
        super().__init__((3, 1, 3), features=9)
        self.inner = nn.Linear(9, 9)

    def forward(self, x):
        x = F.relu(self.c0(x)).flatten(1)
        return self.fc(F.relu(self.inner(x) + x))

    def nodes(self):
        return [(self.c0, (0,)), (RELU, (1,)), (FLAT, (2,)), (self.inner, (3,)), (None, (4, 3)),
                (RELU, (5,)), (self.fc, (6,))]  # fmt: skip


NETS = {kind.__name__: kind for kind in (Plain, Projection, Nested, Twice, Late)}


def made(name: str) -> Net:
    return NETS[name]().double().eval()


def explained(net: nn.Module, preset: str, **options: object):
    return relevance(net, images(), [1, 2], preset, low=LOW, high=HIGH, **options)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NETS)
def test_a_residual_net_is_the_oracle(name, preset):
    """Pixels to 1e-10 of the greatest relevance, and at every layer that can be named."""
    net = made(name)
    nodes = net.nodes()
    rules = _rules(net, preset)
    names = [node.name for node in read(net)]
    assert len(names) == len(nodes)
    result = explained(net, preset, at=[n for n in names if names.count(n) == 1])
    torch.testing.assert_close(result.logits, net(images()).detach(), rtol=1e-12, atol=1e-12)
    for k, (image, target) in enumerate(zip(images(), (1, 2), strict=True)):
        found = lrp.walk(nodes, image.numpy(), lrp.logit(target), rules)
        scale = max(np.abs(r).max() for r in found)
        near = {"rtol": 1e-10, "atol": 1e-10 * scale}
        np.testing.assert_allclose(result.pixels[k], found[0], **near)
        for layer, kept in result.at.items():
            np.testing.assert_allclose(kept[k], found[names.index(layer) + 1], **near)


def _rules(net: Net, preset: str) -> dict[int, lrp.Rule]:
    return plain([layer for layer, _ in net.nodes()], PRESETS[preset])


@pytest.mark.parametrize("name", NETS)
def test_sums_follow_relevance_through_branches(name):
    """Each row is all relevance there is: gap = bias + stabiliser + lost, nothing lost here."""
    result = explained(made(name), "epsilon")
    scale = float(result.sums.abs().max())
    np.testing.assert_allclose(result.lost, 0, atol=1e-10 * scale)
    np.testing.assert_allclose(
        result.sums[-1], result.pixels.sum((1, 2, 3)), rtol=1e-10, atol=1e-10 * scale
    )
    assert len(result.layers) == len(result.sums) - 1 == len(result.bias)


def test_each_class_of_a_residual_net_is_one_call_of_it():
    """Branches are kept once and broadcast over the maps."""
    for name in NETS:
        explain = prepare(made(name), "epsilon-plus")
        for k, record in enumerate(explain.each(images())):
            one = explain(images(), k)
            torch.testing.assert_close(record.pixels, one.pixels, rtol=1e-10, atol=1e-12)
            torch.testing.assert_close(record.sums, one.sums, rtol=1e-10, atol=1e-12)


def test_branches_of_two_shapes_are_refused():
    """Broadcasting would hide how relevance is to be shared out."""

    class Broadcast(Net):
        def forward(self, x):
            x = self.c0(x)
            return self.fc((x + F.adaptive_avg_pool2d(x, 1)).flatten(1))

    net = Broadcast((3, 4, 2), features=64).double()
    with pytest.raises(RelevanceError, match="two branches of one shape at the sum 'add'"):
        relevance(net, images())
