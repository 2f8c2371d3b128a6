"""Batch norm and joins: ours against zennit's canonizers, on nets as torchvision builds them."""

import copy

import pytest
import torch
from torch import Tensor, nn

from emorank.relevance import Preset, relevance
from emorank.relevance.rules import Epsilon
from reference import peers

LOW, HIGH = torch.full((3,), -2.0).double(), torch.full((3,), 2.5).double()
CLASSES = 4


class BatchNormVGG(nn.Module):
    """As torchvision's vgg11_bn, with two blocks and a narrow head."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *conv_norm_relu(3, 6),
            nn.MaxPool2d(2, 2),
            *conv_norm_relu(6, 8),
            *conv_norm_relu(8, 8),
            nn.MaxPool2d(2, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((3, 3))
        self.classifier = nn.Sequential(
            nn.Linear(8 * 9, 12),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(12, CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def conv_norm_relu(channels: int, width: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """As torchvision's BasicBlock: one ReLU used twice, the sum in place."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or channels != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class SeenBlock(Block):
    """The same with a sum that zennit sees, as its canonizer of torchvision's ResNets makes it."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        self.join = peers.Sum()

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(self.join(torch.stack([identity, out], dim=-1)))


class SmallResNet(nn.Module):
    """As torchvision's ResNet, with three blocks; the pooling of the stem overlaps."""

    def __init__(self, block: type[Block] = Block) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(block(6, 6, 1))
        self.layer2 = nn.Sequential(block(6, 8, 2), block(8, 8, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def trained(net: nn.Module, seed: int = 0) -> nn.Module:
    """In float64 and evaluation mode, with statistics as after a training."""
    generator = torch.Generator().manual_seed(seed)

    def between(like: Tensor, low: float, high: float) -> Tensor:
        unit = torch.rand(like.shape, generator=generator, dtype=torch.float64)
        return low + unit * (high - low)

    net = net.double().eval().requires_grad_(requires_grad=False)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight.copy_(between(layer.weight, -0.5, 0.5))
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.copy_(between(layer.running_mean, -0.5, 0.5))
            layer.running_var.copy_(between(layer.running_var, 0.5, 2))
            # Scales of either sign: merged into the weights, they turn positive to negative.
            layer.weight.copy_(between(layer.weight, -1, 1.5))
            layer.bias.copy_(between(layer.bias, -0.5, 0.5))
    return net


def images(side: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, 3, side, side, generator=generator, dtype=torch.float64) * 4.5 - 2


def zennit(net: nn.Module, preset: str, target: Tensor) -> Tensor:
    """On a copy: zennit leaves attributes behind on layers that it merged."""
    merge = peers.zennit.canonizers.SequentialMergeBatchNorm()
    rules = peers.composite(preset, LOW, HIGH, canonizers=[merge])
    return peers.by_zennit(copy.deepcopy(net), images(), target, rules)


def assert_same(net: nn.Module, seen: nn.Module, preset: str) -> None:
    """Pixel by pixel to 1e-9, or to rounding of the greatest."""
    target = torch.tensor([3, 0])
    mine = relevance(net, images(), target, preset, low=LOW, high=HIGH).pixels
    theirs = zennit(seen, preset, target)
    scale = float(theirs.abs().max())
    assert scale > 0
    torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize("preset", peers.SHARED)
def test_vgg_with_batch_norm_is_zennits(preset):
    """Folded into the convolution before it, modified weights after that."""
    net = trained(BatchNormVGG())
    assert_same(net, net, preset)


@pytest.mark.parametrize("preset", peers.SHARED)
def test_resnet_is_zennits(preset):
    """At the joins in proportion to what each branch brought; the stem's maxima overlap."""
    net = trained(SmallResNet())
    seen = SmallResNet(SeenBlock).double().eval()
    seen.load_state_dict(net.state_dict())
    torch.testing.assert_close(seen(images()), net(images()), rtol=1e-12, atol=1e-12)
    assert_same(net, seen, preset)


def test_captum_explains_batch_norm_as_if_folded():
    """As a layer of its own by epsilon: what it multiplies the convolution divides by again.

    s z / (s z + t) · a w / z = s a w / (s z + t), the share of the folded convolution.
    """
    net = trained(BatchNormVGG())
    rule = Epsilon(peers.CAPTUM_STABILISER)
    mine = relevance(net, images(), 1, Preset(rule, rule, rule)).pixels
    theirs = peers.by_captum(copy.deepcopy(net), images(), 1)
    # What is left is average pooling, stabilised by 1e-6 here and by 1e-9 there.
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4 * float(theirs.abs().max()))


class Inverted(nn.Module):
    """As torchvision's MobileNetV2: ReLU6, a convolution by channel, a sum that zennit sees."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.conv = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, 1, 1, groups=wide, bias=False), nn.BatchNorm2d(wide),
            nn.ReLU6(), nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        self.join: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.join is None:
            return x + self.conv(x)
        return self.join(torch.stack([x, self.conv(x)], dim=-1))


class Inception(nn.Module):
    """Branches beside each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch1 = nn.Sequential(*conv_norm_relu(channels, 3))
        self.branch2 = nn.Sequential(*conv_norm_relu(channels, 2), *conv_norm_relu(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x)], 1)


class Shuffle(nn.Module):
    """As torchvision's ShuffleNetV2, with a change of the channels' order."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch = nn.Sequential(*conv_norm_relu(half, half))

    def forward(self, x: Tensor) -> Tensor:
        kept, changed = x.chunk(2, dim=1)
        x = torch.cat((kept, self.branch(changed)), dim=1)
        n, c, h, w = x.size()
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def separable(channels: int) -> nn.Module:
    """Xception's convolutions by channel and by pixel."""
    by_channel = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    by_pixel = nn.Conv2d(channels, channels, 1, bias=False)
    return nn.Sequential(by_channel, by_pixel, nn.BatchNorm2d(channels), nn.ReLU())


def enlarging(channels: int) -> nn.Module:
    """A transposed convolution, and copies of a smaller map."""
    back = nn.ConvTranspose2d(channels, 4, 2, stride=2)
    return nn.Sequential(
        nn.MaxPool2d(2), back, nn.ReLU(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2),
        nn.Conv2d(4, channels, 3), nn.SiLU(),
    )  # fmt: skip


def copying(channels: int) -> nn.Module:
    """Copies at the border, of a padding layer and of a convolution's own."""
    own = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular")
    return nn.Sequential(nn.ReflectionPad2d(2), nn.ReplicationPad2d((1, 0, 0, 1)), own, nn.ReLU())


FAMILIES = {
    "inverted residuals, ReLU6 (MobileNetV2)": Inverted,
    "concatenation (Inception)": Inception,
    "channel shuffle (ShuffleNetV2)": Shuffle,
    "separable convolutions (Xception)": separable,
    "transposed convolutions, enlarging, SiLU": enlarging,
    "copies at the border": copying,
}


class Headed(nn.Module):
    """Features, their means and a dense layer; captum takes no module that flattens."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features, self.avgpool = features, nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(24, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.features(x)), 1))


def of_family(name: str, seed: int = 0) -> nn.Module:
    block = FAMILIES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return trained(Headed(nn.Sequential(*conv_norm_relu(3, 6), block(6), block(6))))


@pytest.mark.parametrize("preset", peers.SHARED)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_zennits(name, preset):
    """Where zennit has the same rule, or leaves it to a gradient that is the same."""
    net = of_family(name)
    seen = copy.deepcopy(net)
    for layer in seen.modules():
        if isinstance(layer, Inverted):
            layer.join = peers.Sum()
    assert_same(net, seen, preset)


def test_concatenation_is_captums_by_epsilon():
    """Branches, batch norm and ReLU; average pooling is stabilised by another number there.

    That shows where a mean is nearly 0: the maps differ by 0.8 % with seed 0, 0.004 % with seed 1.
    """
    net = of_family("concatenation (Inception)", seed=1)
    rule = Epsilon(peers.CAPTUM_STABILISER)
    mine = relevance(net, images(), 1, Preset(rule, rule, rule)).pixels
    theirs = peers.by_captum(copy.deepcopy(net), images(), 1)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-3 * float(theirs.abs().max()))
