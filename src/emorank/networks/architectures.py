"""The architectures of torchvision that emorank can explain, told by the keys of their weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from emorank.errors import WeightsError
from emorank.networks.file_kinds import shortened
from emorank.networks.resnet import resnet
from emorank.networks.vgg import alexnet, vgg
from emorank.networks.vgg16 import channels_last


@dataclass(frozen=True)
class Architecture:
    """How to build a network, and which of its weights say how wide its classifier is.

    Attributes:
        build: the network, from the number of rows of each weight in `sizes`.
        sizes: dense layers from the output downwards, the classes first.
    """

    build: Callable[..., nn.Module]
    sizes: tuple[str, ...]


def _vgg(depth: int, batch_norm: bool = False) -> Architecture:
    def build(classes: int, second: int = 4096, first: int = 4096) -> nn.Module:
        return vgg(depth, batch_norm, classes, first, second)

    return Architecture(build, ("classifier.6", "classifier.3", "classifier.0"))


def _resnet(depth: int) -> Architecture:
    return Architecture(lambda classes: resnet(depth, classes), ("fc",))


def _alexnet(classes: int, second: int = 4096, first: int = 4096) -> nn.Module:
    return alexnet(classes, first, second)


# Under torchvision's names.
ARCHITECTURES: dict[str, Architecture] = {
    "alexnet": Architecture(_alexnet, ("classifier.6", "classifier.4", "classifier.1")),
    "vgg11": _vgg(11),
    "vgg11_bn": _vgg(11, batch_norm=True),
    "vgg13": _vgg(13),
    "vgg13_bn": _vgg(13, batch_norm=True),
    "vgg16": _vgg(16),
    "vgg16_bn": _vgg(16, batch_norm=True),
    "vgg19": _vgg(19),
    "vgg19_bn": _vgg(19, batch_norm=True),
    "resnet18": _resnet(18),
    "resnet34": _resnet(34),
    "resnet50": _resnet(50),
}
_COUNTER = ".num_batches_tracked"  # of batch norm in training; older checkpoints have none


def build(name: str, classes: int = 1000) -> nn.Module:
    """A network with fresh weights.

    Raises:
        WeightsError: no architecture has that name.
    """
    if name not in ARCHITECTURES:
        raise WeightsError(f"'{name}' is no architecture; expected one of {_known()}")
    return ARCHITECTURES[name].build(classes)


def identify(state: Mapping[str, Tensor]) -> tuple[str, nn.Module]:
    """Name the architecture that a state dict is of, and build it with these weights.

    Names and shapes alone decide. The number of classes and the width of the dense layers are the
    file's own.

    Args:
        state: as `state_file.read_state` gives it, without a prefix.

    Returns:
        Name in `ARCHITECTURES`; network in evaluation mode, float32, channels last.

    Raises:
        WeightsError: of none of them; the message says which comes nearest and what differs.
    """
    state = {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}
    nearest: tuple[int, str, str] | None = None
    for name, architecture in ARCHITECTURES.items():
        net = _skeleton(architecture, state)
        expected = {k: v for k, v in net.state_dict().items() if not k.endswith(_COUNTER)}
        differences = _differences(expected, state)
        if not differences:
            return name, _filled(net, state)
        if nearest is None or len(differences) < nearest[0]:
            nearest = (len(differences), name, "; ".join(differences[:4]))
    raise WeightsError(_refusal(state, nearest))


def are_known(names: set[str]) -> bool:
    """Whether names of weights are those of one of the architectures."""
    return {name for name in names if not name.endswith(_COUNTER)} in _names()


@cache
def _names() -> tuple[set[str], ...]:
    nets = (_skeleton(architecture, {}) for architecture in ARCHITECTURES.values())
    return tuple({n for n in net.state_dict() if not n.endswith(_COUNTER)} for net in nets)


def _skeleton(architecture: Architecture, state: Mapping[str, Tensor]) -> nn.Module:
    """The network as wide as the weights are, without memory for any."""
    sizes = []
    for layer in architecture.sizes:
        weight = state.get(f"{layer}.weight")
        if weight is None or weight.ndim != 2 or not len(weight):
            break
        sizes.append(len(weight))
    with torch.device("meta"):
        return architecture.build(*(sizes if len(sizes) == len(architecture.sizes) else (1000,)))


def _differences(expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """What keeps a state dict from being the expected one, in words, the file's own order."""
    differences = []
    for name, parameter in expected.items():
        tensor = state.get(name)
        if tensor is None:
            differences.append(f"{name} is missing")
        elif tensor.shape != parameter.shape:
            shapes = f"{tuple(tensor.shape)} instead of {tuple(parameter.shape)}"
            differences.append(f"{name} is {shapes}")
        elif not tensor.is_floating_point():
            differences.append(f"{name} is of {tensor.dtype} instead of floating point")
    return differences + [f"{name} is unexpected" for name in state if name not in expected]


def _filled(net: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """The skeleton with its weights, and counters of zero, which evaluation never looks at."""
    counters = {name: torch.tensor(0) for name in net.state_dict() if name.endswith(_COUNTER)}
    weights = {name: tensor.to(torch.float32) for name, tensor in state.items()}
    net.load_state_dict(weights | counters, assign=True)
    return channels_last(net.eval().requires_grad_(False))


def _refusal(state: Mapping[str, Tensor], nearest: tuple[int, str, str] | None) -> str:
    if state and all(name.startswith("features.") for name in state):
        return (
            "convolutions only: a network without its classifier names no class that could be "
            "explained; give a whole checkpoint, or train a classifier on your images first "
            "(emorank run … --out DIR) and give DIR/model.safetensors"
        )
    count, name, differences = nearest or (0, "", "")
    more = f" and {count - 4:,} more" if count > 4 else ""
    there = shortened(", ".join(list(state)[:3]), 200)
    return (
        f"no network that is known here; nearest is {name}, but {shortened(differences)}{more}. "
        f"Its {len(state)} keys begin with {there or 'none'}. "
        f"Known, with torchvision's keys: {_known()}"
    )


def _known() -> str:
    return ", ".join(ARCHITECTURES)
