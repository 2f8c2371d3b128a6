"""Lengths and denominators count as constants: what they divide or scale takes all relevance."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance import Preset, explainer, relevance
from emorank.relevance.rules import Epsilon


class Written(nn.Module):
    """A convolution, what a test writes, and a dense layer."""

    def __init__(self, way) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.conv, self.fc = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(36, 3)
        self.weight = nn.Parameter(torch.tensor([0.5, -1.0, 2.0, 0.1]).view(1, 4, 1, 1))
        self.bias = nn.Parameter(torch.tensor([0.1, 0.2, -0.3, 0.0]).view(1, 4, 1, 1))
        self.way = way
        self.double().eval().requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.way(self, F.relu(self.conv(x))).flatten(1))


def images() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 3, 7, 7, generator=generator, dtype=torch.float64)


def response_norm(net: Written, x: Tensor) -> Tensor:
    """ConvNeXt V2's, as timm writes it."""
    x_g = x.norm(p=2, dim=(2, 3), keepdim=True)
    x_n = x_g / (x_g.mean(dim=1, keepdim=True) + 1e-6)
    return x + torch.addcmul(net.bias, net.weight, x * x_n)


@pytest.mark.parametrize("products", ["signal", "even"])
def test_a_response_norm_is_a_scale_that_is_measured(products):
    """As with these numbers for constants, one image at a time, also where products are shared."""
    preset = Preset(Epsilon(), Epsilon(), Epsilon(), products=products)
    net = Written(response_norm)
    record = relevance(net, images(), 1, preset)
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    for k, image in enumerate(images()):
        x = F.relu(net.conv(image[None]))
        x_g = x.norm(p=2, dim=(2, 3), keepdim=True)
        measured = (x_g / (x_g.mean(dim=1, keepdim=True) + 1e-6))[0]

        def scaled(net: Written, x: Tensor, by: Tensor = measured) -> Tensor:
            return x + (x * by * net.weight + net.bias)

        other = relevance(Written(scaled), image[None], 1, preset)
        torch.testing.assert_close(record.pixels[k], other.pixels[0], rtol=1e-9, atol=1e-12)


LENGTHS = {
    "a function": lambda _, x: F.normalize(x, dim=1),
    "a method": lambda _, x: x / x.norm(2, 1, True),
    "torch.norm": lambda _, x: torch.div(x, torch.norm(x, 2, 1, keepdim=True)),
    "torch.linalg": lambda _, x: x / torch.linalg.vector_norm(x, dim=1, keepdim=True),
    "torch.linalg.norm": lambda _, x: x / torch.linalg.norm(x, dim=1, keepdim=True),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_unit_length_passes_relevance(name):
    """However it is written: relevance goes through unchanged, so that nothing is lost."""
    net = Written(lambda _, x: LENGTHS[name](_, x + 0.1))
    record = relevance(net, images(), 1, "epsilon")
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    by_name = dict(zip(record.layers, record.sums[:-1], strict=True))
    torch.testing.assert_close(by_name["add"], record.sums[1], rtol=1e-9, atol=1e-12)
    assert float(record.lost.abs().max()) <= 1e-9 * float(record.sums.abs().max())
    gradient = explainer(net, "gradient-times-input")(images(), 1)
    torch.testing.assert_close(gradient.logits, record.logits)


def test_a_sum_over_all_channels_is_a_gate():
    """DAN's spatial attention; of two branches without a sign of a gate, the way out is named."""
    net = Written(lambda _, x: x * F.elu(x).sum(dim=1, keepdim=True))
    record = relevance(net, images(), 1, "epsilon")
    torch.testing.assert_close(record.logits, net(images()), rtol=1e-12, atol=1e-12)
    with pytest.raises(RelevanceError, match="no relevance comes to 'sum_1'"):
        relevance(net, images(), 1, "epsilon", at=["sum_1"])
    with pytest.raises(RelevanceError, match="in the shell --products even"):
        relevance(Written(lambda _, x: x * (x + 1)), images())


WRONG = {
    "explained itself": (lambda _, x: x + x.norm(dim=1, keepdim=True).expand_as(x), "the length"),
    "of a whole batch": (lambda _, x: x / x.norm(dim=0, keepdim=True), "dimension of each image"),
    "without dimensions": (lambda _, x: x / x.norm(), "no rule for 'norm'"),
    "of matrices": (
        lambda _, x: x / torch.linalg.norm(x, dim=(2, 3), keepdim=True),
        "in this form",
    ),
    "two lengths": (
        lambda _, x: x + x.norm(dim=1, keepdim=True) * x.norm(dim=2, keepdim=True),
        "both branches",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_rule(name):
    """The step is named."""
    way, words = WRONG[name]
    with pytest.raises(RelevanceError, match=words):
        relevance(Written(way), images(), 1)
