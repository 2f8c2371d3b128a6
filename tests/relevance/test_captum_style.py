"""captum's words: the same call, and on the same rules the same numbers."""

import pytest
import torch
from small_nets import HIGH, LOW, build, images
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import LRP, Difference, Preset, relevance
from emorank.relevance.rules import Epsilon
from reference import peers


def smooth() -> nn.Sequential:
    """A net without pooling, which captum stabilises in its own way (docs/peers.md)."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(36, 4),
    ).double()  # fmt: skip


def unflattened(net: nn.Sequential) -> nn.Sequential:
    """The net as captum takes it: it refuses `nn.Flatten`."""

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.last = net[:4], net[5]

        def forward(self, x):
            return self.last(self.before(x).flatten(1))

    return Dense()


@pytest.mark.parametrize("target", [2, [1, 3], torch.tensor([0, 2])])
def test_its_numbers_are_captums(target):
    """By the epsilon rule everywhere, captum's own."""
    rule = Epsilon(peers.CAPTUM_STABILISER)
    net, batch = smooth(), images()
    found = LRP(net, Preset(rule, rule, rule)).attribute(batch, target)
    theirs = peers.by_captum(unflattened(net), batch, torch.as_tensor(target))
    torch.testing.assert_close(found, theirs, rtol=1e-9, atol=1e-9)


def test_it_says_what_the_engine_says():
    """Targets of ours too; the delta is what biases and stabilisers took."""
    net, batch = build("vgg-like"), images()
    explain = LRP(net, "epsilon-gamma-box", low=LOW, high=HIGH)
    wanted = relevance(net, batch, 1, "epsilon-gamma-box", low=LOW, high=HIGH)
    found, delta = explain.attribute((batch,), target=1, return_convergence_delta=True)
    torch.testing.assert_close(found[0], wanted.pixels)
    torch.testing.assert_close(delta, wanted.logits[:, 1] - wanted.pixels.sum((1, 2, 3)))
    assert explain.has_convergence_delta()
    other = explain.attribute(batch, Difference(0, 2))
    assert other.shape == batch.shape


def test_the_weights_are_those_of_the_moment():
    """Between two calls it may be trained, as with captum."""
    net, batch = build("vgg-like"), images()
    explain = LRP(net)
    explain.attribute(batch, 1)
    with torch.no_grad():
        net[0].weight.mul_(2)
    torch.testing.assert_close(explain.attribute(batch, 1), relevance(net, batch, 1).pixels)


def test_other_inputs_are_refused():
    """A net takes images alone."""
    explain = LRP(build("vgg-like"))
    with pytest.raises(RelevanceError, match="additional_forward_args=None"):
        explain.attribute(images(), 1, additional_forward_args=(1,))
    with pytest.raises(RelevanceError, match="tuple of 2"):
        explain.attribute((images(), images()), 1)
