"""ONNX's operators that rearrange values, pick some, join them, or average over dimensions."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from emorank.networks.onnx_files.building import Building, Value, shaped
from emorank.networks.onnx_files.folded_constants import (
    axes_of,
    new_shape,
    slices_of,
    split_sizes,
)
from emorank.networks.onnx_files.operators import Array, Operator
from emorank.networks.onnx_files.pointwise_operators import (
    Given,
    Make,
    constant,
    number,
    signal,
)


def _constants(given: Given) -> list[Array | None]:
    return [one if isinstance(one, np.ndarray) else None for one in given]


def _reshape(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    asked = [int(size) for size in constant(operator, given, 1, "shape").reshape(-1)]
    return building.reshape(value, new_shape(operator, value.shape, asked))


def _flatten(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    axis = int(operator.settings.get("axis", 1))
    axis += len(value.shape) if axis < 0 else 0
    return building.reshape(value, (math.prod(value.shape[:axis]), math.prod(value.shape[axis:])))


def _squeeze(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    axes = axes_of(operator, _constants(given))
    rank = len(value.shape)
    chosen = {k for k, size in enumerate(value.shape) if size == 1} if axes is None else {
        axis % rank for axis in axes
    }  # fmt: skip
    shape = [size for k, size in enumerate(value.shape) if k not in chosen]
    dropped = value.dropped
    if dropped is not None:
        dropped = None if dropped in chosen else dropped - sum(k < dropped for k in chosen)
    return _renamed(building, value, shape, dropped)


def _unsqueeze(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    axes = axes_of(operator, _constants(given)) or ()
    rank = len(value.shape) + len(axes)
    new = sorted(axis % rank for axis in axes)
    shape, dropped = list(value.shape), value.dropped
    for axis in new:
        shape.insert(axis, 1)
        dropped = dropped + 1 if dropped is not None and axis <= dropped else dropped
    return _renamed(building, value, shape, dropped)


def _renamed(building: Building, value: Value, shape: list[int], dropped: int | None) -> Value:
    """The same values with dimensions of one more or less."""
    found = Value(value.place, tuple(shape), dropped)
    if found.inner == value.inner:
        return found
    bare = Value(value.place, value.inner, None)
    return Value(building.call(shaped, bare, shape=found.inner).place, tuple(shape), dropped)


def _transpose(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    order = operator.settings.get("perm") or range(len(value.shape))[::-1]
    return building.permute(value, order)


def cut(values: Any, index: tuple[Any, ...]) -> Any:
    """A part of each image's values."""
    return values[index]


def _cut(building: Building, value: Value, where: dict[int, slice]) -> Value:
    rank = len(value.shape)
    value = building.keeping(value, *(rank - axis for axis in where))
    index: list[Any] = [slice(None)] * (len(value.inner) + 1)
    for axis, part in where.items():
        index[value.axis(axis)] = part
    return building.call(cut, value, index=tuple(index))


def _slice(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    found = slices_of(operator, _constants(given), len(value.shape))
    where = {}
    for axis, (part, size) in enumerate(zip(found, value.shape, strict=True)):
        start, stop, step = part.indices(size)
        if step < 0:
            chosen = list(range(start, stop, step))
            value = _picked(building, value, axis, chosen)
        elif (start, stop, step) != (0, size, 1):
            if start >= stop:
                raise operator.refused(f"nothing is left of dimension {axis}")
            where[axis] = slice(start, stop, step)
    return _cut(building, value, where) if where else value


def _split(building: Building, operator: Operator, given: Given) -> tuple[Value, ...]:
    value = signal(operator, given)
    axis = int(operator.settings.get("axis", 0)) % len(value.shape)
    ends = np.cumsum([0, *split_sizes(operator, _constants(given), value.shape[axis])]).tolist()
    parts = [slice(*pair) for pair in pairwise(ends)]
    return tuple(_cut(building, value, {axis: part}) for part in parts)


def _gather(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    axis = int(operator.settings.get("axis", 0)) % len(value.shape)
    index, size = constant(operator, given, 1, "index"), value.shape[axis]
    chosen = [int(one) for one in index.reshape(-1)]
    if any(not -size <= one < size for one in chosen) or index.ndim > 1:
        raise operator.refused(f"expected indices of a dimension of {size}, in a row")
    chosen = [one % size for one in chosen]
    picked = _picked(building, value, axis, chosen)
    if index.ndim == 1:
        return picked
    shape = [size for k, size in enumerate(picked.shape) if k != axis]
    dropped = picked.dropped
    if dropped is not None:
        dropped = None if dropped == axis else dropped - (axis < dropped)
    return _renamed(building, picked, shape, dropped)


def _picked(building: Building, value: Value, axis: int, chosen: list[int]) -> Value:
    """Some of the places along a dimension, by a slice where they are in a row."""
    step = chosen[1] - chosen[0] if len(chosen) > 1 else 1
    if step > 0 and chosen == list(range(chosen[0], chosen[-1] + 1, step)):
        if chosen == list(range(value.shape[axis])):
            return value
        return _cut(building, value, {axis: slice(chosen[0], chosen[-1] + 1, step)})
    value = building.keeping(value, len(value.shape) - axis)
    at, index = value.axis(axis), np.array(chosen, np.int64)
    return building.call(_selected, value, constants=[torch.from_numpy(index)], dim=at)


def _selected(values: Any, index: Any, dim: int) -> Any:
    return torch.index_select(values, dim, index)


def _concat(building: Building, operator: Operator, given: Given) -> Value:
    """Branches side by side; a constant is the same for each image (a class token)."""
    values = [one for one in given if isinstance(one, Value)]
    rank = len(values[0].shape)
    axis = int(operator.settings["axis"]) % rank
    ends = {one.from_end for one in values}
    if len(ends) > 1 or rank - axis in ends:
        values = [building.whole(one) for one in values]
    like, after = values[0], iter(values)
    dropped, at = like.dropped, like.axis(axis)
    if len(values) == len(given):
        return building.call(joined, *values, dim=at)
    # As a constant that is added to zeros.
    length, before, total = 0, 0, sum(
        one.shape[axis] for one in given if isinstance(one, Value | np.ndarray)
    )  # fmt: skip
    shape = [size for k, size in enumerate(like.shape) if k != dropped]
    shape[at - 1] = total
    beside = np.zeros(shape, np.float32)
    result: Value | None = None
    for one in given:
        start = length
        if isinstance(one, np.ndarray):
            array = one if dropped is None else one.squeeze(dropped)
            length += one.shape[axis]
            beside[(*(slice(None),) * (at - 1), slice(start, length))] = array
        else:
            value = next(after)
            length += value.shape[axis]
            before = start
            sides = [0] * (2 * (len(value.inner) - at)) + [before, total - length]
            padded = building.call(F.pad, value, pad=tuple(sides))
            result = padded if result is None else building.call(torch.add, result, padded)
    assert result is not None  # noqa: S101 - constants alone are folded
    return building.call(torch.add, result, constants=[beside])


def joined(*branches: Any, dim: int) -> Any:
    """Branches side by side."""
    return torch.cat(branches, dim)


def _expand(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    asked = [int(size) for size in constant(operator, given, 1, "shape").reshape(-1)]
    shape = np.broadcast_shapes(value.shape, asked)
    if shape == value.shape:
        return value
    whole = building.whole(value)
    wide = building.whole(
        building.reshape(whole, (*(1,) * (len(shape) - len(value.shape)), *value.shape))
    )
    result = building.call(_expanded, wide, shape=tuple(shape))
    building.expanded[result.place] = value
    return result


def _expanded(values: Any, shape: tuple[int, ...]) -> Any:
    return values.expand(values.size(0), *shape)


def _pad(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    rank = len(value.shape)
    pads = operator.settings.get("pads")
    if pads is None:
        pads = [int(one) for one in constant(operator, given, 1, "padding").reshape(-1)]
    axes = [int(one) % rank for one in given[3]] if (
        len(given) > 3 and isinstance(given[3], np.ndarray)
    ) else list(range(rank))  # fmt: skip
    sides = {
        axis: (int(pads[k]), int(pads[k + len(axes)]))
        for k, axis in enumerate(axes)
        if pads[k] or pads[k + len(axes)]
    }
    if not sides:
        return value
    value = building.keeping(value, *(rank - axis for axis in sides))
    first = min(value.axis(axis) for axis in sides)
    by_place = {value.axis(axis): pair for axis, pair in sides.items()}
    flat = [
        side for at in range(len(value.inner), first - 1, -1) for side in by_place.get(at, (0, 0))
    ]
    mode = operator.settings.get("mode", "constant")
    fill = number(operator, given, 2, "value", 0.0) if mode == "constant" else 0.0
    if mode == "constant":
        return building.call(F.pad, value, pad=tuple(flat), value=fill)
    way = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}.get(mode)
    if way is None or len(flat) != 4:
        raise operator.refused(f"padding of mode '{mode}' along these dimensions")
    return building.call(F.pad, building.image(value, 4), pad=tuple(flat), mode=way)


def _reduce(function: Any) -> Make:
    def make(building: Building, operator: Operator, given: Given) -> Value:
        value = signal(operator, given)
        rank = len(value.shape)
        axes = axes_of(operator, _constants(given))
        if not axes:
            if operator.settings.get("noop_with_empty_axes", 0):
                return value
            axes = tuple(range(rank))
        chosen = {axis % rank for axis in axes}
        keep = bool(operator.settings.get("keepdims", 1))
        inner = tuple(sorted(value.axis(axis) for axis in chosen if axis != value.dropped))
        place = value.place
        if inner:
            bare = Value(place, value.inner, None)
            place = building.call(function, bare, dim=inner, keepdim=keep).place
        shape = [1 if k in chosen else size for k, size in enumerate(value.shape)
                 if keep or k not in chosen]  # fmt: skip
        dropped = value.dropped
        if dropped is not None and not keep:
            dropped = None if dropped in chosen else dropped - sum(k < dropped for k in chosen)
        return Value(place, tuple(shape), dropped)

    return make


def _depth_to_space(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 4)
    _, channels, height, width = value.shape
    side = int(operator.settings["blocksize"])
    deep = channels // side**2
    if operator.settings.get("mode", "DCR") == "DCR":
        parts, order = (1, side, side, deep, height, width), (0, 3, 4, 1, 5, 2)
    else:
        parts, order = (1, deep, side, side, height, width), (0, 1, 4, 2, 5, 3)
    wide = building.permute(building.reshape(value, parts), order)
    return building.reshape(wide, (1, deep, height * side, width * side))


def _space_to_depth(building: Building, operator: Operator, given: Given) -> Value:
    value = building.image(signal(operator, given), 4)
    _, channels, height, width = value.shape
    side = int(operator.settings["blocksize"])
    parts = (1, channels, height // side, side, width // side, side)
    wide = building.permute(building.reshape(value, parts), (0, 3, 5, 1, 2, 4))
    return building.reshape(wide, (1, channels * side**2, height // side, width // side))


SHAPES: dict[str, Make] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Concat": _concat,
    "Expand": _expand,
    "Pad": _pad,
    "ReduceMean": _reduce(torch.mean),
    "ReduceSum": _reduce(torch.sum),
    "ReduceMax": _reduce(torch.amax),
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
