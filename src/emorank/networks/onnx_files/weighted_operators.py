"""ONNX's operators with weights: convolutions, dense layers, norms, matrix products."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from emorank.networks.onnx_files.building import Building, Value
from emorank.networks.onnx_files.operators import Array, Operator
from emorank.networks.onnx_files.pointwise_operators import (
    Given,
    Make,
    constant,
    name_of,
    optional,
    signal,
    with_constant,
)
from emorank.networks.onnx_files.windows import sides_of, window


def _convolution(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 3, 4)
    weight = constant(operator, given, 1, "weight")
    bias = optional(operator, given, 2, "bias")
    if weight.ndim != len(value.shape):
        raise operator.refused(f"a weight of shape {weight.shape} for values of {value.shape}")
    groups = int(operator.settings.get("group", 1))
    found = window(operator, weight.shape[2:])
    sides = sides_of(operator, value.shape[2:], found)
    even = all(begin == end for begin, end in sides)
    name = name_of(operator, 1)
    if not even:
        flat = [side for pair in reversed(sides) for side in pair]
        if len(flat) != 4:
            raise operator.refused("one side along rows is padded more than the other")
        value = building.layer(
            f"{name}_padding", nn.ZeroPad2d((flat[0], flat[1], flat[2], flat[3])), value
        )
    kind: Any = nn.Conv2d if len(value.shape) == 4 else nn.Conv1d
    layer = kind(
        weight.shape[1] * groups, weight.shape[0], found.kernel, found.strides,
        tuple(begin for begin, _ in sides) if even else 0, found.dilations, groups,
        bias=bias is not None, device="meta",
    )  # fmt: skip
    return building.layer(name, layer, value, weight=weight, bias=bias)


def _transposed(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 4)
    weight = constant(operator, given, 1, "weight")
    bias = optional(operator, given, 2, "bias")
    groups = int(operator.settings.get("group", 1))
    found = window(operator, weight.shape[2:])
    extra = tuple(int(one) for one in operator.settings.get("output_padding", (0, 0)))
    sizes = [
        (size - 1) * stride + (kernel - 1) * gap + 1 + more
        for size, kernel, stride, gap, more in zip(
            value.shape[2:], found.kernel, found.strides, found.dilations, extra, strict=True
        )
    ]
    sides = _cut_off(operator, value.shape[2:], sizes, found.strides)
    even = all(begin == end for begin, end in sides)
    layer = nn.ConvTranspose2d(
        weight.shape[0], weight.shape[1] * groups, found.kernel,  # type: ignore[arg-type]
        found.strides, tuple(b for b, _ in sides) if even else 0,  # type: ignore[arg-type]
        extra, groups, bias is not None, found.dilations, device="meta",  # type: ignore[arg-type]
    )  # fmt: skip
    result = building.layer(name_of(operator, 1), layer, value, weight=weight, bias=bias)
    if even:
        return result
    index = [slice(begin, size - end) for (begin, end), size in zip(sides, sizes, strict=True)]
    return building.call(_middle, result, rows=index[0], columns=index[1])


def _middle(values: Any, rows: slice, columns: slice) -> Any:
    return values[:, :, rows, columns]


def _cut_off(
    operator: Operator, sizes: Sequence[int], full: Sequence[int], strides: Sequence[int]
) -> list[tuple[int, int]]:
    """What a transposed convolution leaves out at each side."""
    settings = operator.settings
    way = settings.get("auto_pad", "NOTSET")
    asked = settings.get("output_shape")
    if asked is None and way not in ("SAME_UPPER", "SAME_LOWER"):
        pads = settings.get("pads", (0, 0, 0, 0)) if way == "NOTSET" else (0, 0, 0, 0)
        return [(int(pads[k]), int(pads[k + 2])) for k in range(2)]
    wanted = asked[-2:] if asked else [n * stride for n, stride in zip(sizes, strides, strict=True)]
    found = []
    for have, want in zip(full, wanted, strict=True):
        more = have - int(want)
        if more < 0:
            raise operator.refused("an output larger than its windows reach")
        small = more // 2
        found.append((more - small, small) if way == "SAME_UPPER" and asked else
                     (small, more - small) if way != "SAME_LOWER" else
                     (more - small, small))  # fmt: skip
    return found


def _gemm(building: Building, operator: Operator, given: Given) -> Value:
    settings = operator.settings
    scale, of_bias = (float(settings.get(name, 1.0)) for name in ("alpha", "beta"))
    value = signal(operator, given)
    if settings.get("transA", 0):
        value = building.permute(value, (1, 0))
    weight = constant(operator, given, 1, "second matrix")
    weight = weight if settings.get("transB", 0) else weight.T
    bias = optional(operator, given, 2, "addend")
    if bias is not None:
        bias = of_bias * bias.astype(np.float32)
    flat = None if bias is None else np.broadcast_to(bias.reshape(-1), (len(weight),)) if (
        bias.size in (1, len(weight)) and bias.shape[-1:] in ((), (1,), (len(weight),))
    ) else None  # fmt: skip
    result = dense(building, operator, value, scale * weight.astype(np.float32), flat)
    if bias is None or flat is not None:
        return result
    return with_constant(building, torch.add, result, bias, before=False)


def dense(
    building: Building, operator: Operator, value: Value, weight: Array, bias: Array | None
) -> Value:
    """A dense layer over the last dimension."""
    value = building.keeping(value, 1)
    layer = nn.Linear(weight.shape[1], len(weight), bias is not None, device="meta")
    own = np.ascontiguousarray(weight)
    held = None if bias is None else bias.copy()
    return building.layer(name_of(operator, 1), layer, value, weight=own, bias=held)


def _product(building: Building, operator: Operator, given: Given) -> Value:
    first, second = given
    if isinstance(first, Value) and isinstance(second, Value):
        return building.call(torch.matmul, *building.aligned(first, second, 1, 2))
    if isinstance(first, Value):
        matrix = constant(operator, given, 1, "second matrix").astype(np.float32)
        if matrix.ndim == 2:
            return dense(building, operator, first, matrix.T, None)
        value, array = building.fitting(first, matrix, 1, 2)
        return building.call(torch.matmul, value, constants=[array])
    matrix = constant(operator, given, 0, "first matrix").astype(np.float32)
    value, array = building.fitting(signal(operator, given, 1), matrix, 1, 2)
    return building.call(torch.matmul, value, constants=[array], before=True)


def _einsum(building: Building, operator: Operator, given: Given) -> Value:
    equation = str(operator.settings.get("equation", "")).replace(" ", "")
    left, arrow, right = equation.partition("->")
    if not arrow or "." in equation or "Z" in equation:
        raise operator.refused(f"the equation '{equation}'; expected one with letters and ->")
    values = [building.whole(signal(operator, given, k)) for k in range(len(given))]
    each = ",".join(f"Z{part}" for part in left.split(","))
    return building.call(_sum_of_products, *values, equation=f"{each}->Z{right}")


def _sum_of_products(*values: Any, equation: str) -> Any:
    return torch.einsum(equation, *values)


def _batch_norm(building: Building, operator: Operator, given: Given) -> Value:
    if operator.settings.get("training_mode", 0) or not operator.settings.get("spatial", 1):
        raise operator.refused("statistics of the batch; export the network in evaluation mode")
    value = building.image(signal(operator, given), 2, 3, 4)
    parts = ("weight", "bias", "running_mean", "running_var")
    arrays = {name: constant(operator, given, k, name) for k, name in enumerate(parts, start=1)}
    kind = nn.BatchNorm2d if len(value.shape) == 4 else nn.BatchNorm1d
    eps = float(operator.settings.get("epsilon", 1e-5))
    layer = kind(len(arrays["weight"]), eps, device="meta")
    layer.num_batches_tracked = torch.tensor(0)
    return building.layer(name_of(operator, 1), layer, value, **arrays)


def _instance_norm(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 3, 4)
    weight, bias = (constant(operator, given, k, "weight") for k in (1, 2))
    eps, channels = float(operator.settings.get("epsilon", 1e-5)), len(weight)
    layer = nn.InstanceNorm2d(channels, eps, affine=True, device="meta")
    return _on_maps(building, operator, layer, value, weight, bias)


def _on_maps(
    building: Building,
    operator: Operator,
    layer: nn.Module,
    value: Value,
    weight: Array,
    bias: Array,
) -> Value:
    """A norm of maps; what has rows only are maps of width 1."""
    maps = building.reshape(value, (*value.shape, 1)) if len(value.shape) == 3 else value
    result = building.layer(name_of(operator, 1), layer, maps, weight=weight, bias=bias)
    return building.reshape(result, value.shape) if maps is not value else result


def _group_norm(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 3, 4)
    groups, channels = int(operator.settings["num_groups"]), value.shape[1]
    weight, bias = (constant(operator, given, k, "weight") for k in (1, 2))
    if len(weight) == groups != channels:  # of versions before 21
        weight, bias = (np.repeat(one, channels // groups) for one in (weight, bias))
    layer = nn.GroupNorm(
        groups, channels, float(operator.settings.get("epsilon", 1e-5)), device="meta"
    )
    return _on_maps(building, operator, layer, value, weight, bias)


def _layer_norm(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    rank = len(value.shape)
    axis = int(operator.settings.get("axis", -1)) % rank
    value = building.keeping(value, *range(1, rank - axis + 1))
    shape = value.shape[axis:]
    weight, bias = (optional(operator, given, k, "weight") for k in (1, 2))
    eps = float(operator.settings.get("epsilon", 1e-5))
    layer = nn.LayerNorm(
        shape, eps, elementwise_affine=weight is not None, bias=bias is not None, device="meta"
    )
    held = {
        name: np.broadcast_to(one, shape).copy()
        for name, one in (("weight", weight), ("bias", bias))
        if one is not None
    }
    return building.layer(name_of(operator, 1), layer, value, **held)


def _local_norm(building: Building, operator: Operator, given: Given) -> Value:
    size = int(operator.settings["size"])
    if size % 2 == 0:
        raise operator.refused(f"an even number of channels ({size})")
    layer = nn.LocalResponseNorm(
        size,
        float(operator.settings.get("alpha", 1e-4)),
        float(operator.settings.get("beta", 0.75)),
        float(operator.settings.get("bias", 1.0)),
    )
    value = building.image(signal(operator, given), 4)
    return building.layer(name_of(operator, 9), layer, value)


LAYERS: dict[str, Make] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "MatMul": _product,
    "Einsum": _einsum,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _local_norm,
}
