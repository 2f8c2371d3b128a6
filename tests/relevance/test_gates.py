"""Products of a signal and its gate: against the slow oracle, and what no rule can tell apart."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_nets import images, plain
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import PRESETS, explainer, override_preset, prepare, relevance
from reference import lrp


class Gated(nn.Module):
    """A convolution whose channels are scaled by what a small net says of them."""

    gate: nn.Module

    def __init__(self, gate=nn.Sigmoid):
        super().__init__()
        torch.manual_seed(5)
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.less, self.more = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.act, self.gate = nn.SiLU(), gate()
        self.flatten, self.fc = nn.Flatten(), nn.Linear(36, 4)
        self.double().eval().requires_grad_(requires_grad=False)

    def forward(self, x):
        x = self.act(self.conv(x))
        return self.fc(self.flatten(x * self.scale(x)))

    def scale(self, x):
        return self.gate(self.more(self.act(self.less(self.pool(x)))))

    def nodes(self, signal):
        layers = [self.conv, self.act, self.pool, self.less, self.act, self.more, self.gate]
        last = [(lrp.Product(signal), (2, 7)), (self.flatten, (8,)), (self.fc, (9,))]
        return [*lrp.chain(layers), *last]


@pytest.mark.parametrize("products", ["signal", "even"])
@pytest.mark.parametrize("preset", ["epsilon", "epsilon-plus", "epsilon-alpha2-beta1-flat"])
@pytest.mark.parametrize("gate", [nn.Sigmoid, nn.Hardsigmoid, nn.Tanh, nn.ReLU6])
def test_it_is_the_oracle(gate, preset, products):
    """All to the signal, or half to each, also through the gate's own layers."""
    net, rules = Gated(gate), override_preset(preset, products=products)
    record = relevance(net, images(), [1, 2], rules)
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    nodes = net.nodes(0 if products == "signal" else None)
    formulas = plain([layer for layer, _ in nodes], PRESETS[preset])
    for k, (image, target) in enumerate(zip(images(), (1, 2), strict=True)):
        found = lrp.walk(nodes, image.numpy(), lrp.logit(target), formulas)
        near = {"rtol": 1e-10, "atol": 1e-10 * max(np.abs(r).max() for r in found)}
        np.testing.assert_allclose(record.pixels[k], found[0], **near)


@pytest.mark.parametrize("products", ["signal", "even"])
def test_every_layer_has_its_row(products):
    """Also those of a gate that gets nothing; nothing is lost; each class by itself is the same."""
    rules = override_preset("epsilon", products=products)
    explain = prepare(Gated(), rules)
    record = explain(images(), 1)
    assert {"conv", "less", "more", "mul", "fc"} <= set(record.layers)
    assert len(record.sums) == len(record.layers) + 1
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-10, rtol=0)
    place = record.layers.index("more")
    assert bool((record.bias[place] != 0).any()) == (products == "even")
    for number, alone in enumerate(explain.each(images())):
        torch.testing.assert_close(alone.pixels, explain(images(), number).pixels)


def test_a_layer_that_relevance_never_comes_to_is_said_so():
    """Zeros there would look like a result."""
    with pytest.raises(RelevanceError, match=r"no relevance comes to 'more'.*products=\"even\""):
        relevance(Gated(), images(), 1, at=["more"])
    even = override_preset("epsilon", products="even")
    assert relevance(Gated(), images(), 1, even, at=["more"]).at["more"].any()


class Written(Gated):
    """The same, put together by a function."""

    def __init__(self, forward):
        super().__init__()
        self.written = forward

    def forward(self, x):
        x = self.act(self.conv(x))
        return self.fc(self.flatten(self.written(self, x)))


SAME = {
    "the gate first": lambda net, x: net.scale(x) * x,
    "torch.mul": lambda net, x: torch.mul(x, net.scale(x)),
    "a method": lambda net, x: x.mul(net.scale(x)),
    "in place": lambda net, x: x.clone().mul_(net.scale(x)),
    "expanded": lambda net, x: x * net.scale(x).expand_as(x),
    "by views": lambda net, x: x * net.scale(x).flatten(1).view(x.size(0), -1, 1, 1),
    "scaled": lambda net, x: x * (net.scale(x) * 1.0),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("products", ["signal", "even"])
def test_it_may_be_written_in_many_ways(name, products):
    """The map is that of the plain net."""
    rules = override_preset("epsilon", products=products)
    mine, other = (relevance(net, images(), 1, rules) for net in (Written(SAME[name]), Gated()))
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "gate", [torch.sigmoid, lambda y: F.relu6(y + 3) / 6, lambda y: F.relu6(y + 3).div(6)]
)
def test_a_signal_may_be_clipped_too(gate):
    """MobileNets clip their maps at 6: that is no gate beside a sigmoid, also one written out."""
    net = Written(lambda net, x: F.relu6(x) * gate(net.more(net.less(net.pool(F.relu6(x))))))
    record = relevance(net, images(), 1, "epsilon")
    reached = relevance(net, images(), 1, "epsilon", at=["relu6"])
    assert reached.at["relu6"].any()
    torch.testing.assert_close(record.logits, net(images()))
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-10, rtol=0)
    assert not record.bias[record.layers.index("more")].any()


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (lambda net, x: x * x, "neither branch ends"),
        (lambda net, x: x.sigmoid() * net.scale(x), "both branches end"),
        (lambda net, x: x * F.softplus(x), "neither branch ends"),
    ],
)
def test_no_signal_is_guessed(forward, said):
    """By name and with the way out, which then conserves."""
    with pytest.raises(RelevanceError, match=rf"the product 'mul'.*{said}.*products=\"even\""):
        prepare(Written(forward))
    record = relevance(Written(forward), images(), 1, override_preset("epsilon", products="even"))
    torch.testing.assert_close(record.lost, torch.zeros_like(record.lost), atol=1e-10, rtol=0)


def test_branches_that_do_not_fit_are_refused():
    """Broadcasting over more dimensions would mix the images."""
    net = Written(lambda net, x: x * net.scale(x).flatten(1).unsqueeze(2))
    with pytest.raises(RelevanceError, match="two branches of one shape, or with a dimension of 1"):
        relevance(net, images(4), 1)


def test_unknown_words_for_products_are_refused():
    """Like those for max pooling."""
    with pytest.raises(RelevanceError, match="products='gate': expected one of signal, even"):
        override_preset("epsilon", products="gate")


def test_deep_lift_has_no_rule_for_products():
    """Captum would take the gradient there."""
    with pytest.raises(RelevanceError, match=r"no rescale rule for"):
        explainer(Gated(), "deep-lift")


class Selected(Gated):
    """Two branches, weighed by a softmax: as SK and ResNeSt do it, or written out."""

    def __init__(self, forward):
        super().__init__()
        self.other = nn.Conv2d(3, 4, 3, stride=2).double().requires_grad_(requires_grad=False)
        self.weigh = nn.Conv2d(2, 8, 1).double().requires_grad_(requires_grad=False)
        self.written = forward

    def forward(self, x):
        a, b = F.relu(self.conv(x)), F.relu(self.other(x))
        weights = self.weigh(self.act(self.less(self.pool(a + b))))
        weights = weights.view(len(x), 2, 4, 1, 1)
        return self.fc(self.flatten(self.written(a, b, weights)))


def stacked(a, b, weights):
    return (torch.stack((a, b), dim=1) * weights.softmax(dim=1)).sum(dim=1)


def written_out(a, b, weights):
    weights = F.softmax(weights, dim=1)
    return a * weights[:, 0] + b * weights[:, 1]


@pytest.mark.parametrize("preset", ["epsilon", "epsilon-plus"])
def test_branches_that_a_softmax_weighs(preset):
    """Each gets its part of the weighted sum; nothing goes through the softmax, nothing is lost."""
    mine, other = (
        relevance(Selected(forward), images(), 1, preset) for forward in (stacked, written_out)
    )
    torch.testing.assert_close(mine.logits, Selected(stacked)(images()))
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(mine.lost, torch.zeros_like(mine.lost), atol=1e-10, rtol=0)
    assert "softmax" in mine.layers


@pytest.mark.parametrize(
    ("forward", "products"),
    [
        (stacked, "even"),
        (lambda a, b, weights: a + b * F.softmax(b, 1) + F.softmax(a, 1), "signal"),
    ],
)
def test_a_softmax_that_relevance_comes_to(forward, products):
    """It has the rule of attention's (test_attention_steps.py); nothing is lost."""
    found = relevance(Selected(forward), images(), 1, override_preset("epsilon", products=products))
    torch.testing.assert_close(found.lost, torch.zeros_like(found.lost), atol=1e-10, rtol=0)
    k = next(k for k, name in enumerate(found.layers) if name.startswith("softmax"))
    assert found.bias[k].abs().min() > 1e-6


def test_a_softmax_of_the_batch_is_refused():
    """Its images would be weighed against each other."""
    net = Selected(lambda a, b, weights: a * F.softmax(b, 0))
    with pytest.raises(RelevanceError, match="a dimension of each image"):
        relevance(net, images(), 1)
