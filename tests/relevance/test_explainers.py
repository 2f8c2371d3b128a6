"""Explainers beside LRP: closed forms on linear nets, oracles, completeness, and the record."""

import sys

import pytest
import torch
import torch.nn.functional as F
from tests.relevance.small_nets import NETS, build, images
from torch import nn

from emorank.errors import MissingExtraError, RelevanceError
from emorank.networks.resnet import resnet
from emorank.relevance import (
    EXPLAINERS,
    METHODS,
    PRESETS,
    Difference,
    Logit,
    Preset,
    Probability,
    explainer,
    relevance,
)
from emorank.relevance.explainers import WINDOWS
from emorank.relevance.folding import fold
from emorank.relevance.forwards.graph import read
from emorank.relevance.rules import Zero
from emorank.relevance.traced_net import TracedNet

EXACT = ("gradient-times-input", "integrated-gradients", "deep-lift")


class Reused(nn.Module):
    """One ReLU called twice, another as a function, in place, and a residual sum."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4 * 49, 4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = self.relu(self.second(x)) + x
        return self.last(torch.flatten(F.relu(x), 1))


def reused() -> nn.Module:
    """The same in float64, weights drawn."""
    torch.manual_seed(3)
    return Reused().double().eval()


def linear(bias: bool = False) -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(147, 4, bias=bias)).double().eval()


@pytest.mark.parametrize("name", EXACT)
def test_on_a_linear_net_all_are_the_same(name):
    """Weight times pixel, which is LRP-0 too; its sum is the logit."""
    net, batch = linear(), images()
    expected = (net[1].weight[2] * batch.flatten(1)).view_as(batch)
    found = explainer(net, name)(batch, 2)
    torch.testing.assert_close(found.pixels, expected)
    torch.testing.assert_close(found.pixels, relevance(net, batch, 2, Preset(*[Zero()] * 3)).pixels)
    torch.testing.assert_close(found.sums[0], found.sums[-1])
    torch.testing.assert_close(found.logits, net(batch))


def test_smooth_grad_of_a_linear_net_is_its_weights():
    """Noise changes no gradient there; torch's own generator is left as it was."""
    net, batch = linear(), images()
    before = torch.random.get_rng_state()
    found = explainer(net, "smooth-grad")(batch, 1)
    torch.testing.assert_close(
        found.pixels, net[1].weight[1].view(1, 3, 7, 7).expand(2, -1, -1, -1)
    )
    assert torch.equal(before, torch.random.get_rng_state())


def test_smooth_grad_is_the_same_every_time():
    """Its noise is fixed, on a net where noise changes the gradient."""
    net, batch = build("vgg-like"), images()
    first, second = (explainer(net, "smooth-grad")(batch, 1).pixels for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, explainer(net, "gradient-times-input")(batch, 1).pixels / batch)


@pytest.mark.parametrize("name", NETS)
def test_gradient_times_input_is_autograds(name):
    """On every small net."""
    net, batch = build(name), images()
    leaf = batch.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net(leaf)[:, 3].sum(), leaf)
    torch.testing.assert_close(
        explainer(net, "gradient-times-input")(batch, 3).pixels, leaf * gradient
    )


@pytest.mark.parametrize(
    ("net", "within"), [(build("dense only"), 1e-7), (reused(), 1e-7), (build("vgg-like"), 0.05)]
)
def test_deep_lift_is_complete(net, within):
    """The map sums to the difference from the reference, also where a ReLU serves many layers.

    But for max pooling whose winner in the image is another than in the reference.
    """
    batch = images()
    expected = (net(batch) - net(torch.zeros_like(batch)))[:, 1]
    found = explainer(net, "deep-lift")(batch, 1)
    torch.testing.assert_close(found.pixels.sum((1, 2, 3)), expected, rtol=within, atol=1e-7)


def test_integrated_gradients_is_nearly_complete():
    """Ten steps of Gauss and Legendre are some per cent off on a net of ReLUs."""
    net, batch = build("vgg-like"), images(4)
    expected = (net(batch) - net(torch.zeros_like(batch)))[:, 1]
    found = explainer(net, "integrated-gradients")(batch, 1)
    off = (found.pixels.sum((1, 2, 3)) - expected).abs()
    assert float(off.max()) < 0.1 * float(expected.abs().max())


def test_grad_cam_by_hand():
    """Maps behind the last convolution's ReLU, weighted by mean gradients, no negative sum left."""
    net, batch = build("vgg-like"), images()
    maps = net[:4](batch).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(net[4:](maps)[:, 0].sum(), maps)
    coarse = F.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
    fine = F.interpolate(coarse, (7, 7), mode="bilinear")
    found = explainer(net, "grad-cam")(batch, 0).pixels
    torch.testing.assert_close(found.sum(1, keepdim=True), fine.detach())
    assert float(found.max()) > 0


def test_occlusion_by_hand():
    """What the logit loses when a pixel is zero: windows of one pixel on images of seven."""
    net, batch = build("vgg-like"), images(1)
    assert WINDOWS == 7
    expected = torch.zeros(1, 7, 7, dtype=torch.float64)
    for y in range(7):
        for x in range(7):
            covered = batch.clone()
            covered[:, :, y, x] = 0
            expected[0, y, x] = net(batch)[0, 2] - net(covered)[0, 2]
    found = explainer(net, "occlusion")(batch, 2).pixels
    torch.testing.assert_close(found.sum(1), expected.detach())


@pytest.mark.parametrize("name", EXPLAINERS)
def test_the_net_is_left_alone(name):
    """Neither its mode, nor its hooks, nor its weights, nor what needs a gradient changes."""
    net = reused().train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    explainer(net, name)(images(), 1)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert all(parameter.grad is None for parameter in net.parameters())
    for module in net.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize("name", EXPLAINERS)
def test_every_explainer_reads_a_residual_net(name):
    """A ResNet-18 with batch norm, whose blocks use their ReLU again and again."""
    torch.manual_seed(0)
    net = resnet(18, 5).eval()
    batch = torch.randn(1, 3, 40, 40)
    found = explainer(net, name)(batch)
    assert found.pixels.shape == batch.shape
    assert bool(found.pixels.abs().sum() > 0)
    torch.testing.assert_close(found.logits, net(batch), rtol=1e-3, atol=1e-3)
    assert found.layers == (name,)
    assert found.gap.shape == (1, 1)


@pytest.mark.parametrize(
    "net", [build("vgg-like"), build("groups, dilation, average pooling"), reused()]
)
def test_a_rebuilt_net_computes_the_same(net):
    """And shares its weights' memory."""
    again = TracedNet(fold(read(net)))
    torch.testing.assert_close(again(images()), net(images()))
    memory = {parameter.data_ptr() for parameter in net.parameters()}
    assert {parameter.data_ptr() for parameter in again.parameters()} == memory


def test_targets():
    """A difference of logits is the difference of their maps; a probability is its gradient's."""
    net, batch = linear(), images()
    explain = explainer(net, "gradient-times-input")
    one, other = explain(batch, Logit(1)).pixels, explain(batch, 3).pixels
    torch.testing.assert_close(explain(batch, Difference(1, 3)).pixels, one - other)
    runner_up = explain(batch, Difference())
    top = net(batch).topk(2).indices
    expected = explain(batch, top[:, 0]).pixels - explain(batch, top[:, 1]).pixels
    torch.testing.assert_close(runner_up.pixels, expected)
    assert runner_up.target.tolist() == top[:, 0].tolist()
    found = explain(batch, Probability(2))
    torch.testing.assert_close(found.sums[0], net(batch).softmax(1)[:, 2])


def test_each_class_and_no_image():
    """A record for each class as they are asked for one by one; an empty batch has none."""
    net, batch = build("vgg-like"), images()
    explain = explainer(net, "deep-lift")
    for k, record in enumerate(explain.each(batch)):
        torch.testing.assert_close(record.pixels, explain(batch, k).pixels)
    assert [record.target.tolist() for record in explain.each(batch, [3, 0])] == [[3, 3], [0, 0]]
    assert explain(batch[:0]).pixels.shape == (0, 3, 7, 7)


def test_names():
    """One table of names: presets first, no name twice, each with its cost."""
    assert (*PRESETS, *EXPLAINERS) == METHODS
    assert len(set(METHODS)) == len(METHODS) == 13
    assert all(method.passes >= 3 for method in EXPLAINERS.values())
    assert explainer(linear(), "epsilon").layers == ("1",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: explainer(linear(), "rainbow"), "'rainbow' is no preset; .* grad-cam"),
        (
            lambda: explainer(linear(), "grad-cam")(images()),
            "last convolution, and this net has none",
        ),
        (
            lambda: explainer(linear(), "occlusion")(images(), lambda logits: logits),
            "only LRP has",
        ),
        (lambda: explainer(linear(), "occlusion")(images(), at=["0"]), "a preset of LRP gives"),
        (lambda: explainer(linear(), "deep-lift")(images(), 9), "from 0 to 3"),
        (lambda: explainer(linear(), "deep-lift")(images()[0]), "expected normalised images"),
        (lambda: explainer(linear(), "deep-lift")(images() * torch.nan), "finite pixels"),
        (lambda: explainer(nn.Sequential(nn.Softsign()), "deep-lift"), "no rule for layer"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    """With what to do instead."""
    with pytest.raises(RelevanceError, match=message):
        call()


def test_without_captum_the_extra_is_named(monkeypatch):
    """LRP goes on without it."""
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"by deep-lift needs .*emorank\[explainers\]"):
        explainer(linear(), "deep-lift")
    assert explainer(linear(), "epsilon")(images()).pixels.shape == (2, 3, 7, 7)
