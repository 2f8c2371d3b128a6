"""Small float64 nets, each with something that an engine can get wrong, and the oracle on them."""

import numpy as np
import torch
from torch import Tensor, nn

from emorank.relevance import Preset
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    NormFree,
    Pass,
    Rule,
    WSquare,
    ZBox,
    Zero,
    ZPlus,
)
from reference import lrp

LOW = torch.tensor([-2.0, -1.5, -1.0], dtype=torch.float64)
HIGH = torch.tensor([2.0, 2.5, 1.0], dtype=torch.float64)

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)

# Each for images of 3×7×7 and four classes.
NETS = {
    "vgg-like": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2, 2),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Linear(54, 8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(8, 4),
    ),
    "strides that leave a rest, overlapping maxima": lambda: nn.Sequential(
        nn.Conv2d(3, 4, (3, 2), stride=(2, 3), padding=(1, 0)),
        nn.ReLU(),
        nn.MaxPool2d(3, 1, padding=1),
        nn.Conv2d(4, 5, 2, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * 2 * 1, 4),
    ),
    "groups, dilation, average pooling": lambda: nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, padding=1),
        nn.Conv2d(6, 4, 3, padding="same", groups=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(),
        nn.Linear(24, 4, bias=False),
    ),
    "no ReLU between the layers": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.Conv2d(4, 4, 3, stride=2, groups=2),
        nn.MaxPool2d(2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16, 6),
        nn.Linear(6, 4),
    ),
    "dense only": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(147, 9), nn.ReLU(), nn.Linear(9, 4)
    ),
}

RULES: dict[str, Rule] = {
    "zero": Zero(),
    "epsilon": Epsilon(),
    "epsilon 0.25": Epsilon(0.25),
    "epsilon in root mean squares": Epsilon(1e-9, relative=0.25),
    "norm-free": NormFree(),
    "z+": ZPlus(),
    "alpha 1 beta 0": AlphaBeta(1, 0),
    "alpha 2 beta 1": AlphaBeta(2, 1),
    "gamma": Gamma(0.25),
    "flat": Flat(),
    "w²": WSquare(),
}


def build(name: str, seed: int = 0, *, bias: bool = True) -> nn.Sequential:
    """A net of `NETS` in float64, with biases of either sign or none."""
    generator = torch.Generator().manual_seed(seed)
    net = NETS[name]().double().eval()
    for parameter in net.parameters():
        parameter.data = (
            torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.5
        )
    if not bias:
        for layer in net:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.bias = None
    return net


def images(batch: int = 2, seed: int = 1, *, signed: bool = True) -> Tensor:
    """Images between LOW and HIGH, (batch, 3, 7, 7)."""
    generator = torch.Generator().manual_seed(seed)
    unit = torch.rand(batch, 3, 7, 7, generator=generator, dtype=torch.float64)
    low = LOW if signed else torch.zeros(3, dtype=torch.float64)
    return low.view(3, 1, 1) + unit * (HIGH - low).view(3, 1, 1)


def oracle(
    net: nn.Sequential,
    batch: Tensor,
    preset: Preset,
    target: list[int | None],
) -> tuple[np.ndarray, np.ndarray]:
    """Relevance (B, 3, H, W) by the slow oracle, and sums (all layers + 1, B)."""
    walks = [
        everywhere(list(net), x, preset, lrp.logit(t)) for x, t in zip(batch, target, strict=True)
    ]
    sums = [[float(r.sum()) for r in reversed(found)] for found in walks]
    return np.stack([found[0] for found in walks]), np.array(sums).T


def everywhere(
    layers: list[nn.Module], image: Tensor, preset: Preset, begin: lrp.Begin
) -> list[np.ndarray]:
    """Relevance of one image by the slow oracle, at the pixels and behind each layer."""
    return lrp.walk(
        lrp.chain(layers), image.numpy(), begin, plain(layers, preset), preset.max_pooling
    )


def plain(layers: list[nn.Module | None], preset: Preset) -> dict[int, lrp.Rule]:
    """The oracle's formula for each layer with weights, layers being named by their places."""
    convolutions = [k for k, layer in enumerate(layers) if isinstance(layer, CONVOLUTIONS)]
    rules = {}
    for k, layer in enumerate(layers):
        if isinstance(layer, (*CONVOLUTIONS, nn.Linear)):
            depth = convolutions.index(k) if k in convolutions else None
            rule, _ = preset.rule_for(str(k), depth, len(convolutions))
            formula = _plain(rule)
            rules[k] = lrp.distributed(formula) if preset.bias == "distributed" else formula
    return rules


def _plain(rule: Rule) -> lrp.Rule:
    """The oracle's formula for a record of ours."""
    match rule:
        case Zero():
            return lrp.zero
        case Epsilon(epsilon=value, relative=0):
            return lrp.epsilon(value)
        case Epsilon(epsilon=value, relative=relative):
            return lrp.relative_epsilon(value, relative)
        case Pass():
            return lrp.unchanged
        case NormFree():
            return lrp.norm_free
        case ZPlus():
            return lrp.z_plus
        case AlphaBeta(alpha=alpha, beta=beta):
            return lrp.alpha_beta(alpha, beta)
        case Gamma(gamma=value):
            return lrp.gamma(value)
        case ZBox():
            return lrp.z_box(LOW.numpy(), HIGH.numpy())
        case WSquare():
            return lrp.w_square
        case Flat():
            return lrp.flat
    raise AssertionError(f"no oracle for {rule}")
