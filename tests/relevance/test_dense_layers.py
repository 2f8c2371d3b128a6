"""Dense layers over the last dimension of whatever comes, against the plain rules by position."""

import pytest
import torch
from small_nets import RULES, plain
from torch import Tensor, nn

from emorank.relevance import Preset, prepare, relevance
from emorank.relevance.rules import Zero
from reference import lrp


def one_by_one(dense: nn.Linear) -> nn.Conv2d:
    """The same layer as a convolution of 1×1 over the places."""
    convolution = nn.Conv2d(dense.in_features, dense.out_features, 1).double()
    convolution.weight.data = dense.weight.data[:, :, None, None]
    convolution.bias.data = dense.bias.data
    return convolution


def nets() -> tuple[nn.Sequential, nn.Sequential]:
    """Dense layers of 4-D inputs (columns are the features), and their 1×1 convolutions."""
    torch.manual_seed(0)
    one, two, last = nn.Linear(6, 7), nn.Linear(7, 4), nn.Linear(3 * 5 * 4, 3)
    mine = nn.Sequential(one, nn.ReLU(), two, nn.ReLU(), nn.Flatten(), last).double()
    # Features first: the last layer reads them in another order.
    order = torch.arange(60).view(3, 5, 4).permute(2, 0, 1).flatten()
    other = nn.Linear(60, 3).double()
    other.weight.data, other.bias.data = last.weight.data[:, order], last.bias.data
    convolutions = [one_by_one(dense) for dense in (one, two)]
    theirs = nn.Sequential(
        convolutions[0], nn.ReLU(), convolutions[1], nn.ReLU(), nn.Flatten(), other
    )
    return mine, theirs


def images() -> Tensor:
    return torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("bias", ["absorbed", "distributed"])
@pytest.mark.parametrize("rule", RULES)
def test_a_dense_layer_of_many_dimensions_is_one_by_one_at_each_place(rule, bias):
    """Map and account by every rule, as of the convolution and by the oracle."""
    mine, theirs = nets()
    preset = Preset(RULES[rule], RULES[rule], RULES[rule], bias=bias)
    first = images().permute(0, 3, 1, 2)
    found = relevance(mine, images(), [0, 1], preset)
    expected = relevance(theirs, first, [0, 1], preset)
    torch.testing.assert_close(found.logits, mine(images()).detach(), rtol=1e-10, atol=1e-10)
    near = {"rtol": 1e-9, "atol": 1e-9 * float(expected.pixels.abs().max())}
    torch.testing.assert_close(found.pixels, expected.pixels.permute(0, 2, 3, 1), **near)
    for name in ("sums", "bias", "stabiliser"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), **near)
    layers = list(theirs)
    by_hand = lrp.walk(
        lrp.chain(layers), first[0].contiguous().numpy(), lrp.logit(0), plain(layers, preset)
    )
    slow = torch.from_numpy(by_hand[0]).permute(1, 2, 0)
    torch.testing.assert_close(found.pixels[0], slow, **near)


def test_it_conserves_and_is_the_gradient_times_the_input():
    """Without biases, by the rule 0, which for ReLU nets is autograd's gradient × input."""
    mine, _ = nets()
    for layer in mine:
        if isinstance(layer, nn.Linear):
            layer.bias = None
    batch = images().requires_grad_()
    found = relevance(mine, batch, 2, Preset(Zero(), Zero(), Zero()))
    (gradient,) = torch.autograd.grad(mine(batch)[:, 2].sum(), batch)
    torch.testing.assert_close(found.pixels, gradient * batch.detach(), rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(found.sums, found.sums[:1].expand_as(found.sums), rtol=1e-9, atol=0)


def test_a_norm_of_channels_is_not_folded_into_a_dense_layer():
    """Its channels are the first dimension, the outputs of the dense layer the last."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3)
    norm.running_mean.uniform_(-1, 1)
    net = nn.Sequential(nn.Linear(6, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(45, 3))
    net = net.double().eval()
    torch.testing.assert_close(prepare(net)(images()).logits, net(images()).detach())
