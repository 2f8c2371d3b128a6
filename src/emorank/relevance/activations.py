"""Activations that compute each value by itself, and how functions write them.

Relevance passes each as it is: it has one input, so all that arrives belongs to that input (the
identity rule: Bach et al. 2015 for any monotonous activation; Achtibat et al. 2024, section 3.3,
for SiLU and GELU).
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

# Zero stays zero, and no sign changes but for the little below zero of SiLU, GELU and Mish.
_THROUGH_ZERO = (
    *(nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU),
    *(nn.SiLU, nn.Mish, nn.GELU, nn.Hardswish, nn.Tanh),
)
# Between zero and one; or above zero.
SQUASHING = (nn.Sigmoid, nn.Hardsigmoid)
_POSITIVE = (*SQUASHING, nn.Softplus)
# By exact type: a subclass may compute something else.
ACTIVATIONS: tuple[type[nn.Module], ...] = (*_THROUGH_ZERO, *_POSITIVE)

# Functions and methods with the layer that does the same, and its settings in their order.
WRITTEN: dict[Any, tuple[Callable[..., nn.Module], tuple[str, ...]]] = {
    F.leaky_relu: (nn.LeakyReLU, ("negative_slope", "inplace")),
    F.leaky_relu_: (nn.LeakyReLU, ("negative_slope",)),
    F.elu: (nn.ELU, ("alpha", "inplace")),
    F.elu_: (nn.ELU, ("alpha",)),
    F.selu: (nn.SELU, ("inplace",)),
    F.celu: (nn.CELU, ("alpha", "inplace")),
    F.silu: (nn.SiLU, ("inplace",)),
    F.mish: (nn.Mish, ("inplace",)),
    F.gelu: (nn.GELU, ("approximate",)),
    F.hardswish: (nn.Hardswish, ("inplace",)),
    F.hardsigmoid: (nn.Hardsigmoid, ("inplace",)),
    F.softplus: (nn.Softplus, ("beta", "threshold")),
    **dict.fromkeys((torch.sigmoid, torch.sigmoid_, F.sigmoid), (nn.Sigmoid, ())),
    **dict.fromkeys(("sigmoid", "sigmoid_", torch.special.expit), (nn.Sigmoid, ())),
    **dict.fromkeys((torch.tanh, torch.tanh_, F.tanh, "tanh", "tanh_"), (nn.Tanh, ())),
}


def is_positive(layer: nn.Module) -> bool:
    """Whether an activation gives numbers ≥ 0 only, whatever comes."""
    return isinstance(layer, _POSITIVE)


def prelu(weight: torch.Tensor) -> nn.PReLU:
    """`F.prelu(x, weight)` as a layer."""
    layer = nn.PReLU(weight.numel(), device="meta")
    layer.load_state_dict({"weight": weight.detach().reshape(-1)}, assign=True)
    return layer


def not_in_place(layer: nn.Module) -> nn.Module:
    """The layer, or if it overwrites what it reads one that does not; parameters are shared."""
    if not getattr(layer, "inplace", False):
        return layer
    other = copy.copy(layer)
    vars(other)["inplace"] = False
    return other
