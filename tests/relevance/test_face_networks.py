"""Networks of faces as laboratories write them, small: their own logits, and nothing lost.

facenet-pytorch's InceptionResnetV1, insightface's iresnet, MobileFaceNet, the SE-ResNet of
VGGFace2, mini-Xception, HSEmotion's EfficientNet, and the heads of DAN; with random weights.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance import Preset, prepare
from emorank.relevance.rules import Epsilon, Zero, ZPlus


class BasicConv2d(nn.Module):
    """facenet-pytorch's."""

    def __init__(self, given: int, made: int, kernel: int, stride: int = 1, padding: int = 0):
        super().__init__()
        self.conv = nn.Conv2d(given, made, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(made, eps=0.001, momentum=0.1, affine=True)
        self.relu = nn.ReLU(inplace=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = self.bn(x)
        return self.relu(x)


class Block35(nn.Module):
    def __init__(self, scale: float = 1.0, *, no_relu: bool = False) -> None:
        super().__init__()
        self.scale, self.noReLU = scale, no_relu
        self.branch0 = BasicConv2d(8, 2, 1)
        self.branch1 = nn.Sequential(BasicConv2d(8, 2, 1), BasicConv2d(2, 2, 3, padding=1))
        self.conv2d = nn.Conv2d(4, 8, kernel_size=1, stride=1)
        if not self.noReLU:
            self.relu = nn.ReLU(inplace=False)

    def forward(self, x: Tensor) -> Tensor:
        out = torch.cat((self.branch0(x), self.branch1(x)), 1)
        out = self.conv2d(out)
        out = out * self.scale + x
        if not self.noReLU:
            out = self.relu(out)
        return out


class Mixed6a(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch0 = BasicConv2d(8, 4, 3, stride=2)
        self.branch2 = nn.MaxPool2d(3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.branch0(x), self.branch2(x)), 1)


class InceptionResnetV1(nn.Module):
    """facenet-pytorch: with classes, or the embedding of a face, which it divides by its length."""

    def __init__(self, *, classify: bool) -> None:
        super().__init__()
        self.classify = classify
        self.conv2d_1a = BasicConv2d(3, 8, 3, stride=2)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.repeat_1 = nn.Sequential(Block35(scale=0.17), Block35(scale=0.17))
        self.mixed_6a = Mixed6a()
        self.block8 = nn.Sequential(nn.Conv2d(12, 8, 1), Block35(no_relu=True))
        self.avgpool_1a = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.6)
        self.last_linear = nn.Linear(8, 6, bias=False)
        self.last_bn = nn.BatchNorm1d(6, eps=0.001, momentum=0.1, affine=True)
        self.logits = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d_1a(x)
        x = self.maxpool_3a(x)
        x = self.repeat_1(x)
        x = self.mixed_6a(x)
        x = self.block8(x)
        x = self.avgpool_1a(x)
        x = self.dropout(x)
        x = self.last_linear(x.view(x.shape[0], -1))
        x = self.last_bn(x)
        if self.classify:
            return self.logits(x)
        return F.normalize(x, p=2, dim=1)


class IBasicBlock(nn.Module):
    """insightface's: batch norm before the convolution, PReLU, a shortcut."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(given, eps=1e-05)
        self.conv1 = nn.Conv2d(given, made, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(made, eps=1e-05)
        self.prelu = nn.PReLU(made)
        self.conv2 = nn.Conv2d(made, made, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(made, eps=1e-05)
        self.downsample = None
        if stride != 1:
            shortcut = nn.Conv2d(given, made, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(made, eps=1e-05))

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.bn1(x)
        out = self.conv1(out)
        out = self.bn2(out)
        out = self.prelu(out)
        out = self.conv2(out)
        out = self.bn3(out)
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return out


class IResNet(nn.Module):
    """insightface's iresnet: mixed precision in its forward, features behind a batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.fp16 = False
        self.conv1 = nn.Conv2d(3, 6, 3, 1, 1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(6, eps=1e-05), nn.PReLU(6)
        self.layer1 = nn.Sequential(IBasicBlock(6, 8, 2), IBasicBlock(8, 8))
        self.bn2, self.dropout = nn.BatchNorm2d(8, eps=1e-05), nn.Dropout(p=0.0, inplace=True)
        self.fc = nn.Linear(8 * 16 * 16, 4)
        self.features = nn.BatchNorm1d(4, eps=1e-05)

    def forward(self, x: Tensor) -> Tensor:
        with torch.amp.autocast("cuda", enabled=self.fp16):
            x = self.conv1(x)
            x = self.bn1(x)
            x = self.prelu(x)
            x = self.layer1(x)
            x = self.bn2(x)
            x = torch.flatten(x, 1)
            x = self.dropout(x)
        x = self.fc(x.float() if self.fp16 else x)
        return self.features(x)


class Flatten(nn.Module):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as its authors write it
        return input.view(input.size(0), -1)


class ConvBlock(nn.Module):
    def __init__(self, given: int, made: int, kernel: int, stride: int, pad: int, groups: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(given, made, kernel, stride, pad, groups=groups, bias=False)
        self.bn, self.prelu = nn.BatchNorm2d(made), nn.PReLU(made)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(self.bn(self.conv(x)))


class DepthWise(nn.Module):
    def __init__(self, *, residual: bool) -> None:
        super().__init__()
        self.conv = ConvBlock(6, 12, 1, 1, 0)
        self.conv_dw = ConvBlock(12, 12, 3, 1 if residual else 2, 1, groups=12)
        self.project = nn.Sequential(nn.Conv2d(12, 6, 1, bias=False), nn.BatchNorm2d(6))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        short_cut = x
        x = self.project(self.conv_dw(self.conv(x)))
        return short_cut + x if self.residual else x


class MobileFaceNet(nn.Module):
    """Of MobileFaceNet_Pytorch: a convolution by channel over all places, and a unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBlock(3, 6, 3, 2, 1)
        self.conv_23 = DepthWise(residual=False)
        self.conv_3 = DepthWise(residual=True)
        self.conv_6_dw = nn.Sequential(nn.Conv2d(6, 6, 8, groups=6, bias=False), nn.BatchNorm2d(6))
        self.conv_6_flatten = Flatten()
        self.linear, self.bn = nn.Linear(6, 4, bias=False), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv_6_dw(self.conv_3(self.conv_23(self.conv1(x))))
        out = self.bn(self.linear(self.conv_6_flatten(out)))
        norm = torch.norm(out, 2, 1, True)
        return torch.div(out, norm)


class SEModule(nn.Module):
    """Of the SENet of VGGFace2."""

    def __init__(self) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.relu = nn.Conv2d(8, 8, kernel_size=1, padding=0), nn.ReLU(inplace=True)
        self.fc2, self.sigmoid = nn.Conv2d(8, 8, kernel_size=1, padding=0), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        original = x
        x = self.avg_pool(x)
        x = self.fc1(x)
        x = self.relu(x)
        x = self.fc2(x)
        x = self.sigmoid(x)
        return original * x


class SEBottleneck(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv3, self.bn3 = nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.relu, self.se = nn.ReLU(inplace=True), SEModule()

    def forward(self, x: Tensor) -> Tensor:
        residual = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out = self.se(out) + residual
        return self.relu(out)


class SENet(nn.Module):
    """SE-ResNet-50 of VGGFace2: its first pooling has a border that no rest may leave."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True)
        self.layer1 = nn.Sequential(SEBottleneck(), SEBottleneck())
        self.avgpool, self.fc = nn.AvgPool2d(8, stride=1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.avgpool(self.layer1(x))
        x = x.view(x.size(0), -1)
        return self.fc(x)


class SeparableConv2d(nn.Module):
    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(given, given, 3, padding=1, groups=given, bias=False)
        self.pointwise = nn.Conv2d(given, made, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class MiniXception(nn.Module):
    """mini-Xception (Arriaga et al. 2017): the mean of as many maps as there are classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.residual = nn.Sequential(nn.Conv2d(4, 8, 1, 2, bias=False), nn.BatchNorm2d(8))
        self.module = nn.Sequential(
            SeparableConv2d(4, 8), nn.BatchNorm2d(8), nn.ReLU(),
            SeparableConv2d(8, 8), nn.BatchNorm2d(8), nn.MaxPool2d(3, 2, 1),
        )  # fmt: skip
        self.last = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = torch.add(self.module(x), self.residual(x))
        return F.adaptive_avg_pool2d(self.last(x), 1).squeeze(3).squeeze(2)


class SqueezeExcite(nn.Module):
    """timm's, as HSEmotion's EfficientNets have it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_reduce, self.act1 = nn.Conv2d(12, 2, 1), nn.SiLU(inplace=True)
        self.conv_expand, self.gate = nn.Conv2d(2, 12, 1), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        x_se = x.mean((2, 3), keepdim=True)
        x_se = self.conv_reduce(x_se)
        x_se = self.act1(x_se)
        x_se = self.conv_expand(x_se)
        return x * self.gate(x_se)


class InvertedResidual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_pw, self.bn1 = nn.Conv2d(6, 12, 1, bias=False), nn.BatchNorm2d(12)
        self.conv_dw = nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False)
        self.bn2, self.act, self.se = nn.BatchNorm2d(12), nn.SiLU(inplace=True), SqueezeExcite()
        self.conv_pwl, self.bn3 = nn.Conv2d(12, 6, 1, bias=False), nn.BatchNorm2d(6)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x
        x = self.act(self.bn1(self.conv_pw(x)))
        x = self.se(self.act(self.bn2(self.conv_dw(x))))
        return self.bn3(self.conv_pwl(x)) + shortcut


class EfficientNet(nn.Module):
    """timm's, with the classifier in a Sequential, as HSEmotion saves it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn1 = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.act = nn.SiLU(inplace=True)
        self.blocks = nn.Sequential(InvertedResidual(), InvertedResidual())
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(in_features=6, out_features=4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.act(self.bn1(self.conv_stem(x))))
        return self.classifier(self.global_pool(x).flatten(1))


class SpatialAttention(nn.Module):
    """DAN's, whose gate is a sum over all channels behind a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1x1 = nn.Sequential(nn.Conv2d(6, 4, kernel_size=1), nn.BatchNorm2d(4))
        kernels, paddings = ((3, 3), (1, 3), (3, 1)), (1, (0, 1), (1, 0))
        self.conv_3x3, self.conv_1x3, self.conv_3x1 = (
            nn.Sequential(nn.Conv2d(4, 6, kernel_size=k, padding=p), nn.BatchNorm2d(6))
            for k, p in zip(kernels, paddings, strict=True)
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1x1(x)
        y = self.relu(self.conv_3x3(y) + self.conv_1x3(y) + self.conv_3x1(y))
        y = y.sum(dim=1, keepdim=True)
        return x * y


class ChannelAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.attention = nn.Sequential(
            nn.Linear(6, 3), nn.BatchNorm1d(3), nn.ReLU(inplace=True), nn.Linear(3, 6), nn.Sigmoid()
        )

    def forward(self, sa: Tensor) -> Tensor:
        sa = self.gap(sa)
        sa = sa.view(sa.size(0), -1)
        y = self.attention(sa)
        return sa * y


class DAN(nn.Module):
    """Several heads that look at one map; the sum of what they say decides.

    Its authors divide the heads among each other by a softmax before, which has no rule.
    """

    def __init__(self) -> None:
        super().__init__()
        self.num_head = 2
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        )
        for i in range(self.num_head):
            setattr(self, f"cat_head{i}", nn.Sequential(SpatialAttention(), ChannelAttention()))
        self.fc, self.bn = nn.Linear(6, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        heads = [getattr(self, f"cat_head{i}")(x) for i in range(self.num_head)]
        joined = torch.stack(heads, 1)
        return self.bn(self.fc(joined.sum(dim=1)))


NETS = {
    "InceptionResnetV1": lambda: InceptionResnetV1(classify=True),
    "InceptionResnetV1, embedding": lambda: InceptionResnetV1(classify=False),
    "iresnet": IResNet,
    "MobileFaceNet": MobileFaceNet,
    "SE-ResNet of VGGFace2": SENet,
    "mini-Xception": MiniXception,
    "EfficientNet of HSEmotion": EfficientNet,
    "DAN": DAN,
}


def net_of(name: str, *, biases: bool) -> nn.Module:
    torch.manual_seed(7)
    net = NETS[name]().double().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
            if not biases:
                nn.init.zeros_(layer.running_mean)
        if not biases and getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)
    return net.requires_grad_(requires_grad=False)


def faces() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 3, 32, 32, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("products", ["signal", "even"])
def test_a_network_of_faces(name, products):
    """Its own logits; all relevance accounted for; without biases it is all at the pixels."""
    preset = Preset(Epsilon(), ZPlus(), ZPlus(), products=products)
    net = net_of(name, biases=True)
    record = prepare(net, preset)(faces(), [1, 2])
    torch.testing.assert_close(record.logits, net(faces()), rtol=1e-10, atol=1e-12)
    scale = float(record.sums.abs().max())
    nothing = torch.zeros_like(record.lost)
    torch.testing.assert_close(record.lost, nothing, rtol=0, atol=1e-9 * scale)
    exact = Preset(Zero(), Zero(), Zero(), products=products)
    record = prepare(net_of(name, biases=False), exact)(faces(), 1)
    kept = record.sums[-1] + record.stabiliser.sum(0)
    scale = float(record.sums.abs().max())
    torch.testing.assert_close(kept, record.sums[0], rtol=0, atol=1e-9 * scale)
    assert bool(record.pixels.any())
