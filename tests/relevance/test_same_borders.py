"""Pooling with TensorFlow's border, and padding that cuts: as the same written with numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance import override_preset, relevance


def sides(shape: torch.Size, kernel: int, stride: int, gap: int) -> list[int]:
    padding = []
    for n in shape[:1:-1]:
        more = max((-(-int(n) // stride) - 1) * stride + (kernel - 1) * gap + 1 - int(n), 0)
        padding += [more // 2, more - more // 2]
    return padding


class _MaxPool2dSame(nn.MaxPool2d):
    def forward(self, x: Tensor) -> Tensor:
        sizes = (self.kernel_size, self.stride, self.dilation)
        padded = F.pad(x, sides(x.shape, *sizes), value=-torch.inf)
        return F.max_pool2d(padded, self.kernel_size, self.stride, 0, self.dilation)


class _AvgPool2dSame(nn.AvgPool2d):
    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, sides(x.shape, self.kernel_size, self.stride, 1))
        return F.avg_pool2d(padded, self.kernel_size, self.stride)


def timm(kind: type, name: str) -> type:
    return type(name, (kind,), {"__module__": "timm.layers.pool2d_same"})


MaxPool2dSame = timm(_MaxPool2dSame, "MaxPool2dSame")
AvgPool2dSame = timm(_AvgPool2dSame, "AvgPool2dSame")


def net_of(*pools: nn.Module) -> nn.Module:
    torch.manual_seed(4)
    end = (nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3))
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), *pools, *end).double().eval()
    return net.requires_grad_(requires_grad=False)


def images(side: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, side, side, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("way", ["winner", "even", "proportional"])
@pytest.mark.parametrize("side", [11, 12])
def test_pooling_by_size_is_pooling_with_these_numbers(side, way):
    """At an odd size with one row more on both sides, at an even one only at the end."""
    preset = override_preset("epsilon", max_pooling=way)
    border = int(side == 11)
    plain = nn.MaxPool2d(3, 2, border, ceil_mode=True)
    timms, torchs = (net_of(p) for p in (MaxPool2dSame(3, 2), plain))
    mine, theirs = (relevance(net, images(side), 1, preset) for net in (timms, torchs))
    torch.testing.assert_close(mine.logits, timms(images(side)), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-12, atol=1e-14)
    zeros = nn.ZeroPad2d((border, 1, border, 1))
    timms = net_of(AvgPool2dSame(3, 2))
    torchs = net_of(zeros, nn.AvgPool2d(3, 2))
    mine, theirs = (relevance(net, images(side), 1, preset) for net in (timms, torchs))
    torch.testing.assert_close(mine.logits, timms(images(side)), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-12, atol=1e-14)


def test_windows_with_gaps_and_windows_that_leave_values_out():
    """A dilation; a stride that is longer than the window."""
    for layer in (MaxPool2dSame(2, 3), MaxPool2dSame(3, 2, dilation=2), AvgPool2dSame(1, 2)):
        net = net_of(layer)
        record = relevance(net, images(12), 1, "epsilon")
        torch.testing.assert_close(record.logits, net(images(12)), rtol=1e-12, atol=1e-12)
        lost = record.lost.abs().max()
        assert float(lost) <= 1e-9 * float(record.sums.abs().max())


def test_padding_that_cuts():
    """NASNet's shift by one place: what is cut off gets nothing, new zeros neither."""

    class Sliced(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))

    cut = net_of(nn.ZeroPad2d((-1, 1, -1, 1)))
    sliced = net_of(Sliced())
    mine, theirs = (relevance(net, images(9), 1, "epsilon") for net in (cut, sliced))
    torch.testing.assert_close(mine.logits, cut(images(9)), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-12, atol=1e-14)
