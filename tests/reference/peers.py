"""The peers: zennit 1.0 (LGPL, never a dependency of the library) and captum 0.9, as oracles.

Used by tests/relevance and benchmarks; installed from tests/oracles.txt. docs/peers.md sets their
definitions beside ours.
"""

import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from typing import Any

import torch
from captum.attr import LRP
from torch import Tensor, nn

# The presets that zennit has, or has the rules for.
SHARED = (
    "epsilon",
    "epsilon-plus",
    "epsilon-plus-flat",
    "epsilon-gamma-box",
    "epsilon-alpha2-beta1",
    "epsilon-alpha2-beta1-flat",
)
STABILISER = 1e-6  # of zennit's rules
CAPTUM_STABILISER = 1e-9


@contextmanager
def _torchvision() -> Iterator[None]:
    """Stand in for torchvision while zennit is imported.

    zennit asks it for the classes of its ResNet blocks and of frozen batch norm, to recognise them
    in a net, and for nothing else. torchvision has to fit torch to the build and is not installed
    (constraints.txt), so here are classes of these names that no layer is an instance of. They
    leave sys.modules again: other libraries ask there whether torchvision exists.
    """
    if importlib.util.find_spec("torchvision"):
        yield
        return
    classes = {
        "torchvision": (),
        "torchvision.models": (),
        "torchvision.models.resnet": ("Bottleneck", "BasicBlock"),
        "torchvision.ops": ("FrozenBatchNorm2d",),
    }
    for name, members in classes.items():
        module = types.ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        for member in members:
            setattr(module, member, type(member, (nn.Module,), {}))
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in classes:
            del sys.modules[name]


with _torchvision():
    import zennit.canonizers
    import zennit.composites
    import zennit.core
    import zennit.layer
    import zennit.rules
    import zennit.types

Composite = zennit.composites.LayerMapComposite
Canonizers = Sequence[zennit.canonizers.Canonizer]
Sum = zennit.layer.Sum  # adds up along the last dimension: a join that zennit can see


def composite(
    preset: str,
    low: Tensor | None = None,
    high: Tensor | None = None,
    *,
    canonizers: Canonizers = (),
) -> Composite:
    """Zennit's composite of the name, or the one built of its parts where it has none.

    Args:
        preset: one of `SHARED`.
        low: normalised black, one number per channel, for the z-box rule.
        high: normalised white.
        canonizers: what zennit changes in the net before, batch norm for instance.
    """
    options: dict[str, Any] = {"canonizers": list(canonizers)}
    match preset:
        case "epsilon":  # zennit has no composite of one rule alone
            return of_rules(zennit.rules.Epsilon(STABILISER), **options)
        case "epsilon-gamma-box":
            for name, bound in (("low", low), ("high", high)):
                assert bound is not None, f"the z-box rule needs {name}"
                options[name] = bound.view(1, -1, 1, 1)
    return zennit.composites.COMPOSITES[preset.replace("-", "_")](**options)


def of_rules(
    rule: zennit.core.Hook,
    first: zennit.core.Hook | None = None,
    *,
    canonizers: Canonizers = (),
) -> Composite:
    """One rule for every layer with weights, another for the first of them if given."""
    return zennit.composites.SpecialFirstLayerMapComposite(
        [
            *zennit.composites.layer_map_base(STABILISER),
            (zennit.types.Linear, rule),  # convolutions are among them
        ],
        [(zennit.types.Linear, first)] if first else [],
        canonizers=list(canonizers),
    )


def by_zennit(
    net: nn.Module,
    images: Tensor,
    target: Tensor | int,
    rules: Composite,
) -> Tensor:
    """Relevance of the pixels, from the target's logit: one-hot times the logit at the outputs."""
    pixels = images.detach().clone().requires_grad_()
    with rules.context(net) as hooked:
        logits = hooked(pixels)
        chosen = torch.as_tensor(target).expand(len(images))[:, None]
        start = torch.zeros_like(logits).scatter_(1, chosen, logits.detach().gather(1, chosen))
        (relevance,) = torch.autograd.grad(logits, pixels, start)
    return relevance


def by_captum(net: nn.Module, images: Tensor, target: Tensor | int) -> Tensor:
    """Relevance of the pixels, from the target's logit, by captum's epsilon rule everywhere.

    Leaves the activations of the batch behind in the layers, as captum does; give it a net, or a
    copy, that is not used otherwise.
    """
    pixels = images.detach().clone().requires_grad_()
    return LRP(net).attribute(pixels, target=target).detach()
