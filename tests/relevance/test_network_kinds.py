"""Small nets with the blocks of the families that labs use: their own logits, nothing lost.

The block is written as the family's authors or torchvision and timm write it.
"""

import pytest
import torch
import torch.nn.functional as F
from small_nets import HIGH, LOW
from torch import Tensor, fx, nn

from emorank.relevance import PRESETS, Preset, explainer, override_preset, prepare, read, relevance
from emorank.relevance.random_weights import randomise
from emorank.relevance.rules import Zero

BOUNDS = {"low": LOW, "high": HIGH}


def images(side: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    unit = torch.rand(2, 3, side, side, generator=generator, dtype=torch.float64)
    return LOW.view(3, 1, 1) + unit * (HIGH - LOW).view(3, 1, 1)


def conv_norm(given: int, made: int, kernel: int = 1, act: type = nn.Identity, **options: int):
    options.setdefault("padding", kernel // 2)
    conv = nn.Conv2d(given, made, kernel, bias=False, **options)
    return nn.Sequential(conv, nn.BatchNorm2d(made), act())


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, act: type, gate: type) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1)
        self.activation, self.scale_activation = act(), gate()

    def forward(self, x: Tensor) -> Tensor:
        scale = self.activation(self.fc1(self.avgpool(x)))
        return self.scale_activation(self.fc2(scale)) * x


@fx.wrap
def stochastic_depth(x: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """As torchvision's, which torch.fx takes as one step."""
    return x if not training else x * torch.bernoulli(torch.tensor(p))


class Inverted(nn.Module):
    """MobileNetV2, V3, EfficientNet: expand, convolve by channel, gate, project, add."""

    def __init__(self, channels: int, act: type, gate: type | None, rest: type = nn.ReLU) -> None:
        super().__init__()
        wide = 2 * channels
        squeeze = [SqueezeExcitation(wide, rest, gate)] if gate else []
        self.block = nn.Sequential(
            conv_norm(channels, wide, 1, act),
            conv_norm(wide, wide, 3, act, groups=wide),
            *squeeze,
            conv_norm(wide, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return stochastic_depth(self.block(x), 0.2, "row", self.training) + x


class Shuffle(nn.Module):
    """ShuffleNetV2, with the sizes of what came before the transposition."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv_norm(3, 3, 3, groups=3), conv_norm(3, 3, 1, nn.ReLU))

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1)
        return self.shuffled(torch.cat((first, self.branch(second)), dim=1), 2)

    def shuffled(self, x: Tensor, groups: int) -> Tensor:
        batch, channels, height, width = x.size()
        x = x.view(batch, groups, channels // groups, height, width)
        x = torch.transpose(x, 1, 2).contiguous()
        return x.view(batch, channels, height, width)


class Dense(nn.Module):
    """DenseNet: batch norm and ReLU before each convolution, and all that was before beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(n), nn.ReLU(), nn.Conv2d(n, 2, 3, 1, 1, bias=False))
            for n in (6, 8)
        )
        self.down = nn.Sequential(nn.BatchNorm2d(10), nn.Conv2d(10, 6, 1), nn.AvgPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return self.down(torch.cat(features, 1))


class InceptionResidual(nn.Module):
    """facenet's Inception-ResNet: branches beside each other, scaled, and added."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 0.17
        self.branch0 = conv_norm(6, 2, 1, nn.ReLU)
        self.branch1 = nn.Sequential(conv_norm(6, 2, 1, nn.ReLU), conv_norm(2, 2, 3, nn.ReLU))
        self.conv2d = nn.Conv2d(4, 6, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2d(torch.cat((self.branch0(x), self.branch1(x)), 1))
        return self.relu(out * self.scale + x)


class MiniXception(nn.Module):
    """Convolutions by channel and by pixel, max pooling, and a shortcut with a stride."""

    def __init__(self) -> None:
        super().__init__()
        self.residual = conv_norm(6, 6, 1, stride=2)
        self.separable = nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), nn.Conv2d(6, 6, 1, bias=False),
            nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.separable(x) + self.residual(x)


class LayerNorm2d(nn.LayerNorm):
    """torchvision's, a subclass that is read by its forward."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(6, 6, 3, padding=1, groups=6), LayerNorm2d(6)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 6)
        self.gamma = nn.Parameter(torch.full((6,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class BatchNormAct2d(nn.BatchNorm2d):
    """timm's, with the assertion that it traces."""

    def forward(self, x: Tensor) -> Tensor:
        torch._assert(x.ndim == 4, f"expected 4D input (got {x.ndim}D input)")
        x = F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.1, self.eps
        )
        return F.silu(x, inplace=True)


class PartNorm(nn.Module):
    """MobileFaceNet's PReLU, a local response norm, and the difference of two branches."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), BatchNormAct2d(6))
        self.act, self.norm = nn.PReLU(6), nn.LocalResponseNorm(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.act(self.conv(x) - x))


class Linear(nn.Linear):
    """timm's, which calls the function."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


KINDS = {
    "MobileNetV2": lambda: Inverted(6, nn.ReLU6, None),
    "MobileNetV3": lambda: Inverted(6, nn.Hardswish, nn.Hardsigmoid),
    "EfficientNet": lambda: Inverted(6, nn.SiLU, nn.Sigmoid, nn.SiLU),
    "ShuffleNetV2": Shuffle,
    "DenseNet": Dense,
    "Inception-ResNet": InceptionResidual,
    "mini-Xception": MiniXception,
    "ConvNeXt": ConvNext,
    "BatchNormAct2d, PReLU, difference": PartNorm,
}


def net_of(name: str, *, bias: bool = True) -> nn.Module:
    torch.manual_seed(7)
    stem = conv_norm(3, 6, 3, nn.ReLU, stride=2)
    end = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(6, 4))
    net = nn.Sequential(stem, KINDS[name](), KINDS[name](), *end).double().eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.2, 0.2)
        if not bias and isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.zero_()
        if not bias and getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)
    return net.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("name", KINDS)
def test_it_is_explained_by_every_preset(name):
    """Its own logits; whatever is taken has its place in the account."""
    net = net_of(name)
    for preset in PRESETS:
        record = relevance(net, images(), [1, 2], preset, **BOUNDS)
        torch.testing.assert_close(record.logits, net(images()), rtol=1e-10, atol=1e-12)
        assert bool(record.pixels.any())
        if preset in ("epsilon", "epsilon-gamma-box"):
            scale = float(record.sums.abs().max())
            nothing = torch.zeros_like(record.lost)
            torch.testing.assert_close(record.lost, nothing, rtol=0, atol=1e-8 * scale)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("products", ["signal", "even"])
def test_without_biases_it_conserves(name, products):
    """The logit is at the pixels, but for what the stabilisers of pooling and sums took."""
    rule = Zero()
    preset = Preset(rule, rule, rule, products=products)
    record = relevance(net_of(name, bias=False), images(), 1, preset)
    kept = record.sums[-1] + record.stabiliser.sum(0)
    scale = float(record.sums.abs().max())
    torch.testing.assert_close(kept, record.sums[0], rtol=0, atol=1e-9 * scale)
    assert float(record.bias.abs().max()) <= 1e-12 * scale


@pytest.mark.parametrize("name", KINDS)
def test_every_class_and_other_explainers(name):
    """Several maps of one image share what was saved, sizes too; a graph is computed again."""
    net = net_of(name)
    explain = prepare(net, "epsilon")
    for number, record in enumerate(explain.each(images())):
        alone = explain(images(), number).pixels
        torch.testing.assert_close(record.pixels, alone, rtol=1e-9, atol=1e-12)
    found = explainer(net, "gradient-times-input")(images(), 1)
    torch.testing.assert_close(found.logits, net(images()), rtol=1e-10, atol=1e-12)


def test_layers_that_call_functions_keep_the_names_of_their_weights():
    """So a preset may name them."""
    net = net_of("ConvNeXt")
    assert "5" in [node.name for node in read(net)]
    rules = override_preset("epsilon", {"5": "zero"})
    mine, other = (relevance(net, images(), 1, preset).pixels for preset in (rules, "epsilon"))
    assert not torch.equal(mine, other)


def test_a_subclass_that_scales_is_what_its_forward_says():
    """Folded like any scale behind a dense layer."""

    class Scaled(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), Scaled(432, 3)).double()
    plain = nn.Linear(432, 3).double()
    with torch.no_grad():
        plain.weight.copy_(2 * net[1].weight)
        plain.bias.copy_(2 * net[1].bias)
    mine, other = (relevance(n, images()) for n in (net, nn.Sequential(nn.Flatten(), plain)))
    torch.testing.assert_close(mine.pixels, other.pixels)


def test_a_difference_is_a_sum_with_the_negative():
    """Each branch its part, the second with its sign."""

    class Two(nn.Module):
        def __init__(self, negative: bool) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.a, self.b, self.fc = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3), nn.Linear(200, 3)
            self.negative = negative
            self.double()

        def forward(self, x: Tensor) -> Tensor:
            a, b = self.a(x), F.relu(self.b(x))
            y = a + torch.neg(b) if self.negative else a - b
            return self.fc(F.relu(y).flatten(1))

    mine, other = (relevance(Two(negative), images(), 1, "epsilon") for negative in (False, True))
    torch.testing.assert_close(mine.logits, other.logits)
    torch.testing.assert_close(mine.pixels, other.pixels, rtol=1e-9, atol=1e-12)


def same_convolution(*arguments: int, **options: int) -> nn.Conv2d:
    """As timm's: the padding depends on the size of what comes."""

    def forward(self: nn.Conv2d, x: Tensor) -> Tensor:
        sides = []
        for n, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            more = max((-(-int(n) // s) - 1) * s + k - n, 0)
            sides += [more // 2, more - more // 2]
        return F.conv2d(F.pad(x, sides), self.weight, self.bias, self.stride)

    kind = type("Conv2dSame", (nn.Conv2d,), {"forward": forward, "__module__": "timm.layers.same"})
    return kind(*arguments, **options)


@pytest.mark.parametrize("side", [11, 12])
@pytest.mark.parametrize("preset", PRESETS)
def test_padding_by_size_is_padding_with_these_numbers(preset, side):
    """Timm's networks of TensorFlow: under every rule as zeros of a padding layer, at any size."""
    torch.manual_seed(2)
    layers = (same_convolution(3, 4, 3, stride=2), nn.ReLU(), same_convolution(4, 3, 2, stride=1))
    pads = ((0, 1, 0, 1) if side == 12 else (1, 1, 1, 1), (0, 1, 0, 1))
    end = (nn.ReLU(), nn.Flatten(), nn.Linear(108, 3))
    net = nn.Sequential(*layers, *end).double()
    plain = []
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            plain.append(nn.ZeroPad2d(pads[len(plain) // 3]))
            bare = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride)
            bare.load_state_dict(layer.state_dict())
            plain.append(bare.double())
        else:
            plain.append(layer)
    other = nn.Sequential(*plain, *end)
    mine = relevance(net, images(side), 1, preset, **BOUNDS)
    theirs = relevance(other, images(side), 1, preset, **BOUNDS)
    torch.testing.assert_close(mine.logits, net(images(side)).detach())
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-9, atol=1e-12)
    spread = override_preset(preset, bias="distributed")
    mine, theirs = (relevance(n, images(side), 1, spread, **BOUNDS) for n in (net, other))
    torch.testing.assert_close(mine.pixels, theirs.pixels, rtol=1e-9, atol=1e-12)


def test_new_weights_for_a_subclass_that_calls_a_function():
    """Its weights are drawn anew like those of torch's own."""
    net = net_of("ConvNeXt")
    other = randomise(net, ["5"], torch.Generator().manual_seed(1))
    assert not torch.equal(other[5].weight, net[5].weight)
    assert not other[5].bias.any()
