"""Functions that are given the weights or statistics of a layer, as that layer."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance.forwards.calls import Call


def _linear(call: Call) -> nn.Module | None:
    given = call.given(("weight", "bias"), bias=None)
    weight, bias = given["weight"], given["bias"]
    if not isinstance(weight, Tensor) or weight.ndim != 2:
        return None
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    return _with_affine(layer, weight, bias)


def _convolution(call: Call) -> nn.Module | None:
    names = ("weight", "bias", "stride", "padding", "dilation", "groups")
    given = call.given(names, bias=None)
    weight, bias = given.pop("weight"), given.pop("bias")
    if not isinstance(weight, Tensor):
        return None
    out, each, *kernel = weight.shape
    layer = nn.Conv2d(
        each * given.get("groups", 1), out, (kernel[0], kernel[1]), device="meta", **given
    )
    return _with_affine(layer, weight, bias)


def _layer_norm(call: Call) -> nn.Module:
    given = call.given(("normalized_shape", "weight", "bias", "eps"), weight=None, bias=None)
    shape, eps = tuple(given["normalized_shape"]), given.get("eps", 1e-5)
    bare = nn.LayerNorm(shape, eps, device="meta")
    return _with_affine(bare, given["weight"], given["bias"])


def _group_norm(call: Call) -> nn.Module | None:
    given = call.given(("num_groups", "weight", "bias", "eps"), weight=None, bias=None)
    weight = given["weight"]
    if not isinstance(weight, Tensor):
        return None  # without it nothing says how many channels there are
    bare = nn.GroupNorm(given["num_groups"], len(weight), given.get("eps", 1e-5), device="meta")
    return _with_affine(bare, weight, given["bias"])


def _batch_norm(call: Call) -> nn.Module | None:
    names = ("running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
    given = call.given(names, weight=None, bias=None, training=False)
    mean, variance = given["running_mean"], given["running_var"]
    if given["training"] or not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
        return None
    norm = nn.BatchNorm2d(len(mean), given.get("eps", 1e-5), device="meta").eval()
    norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, None
    return _with_affine(norm, given["weight"], given["bias"])


def _with_affine(norm: nn.Module, weight: Tensor | None, bias: Tensor | None) -> nn.Module:
    """A norm with the weight and bias that a function is given."""
    for name, value in (("weight", weight), ("bias", bias)):
        fixed = None if value is None else nn.Parameter(value.detach(), requires_grad=False)
        setattr(norm, name, fixed)
    return norm


def _local_norm(call: Call) -> nn.Module:
    return nn.LocalResponseNorm(**call.given(("size", "alpha", "beta", "k")))


FUNCTIONAL: dict[Any, Callable[[Call], nn.Module | None]] = {
    F.linear: _linear,
    **dict.fromkeys((F.conv2d, torch.conv2d), _convolution),
    F.layer_norm: _layer_norm,
    F.group_norm: _group_norm,
    F.batch_norm: _batch_norm,
    F.local_response_norm: _local_norm,
}
