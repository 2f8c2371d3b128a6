"""ONNX's operators that pool maps or make them larger."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from emorank.networks.onnx_files.building import Building, Value
from emorank.networks.onnx_files.operators import Array, Operator
from emorank.networks.onnx_files.pointwise_operators import Given, Make, signal
from emorank.networks.onnx_files.windows import Window, sides_of, steps_along, window


def _pool(average: bool) -> Make:
    def make(building: Building, operator: Operator, given: Given) -> Value:
        if len([name for name in operator.outputs if name]) > 1:
            raise operator.refused("it gives the places of the maxima too")
        value = building.image(signal(operator, given), 4)
        found, settings = window(operator), operator.settings
        if average and set(found.dilations) != {1}:
            raise operator.refused("windows with gaps")
        sides = sides_of(operator, value.shape[2:], found)
        ceil = bool(settings.get("ceil_mode", 0))
        counts_zeros = average and bool(settings.get("count_include_pad", 0))
        sizes = value.shape[2:]
        wanted = [
            steps_along(size, pair, found, k, ceil)
            for k, (size, pair) in enumerate(zip(sizes, sides, strict=True))
        ]
        begin = tuple(before for before, _ in sides)
        # Windows that reach beyond the end are as padding there that counts for nothing.
        rounded = [ceil] if all(b == e for b, e in sides) else []
        rounded += [] if counts_zeros else [True]
        small = all(2 * b <= n for b, n in zip(begin, found.kernel, strict=True))
        for up in rounded if small else ():
            layer = _layer(average, found, begin, up, counts_zeros)
            if list(layer(torch.empty(0, 1, *sizes)).shape[2:]) == wanted:
                return building.layer(_name(operator), layer, value)
        if average and not counts_zeros:
            raise operator.refused("averages whose windows have more zeros on one side")
        flat = tuple(side for pair in reversed(sides) for side in pair)
        padded = building.call(F.pad, value, pad=flat, value=0.0 if average else -np.inf)
        layer = _layer(average, found, (0, 0), ceil, counts_zeros)
        return building.layer(_name(operator), layer, padded)

    return make


def _layer(average: bool, of: Window, begin: Any, up: bool, counts_zeros: bool) -> nn.Module:
    kernel, strides, dilations = (_two(one) for one in (of.kernel, of.strides, of.dilations))
    if average:
        return nn.AvgPool2d(kernel, strides, begin, up, counts_zeros)
    return nn.MaxPool2d(kernel, strides, begin, dilations, ceil_mode=up)


def _two(sizes: Sequence[int]) -> tuple[int, int]:
    rows, columns = sizes
    return rows, columns


def _name(operator: Operator) -> str:
    return operator.scope or operator.name.strip("/").replace("/", ".") or operator.outputs[0]


def _global_average(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 3, 4)
    if len(value.shape) == 3:
        return building.call(torch.mean, value, dim=2, keepdim=True)
    return building.call(F.adaptive_avg_pool2d, value, output_size=1)


def _global_maximum(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 4)
    return building.layer(_name(operator), nn.MaxPool2d(value.shape[2:]), value)


def _resize(building: Building, operator: Operator, given: Given) -> Value:
    """Enlarging in the ways that torch has too."""
    value = building.image(signal(operator, given), 4)
    settings = operator.settings
    sizes = _sizes(operator, given, value.shape)
    if sizes[:2] != value.shape[:2]:
        raise operator.refused(f"a new size for images or channels, {sizes}")
    if sizes == value.shape:
        return value
    mode = settings.get("mode", "nearest")
    older = operator.kind == "Upsample" or building.opset < 11
    places = settings.get("coordinate_transformation_mode", "half_pixel")
    if older:
        places = "asymmetric"
    size = tuple(sizes[2:])
    times = [new / old for new, old in zip(size, value.shape[2:], strict=True)]
    if mode == "nearest":
        rounds = settings.get("nearest_mode", "round_prefer_floor") if not older else "floor"
        whole = all(one == int(one) and one >= 1 for one in times)
        usual = places == "asymmetric" and rounds == "floor"
        centred = places.startswith(("half_pixel", "pytorch_half")) and "prefer" in rounds
        # Of windows of whole numbers each copy has one nearest place, however it is rounded.
        if usual or (centred and whole):
            return building.call(F.interpolate, value, size=size, mode="nearest")
    shrinks = settings.get("antialias", 0) and any(one < 1 for one in times)
    way = {"linear": "bilinear", "cubic": "bicubic"}.get(mode)
    corners = places == "align_corners"
    single = places == "pytorch_half_pixel" and min(size) > 1
    cube = mode != "cubic" or settings.get("cubic_coeff_a", -0.75) == -0.75
    plain = not settings.get("exclude_outside", 0) and cube and not shrinks
    if way and plain and (corners or single or places == "half_pixel"):
        return building.call(F.interpolate, value, size=size, mode=way, align_corners=corners)
    raise operator.refused(
        f"it resizes in a way that torch has not (mode '{mode}', coordinates '{places}')"
    )


def _sizes(operator: Operator, given: Given, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that Resize makes."""
    arrays: list[Array | None] = [one if isinstance(one, np.ndarray) else None for one in given]
    if operator.kind == "Upsample" or len(given) == 2:
        scales, sizes = arrays[1] if len(arrays) > 1 else None, None
        if "scales" in operator.settings:
            scales = np.array(operator.settings["scales"])
    else:
        scales, sizes = [*arrays[2:4], None, None][:2]
    axes = [int(axis) % len(shape) for axis in operator.settings.get("axes", range(len(shape)))]
    found = list(shape)
    if sizes is not None and sizes.size == len(axes):
        if operator.settings.get("keep_aspect_ratio_policy", "stretch") != "stretch":
            raise operator.refused("it keeps the ratio of the sides")
        for axis, size in zip(axes, sizes.reshape(-1), strict=True):
            found[axis] = int(size)
    elif scales is not None and scales.size == len(axes):
        for axis, scale in zip(axes, scales.reshape(-1), strict=True):
            found[axis] = round(shape[axis] * float(scale))
            if abs(found[axis] - shape[axis] * float(scale)) > 1e-3:
                raise operator.refused(f"{shape[axis]} times {float(scale):.6g} is no whole size")
    else:
        raise operator.refused("its new size depends on the images")
    if min(found) < 1:
        raise operator.refused(f"a new size of {found}")
    return tuple(found)


POOLING: dict[str, Make] = {
    "MaxPool": _pool(average=False),
    "AveragePool": _pool(average=True),
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_maximum,
    **dict.fromkeys(("Resize", "Upsample"), _resize),
}
