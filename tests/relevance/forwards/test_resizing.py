"""`F.interpolate` to sizes that other maps say: as with these numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance import prepare, relevance


class Written(nn.Module):
    """A map, a smaller one, and what a test makes of both."""

    def __init__(self, way) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.conv, self.down = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, stride=2)
        self.fc = nn.Linear(100, 3)
        self.way = way
        self.double().eval().requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        large = F.relu(self.conv(x))
        return self.fc(self.way(large, F.relu(self.down(large))).flatten(1))


def images() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 3, 7, 7, generator=generator, dtype=torch.float64)


PAIRS = {
    "nearest, of another map": (
        lambda a, b: a + F.interpolate(b, size=a.shape[-2:]),
        lambda a, b: a + F.interpolate(b, size=(5, 5)),
    ),
    "bilinear, of another map": (
        lambda a, b: a + F.interpolate(b, a.size()[2:], mode="bilinear", align_corners=True),
        lambda a, b: a + F.interpolate(b, (5, 5), mode="bilinear", align_corners=True),
    ),
    "its own size": (
        lambda a, b: a + F.interpolate(b, size=(b.shape[2] + 3, b.shape[3] + 3), mode="bicubic"),
        lambda a, b: a + F.interpolate(b, size=(5, 5), mode="bicubic"),
    ),
    "the gate of GhostNetV2": (
        lambda a, b: (
            a * F.interpolate(torch.sigmoid(b), size=(a.shape[-2], a.shape[-1]), mode="nearest")
        ),
        lambda a, b: a * F.interpolate(torch.sigmoid(b), size=(5, 5), mode="nearest"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_size_of_another_map(name):
    """Relevance as with numbers, of one target and of every class; other maps get none for it."""
    asked, fixed = (Written(way) for way in PAIRS[name])
    for preset in ("epsilon", "epsilon-plus-flat"):
        mine, theirs = (relevance(net, images(), 1, preset) for net in (asked, fixed))
        torch.testing.assert_close(mine.logits, asked(images()), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-9, atol=1e-12)
    explain = prepare(asked, "epsilon")
    for number, record in enumerate(explain.each(images())):
        alone = explain(images(), number).pixels
        torch.testing.assert_close(record.pixels, alone, rtol=1e-9, atol=1e-12)


def test_a_factor_that_sizes_say_is_refused():
    """Only the size is looked up."""
    with pytest.raises(RelevanceError, match="size of the images among its settings"):
        relevance(Written(lambda a, b: a + F.interpolate(b, scale_factor=a.shape[2])), images())
