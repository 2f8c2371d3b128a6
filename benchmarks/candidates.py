"""What the benchmarks of relevance run: ours, zennit, captum, the gradient, the plain forward.

Each is a function of a network and images that makes everything ready and returns what is timed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from tests.reference import peers
from torch import Tensor, nn

from emorank.networks import training, weights
from emorank.networks.normalisation import IMAGENET
from emorank.networks.training import Recipe
from emorank.networks.vgg16 import VGG16
from emorank.relevance import PRESETS, Explainer, prepare

LAYOUTS = {"as built": torch.contiguous_format, "channels last": torch.channels_last}
CLASSES, SIDE, TARGET = 7, 224, 0
FORWARD, GRADIENT, OURS, ZENNIT, CAPTUM = "forward", "gradient", "emorank", "zennit", "captum"


@dataclass(frozen=True)
class Candidate:
    """Who explains by which preset, in which layout of memory."""

    who: str
    preset: str
    layout: str

    @property
    def name(self) -> str:
        """Words that tell it from the others: the key of results, and how a process is told it."""
        return ", ".join(part for part in (self.who, self.preset, self.layout) if part)

    def __str__(self) -> str:
        return self.name


def every(presets: tuple[str, ...] = tuple(PRESETS)) -> list[Candidate]:
    """All candidates, the peers in both layouts; ours chooses its own."""
    shared = [name for name in presets if name in peers.SHARED]
    return [
        *(Candidate(who, "", layout) for who in (FORWARD, GRADIENT) for layout in LAYOUTS),
        *(Candidate(OURS, name, "") for name in presets),
        *(Candidate(ZENNIT, name, layout) for name in shared for layout in LAYOUTS),
        *(Candidate(CAPTUM, name, layout) for name in shared[:1] for layout in LAYOUTS
          if name == "epsilon"),
    ]  # fmt: skip


def network(layout: str, device: str = "cpu") -> VGG16:
    """VGG-16 with the ImageNet convolutions and the paper's head of 4096 units, seven classes."""
    net = training.fresh(CLASSES, weights.load(), Recipe()).eval().to(device)
    # Without gradients of the weights, which nobody asks the peers for.
    return net.requires_grad_(requires_grad=False).to(memory_format=_format(layout))


def pictures(batch: int, layout: str, device: str = "cpu") -> Tensor:
    """Noise between normalised black and white; what it shows does not change the work."""
    noise = torch.randn(batch, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return noise.clamp(-1.8, 2.2).to(device, memory_format=_format(layout))


def explainer_of(net: VGG16, preset: str) -> Explainer:
    """Ours made ready, with the pixel bounds that the z-box rule needs."""
    low, high = IMAGENET.bounds()
    return prepare(net, preset, low=low, high=high)


def made_ready(candidate: Candidate, net: VGG16, images: Tensor) -> Callable[[], object]:
    """What is timed: from images to relevance of the pixels (or to logits), again and again."""
    match candidate.who:
        case "forward":
            return lambda: _forward(net, images)
        case "gradient":
            return lambda: _gradient(net, images)
        case "emorank":
            explainer = explainer_of(net, candidate.preset)
            return lambda: explainer(images, TARGET)
        case "zennit":
            low, high = (bound.to(images.device) for bound in IMAGENET.bounds())
            composite = peers.composite(candidate.preset, low, high)
            target = torch.tensor(TARGET, device=images.device)
            own = copy.deepcopy(net)  # zennit and captum write to the weights while they explain
            return lambda: peers.by_zennit(own, images, target, composite)
        case "captum":
            own = copy.deepcopy(net)
            return lambda: peers.by_captum(own, images, TARGET)
    raise ValueError(f"nobody is called {candidate.who}")


def _forward(net: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        return net(images)


def _gradient(net: nn.Module, images: Tensor) -> Tensor:
    pixels = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net(pixels)[:, TARGET].sum(), pixels)
    return gradient


def _format(layout: str) -> torch.memory_format:
    return LAYOUTS.get(layout, torch.channels_last)
