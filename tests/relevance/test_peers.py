"""Ours against zennit 1.0 and captum 0.9, on whole VGG-16s that look at faces, in float64.

zennit's numbers are ours. captum differs in pooling, and tests show that to be all of it: it gives
max pooling the epsilon rule of its other layers, the winner takes R·a/(a + 10⁻⁹), where ours and
zennit's takes R; and average pooling a stabiliser of 10⁻⁹ instead of 10⁻⁶.

docs/peers.md sets the definitions side by side.
"""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from emorank import datasets
from emorank.networks import training, weights
from emorank.networks.normalisation import IMAGENET, to_batch
from emorank.networks.training import Recipe
from emorank.networks.vgg16 import VGG16
from emorank.relevance import PRESETS, Preset, relevance
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Rule,
    WSquare,
    Zero,
    ZPlus,
)
from reference import peers

LONDON = Path(__file__).parents[3] / "shared" / "data" / "london_faces"
LOW, HIGH = (bound.double() for bound in IMAGENET.bounds())
CLASSES = 5
EVERYWHERE = Epsilon(peers.CAPTUM_STABILISER)
AS_CAPTUM = Preset(EVERYWHERE, EVERYWHERE, EVERYWHERE)


def faces(side: int, count: int) -> Tensor:
    """Smiling faces, photographs where the shared data is present, else of the shipped sample."""
    if LONDON.is_dir():
        files = sorted((LONDON / "happiness").glob("*.jpg"))[:count]
        read = [Image.open(file).convert("RGB") for file in files]
    else:
        sample = datasets.load(None, "sample")
        names = sample.table.query("emotion == 'happy'")["image"][:count]
        read = [Image.fromarray(sample.read(name)) for name in names]
    return to_batch([np.asarray(image.resize((side, side))) for image in read]).double()


def vgg16(hidden: int) -> VGG16:
    """The ImageNet convolutions under a random head."""
    net = training.fresh(CLASSES, weights.load(), Recipe(hidden=hidden, seed=1))
    return net.eval().requires_grad_(requires_grad=False).double()


@pytest.fixture(scope="module")
def narrow():
    """VGG-16 with a narrow head; not to be changed."""
    return vgg16(hidden=64)


@pytest.fixture(scope="module")
def face():
    """One face of 224 pixels."""
    return faces(224, 1)


def ours(net: nn.Module, images: Tensor, target: Tensor | int, preset: str | Preset) -> Tensor:
    return relevance(net, images, target, preset, low=LOW, high=HIGH).pixels


def zennit(net: nn.Module, images: Tensor, target: Tensor | int, preset: str) -> Tensor:
    return peers.by_zennit(net, images, target, peers.composite(preset, LOW, HIGH))


def error(mine: Tensor, theirs: Tensor) -> float:
    """The greatest difference, in units of the greatest relevance."""
    return float((mine - theirs).abs().max() / theirs.abs().max())


def assert_same(mine: Tensor, theirs: Tensor, relative: float = 1e-9) -> None:
    """Each relevance agrees, or differs by rounding of the greatest (shares may cancel)."""
    scale = float(theirs.abs().max())
    assert scale > 0
    torch.testing.assert_close(mine, theirs, rtol=relative, atol=1e-11 * scale)


# --- zennit -----------------------------------------------------------------------------------


@pytest.mark.weights
@pytest.mark.parametrize("preset", peers.SHARED)
def test_each_preset_is_zennits(narrow, preset):
    """Pixel by pixel, to rounding; the last pooling spreads 2×2 maps to 7×7."""
    images, target = faces(64, 2), torch.tensor([3, 1])
    assert_same(ours(narrow, images, target, preset), zennit(narrow, images, target, preset))


@pytest.mark.weights
@pytest.mark.slow
def test_the_full_head_is_zennits():
    """The paper's 4096 units twice."""
    net, images = vgg16(hidden=4096), faces(64, 1)
    assert_same(ours(net, images, 0, "epsilon-plus"), zennit(net, images, 0, "epsilon-plus"))


@pytest.mark.weights
@pytest.mark.slow
def test_epsilon_at_224_pixels_is_zennits(narrow, face):
    """The preset whose shares cancel most; the last pooling normalises though it pools nothing."""
    assert error(ours(narrow, face, 2, "epsilon"), zennit(narrow, face, 2, "epsilon")) < 1e-9


@pytest.mark.weights
@pytest.mark.parametrize("preset", peers.SHARED)
def test_presets_at_224_pixels_are_zennits(narrow, face, preset):
    """A quarter of the ImageNet channels, a sixteenth of the time."""
    net = quarter(narrow)
    assert error(ours(net, face, 2, preset), zennit(net, face, 2, preset)) < 1e-9


def quarter(net: VGG16) -> nn.Sequential:
    """VGG-16 of the first quarter of each layer's channels, under a random head."""
    torch.manual_seed(2)
    layers: list[nn.Module] = []
    for layer in net.features:
        if isinstance(layer, nn.Conv2d):
            weight = layer.weight[: len(layer.weight) // 4]
            weight = weight if weight.shape[1] == 3 else weight[:, : weight.shape[1] // 4]
            layer = nn.Conv2d(weight.shape[1], len(weight), 3, padding=1)
            # Twice, so that sums of a quarter of the contributions stay as large.
            layer.load_state_dict({"weight": 2 * weight, "bias": torch.zeros(len(weight))})
        layers.append(layer)
    head = [nn.Linear(128 * 49, 64), nn.ReLU(), nn.Linear(64, CLASSES)]
    chain = nn.Sequential(*layers, net.avgpool, nn.Flatten(), *head)
    return chain.eval().double().requires_grad_(requires_grad=False)


def small_net(*, pooling: bool = True, bias: bool = True, seed: int = 0) -> nn.Sequential:
    """Three layers with weights for signed images of 3×8×8, biases of either sign."""
    torch.manual_seed(seed)
    pool = [nn.MaxPool2d(2)] if pooling else []
    side = 4 if pooling else 8
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=bias),
        nn.Conv2d(6, 6, 3, padding=1, bias=bias),  # sees signed inputs: no ReLU before
        nn.ReLU(),
        *pool,
        nn.Flatten(),
        nn.Linear(6 * side**2, 10, bias=bias),
        nn.ReLU(),
        nn.Linear(10, CLASSES, bias=bias),
    ).double()


def noise(seed: int = 1) -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).double()


RULES: dict[str, tuple[Rule, object]] = {
    "zero": (Zero(), peers.zennit.rules.Epsilon(0.0)),
    "epsilon": (Epsilon(0.25), peers.zennit.rules.Epsilon(0.25)),
    "gamma": (Gamma(0.5), peers.zennit.rules.Gamma(0.5)),
    "z+": (ZPlus(), peers.zennit.rules.ZPlus()),
    "alpha 1 beta 0": (AlphaBeta(1, 0), peers.zennit.rules.AlphaBeta(1, 0)),
    "alpha 2 beta 1": (AlphaBeta(2, 1), peers.zennit.rules.AlphaBeta(2, 1)),
    "w²": (WSquare(), peers.zennit.rules.WSquare()),
    "flat": (Flat(), peers.zennit.rules.Flat()),
}


@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_in_every_layer_is_zennits(rule, bias):
    """Alone, on signed inputs, with and without biases; w² and flat reach units that are zero."""
    mine, theirs = RULES[rule]
    net = small_net(bias=bias)
    assert_same(
        ours(net, noise(), torch.tensor([0, 3]), Preset(mine, mine, mine)),
        peers.by_zennit(net, noise(), torch.tensor([0, 3]), peers.of_rules(theirs)),
    )


def test_gamma_at_exactly_zero_differs():
    """z_j = 0 counts as positive here, sign(0) = +1; zennit's gamma sends nothing from there."""
    net = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.Conv2d(1, 2, 1), nn.Flatten()).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1))
        net[1].bias.fill_(1.0)
    images = torch.ones(1, 3, 1, 1).double()
    preset = Preset(WSquare(), WSquare(), Gamma(1.0))
    composite = peers.of_rules(peers.zennit.rules.WSquare(), first=peers.zennit.rules.Gamma(1.0))
    theirs = peers.by_zennit(net, images, 0, composite)
    mine = ours(net, images, 0, preset)
    assert float(theirs.abs().max()) == 0
    # Contributions 2·1 and −1 of a denominator 1.
    torch.testing.assert_close(mine[0, 0] / -mine[0, 1], torch.full_like(mine[0, 0], 2.0))


def test_the_start_is_the_logit():
    """One-hot times the logit; zennit's attribution from a plain one-hot, times the logit after."""
    net, images = small_net(), noise()
    result = relevance(net, images, 1, "epsilon-plus")
    pixels = images.clone().requires_grad_()
    with peers.composite("epsilon-plus").context(net) as hooked:
        one_hot = torch.zeros(2, CLASSES).double()
        one_hot[:, 1] = 1
        (theirs,) = torch.autograd.grad(hooked(pixels), pixels, one_hot)
    assert_same(result.pixels, theirs * result.logits[:, 1].view(-1, 1, 1, 1))


# --- captum -----------------------------------------------------------------------------------


def by_hand(
    layers: list[nn.Module],
    images: Tensor,
    target: int,
    epsilon: float,
    *,
    maxima: bool,
    averages: float | None = None,
) -> Tensor:
    """The epsilon rule layer by layer with autograd.

    Over max pooling too if `maxima`; with a stabiliser of its own over average pooling if given.
    """
    kept = []
    values = images
    for layer in layers:
        values = values.detach().requires_grad_()
        kept.append((layer, values, layer(values)))
        values = kept[-1][2]
    relevance = torch.zeros_like(values)
    relevance[:, target] = values[:, target].detach()
    for layer, inputs, outputs in reversed(kept):
        if isinstance(layer, nn.ReLU | nn.Dropout):
            continue
        if isinstance(layer, nn.Flatten) or (isinstance(layer, nn.MaxPool2d) and not maxima):
            (relevance,) = torch.autograd.grad(outputs, inputs, relevance)
            continue
        average = averages is not None and isinstance(layer, nn.AdaptiveAvgPool2d)
        sign = torch.where(outputs < 0, -1.0, 1.0).detach()
        shares = relevance / (outputs.detach() + (averages if average else epsilon) * sign)
        relevance = torch.autograd.grad(outputs, inputs, shares)[0] * inputs.detach()
    return relevance


@pytest.mark.weights
@pytest.mark.slow
def test_epsilon_is_captums(narrow, face):
    """VGG-16 at 224 pixels, stabiliser 1e-9: all that differs is how pooling is stabilised.

    Captum by 1e-9, max pooling too; ours average pooling alone, by 1e-6 as zennit.
    """
    theirs = peers.by_captum(copy.deepcopy(narrow), face, 2)
    mine = ours(narrow, face, 2, AS_CAPTUM)
    assert error(mine, theirs) < 1e-4
    layers = [*narrow.features, narrow.avgpool, nn.Flatten(), *narrow.classifier]
    # Not in place: the layer before keeps its outputs.
    layers = [nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in layers]
    assert_same(by_hand(layers, face, 2, 1e-9, maxima=True), theirs)
    assert_same(by_hand(layers, face, 2, 1e-9, maxima=False, averages=1e-6), mine)


def test_without_pooling_epsilon_is_captums():
    """Nothing is left to explain."""
    net = small_net(pooling=False)
    assert_same(ours(net, noise(), 1, AS_CAPTUM), captum(net, noise(), 1))


def test_captums_max_pooling_is_an_epsilon_rule():
    """With pooling, captum is the walk that stabilises there, and ours the one that doesn't."""
    net, images = small_net(seed=3), noise(4)
    layers = list(net)
    assert_same(captum(net, images, 1), by_hand(layers, images, 1, 1e-9, maxima=True))
    assert_same(ours(net, images, 1, AS_CAPTUM), by_hand(layers, images, 1, 1e-9, maxima=False))


def test_captums_max_pooling_takes_half_of_what_is_tiny():
    """A winner of 1e-9 gets R·a/(a + 1e-9), half of what comes."""
    net = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1, 1, bias=False)).double()
    image = torch.tensor([[[[0.25, 0.5], [1.0, 0.0]]]]).double() * 1e-9
    torch.testing.assert_close(
        ours(net, image, 0, AS_CAPTUM) / captum(net, image, 0),
        torch.tensor([[[[float("nan")] * 2, [2.0, float("nan")]]]]).double(),
        equal_nan=True,
    )


def captum(net: nn.Sequential, images: Tensor, target: int) -> Tensor:
    """Captum has no rule for `nn.Flatten`, so the net flattens in its forward."""
    return peers.by_captum(Flattening(net), images, target)


class Flattening(nn.Module):
    """A chain that flattens by a function before its first dense layer."""

    def __init__(self, net: nn.Sequential) -> None:
        super().__init__()
        self.place = next(k for k, layer in enumerate(net) if isinstance(layer, nn.Flatten))
        self.layers = nn.Sequential(*net[: self.place], *net[self.place + 1 :])

    def forward(self, images: Tensor) -> Tensor:
        return self.layers[self.place :](self.layers[: self.place](images).flatten(1))


def test_shared_presets_are_ours():
    """Every name that zennit is asked for is a preset here."""
    assert set(peers.SHARED) <= set(PRESETS)
