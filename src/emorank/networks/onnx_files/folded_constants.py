"""Operators on constants, computed when a file is read: shapes, indices, rearranged weights."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from emorank.networks.onnx_files.operators import Array, Operator

_MOST = 2**27
"""Values in one constant, so that a few bytes of a file do not fill the memory."""


def fold(operator: Operator, given: Sequence[Array | None], opset: int) -> tuple[Array, ...] | None:
    """What an operator gives for constants; None if it is none of those that are computed here.

    Raises:
        WeightsError: the constants do not fit it.
    """
    if operator.kind in ("Split", "SplitToSequence"):
        return _split(operator, given) if operator.kind == "Split" else None
    way = _WAYS.get(operator.kind)
    if way is None:
        return None
    try:
        found = np.asarray(way(operator, given, opset))
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ZeroDivisionError,
            OverflowError) as error:  # fmt: skip
        raise operator.refused(f"its constants do not fit ({error})") from error
    if found.dtype == np.float64:
        found = found.astype(np.float32)
    return (found,)


def axes_of(operator: Operator, given: Sequence[Array | None]) -> tuple[int, ...] | None:
    """Its axes, which are a setting in older files and an input in newer ones."""
    if "axes" in operator.settings:
        return tuple(operator.settings["axes"])
    later = given[1] if len(given) > 1 else None
    return None if later is None else tuple(int(axis) for axis in later.reshape(-1))


def new_shape(operator: Operator, old: Sequence[int], asked: Sequence[int]) -> tuple[int, ...]:
    """The shape that Reshape makes: 0 copies a size, −1 is what is left."""
    copied = not operator.settings.get("allowzero", 0)
    sizes = [
        old[k] if size == 0 and copied and k < len(old) else int(size)
        for k, size in enumerate(asked)
    ]
    if sizes.count(-1) == 1:
        rest = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = math.prod(old) // rest if rest else 0
    if any(size < 0 for size in sizes) or math.prod(sizes) != math.prod(old):
        raise operator.refused(f"shape {tuple(old)} does not fit into {tuple(asked)}")
    return tuple(sizes)


def slices_of(operator: Operator, given: Sequence[Array | None], rank: int) -> tuple[slice, ...]:
    """What Slice cuts out of each dimension."""
    if "starts" in operator.settings:
        starts, ends = operator.settings["starts"], operator.settings["ends"]
        axes, steps = operator.settings.get("axes"), None
    else:
        starts, ends, axes, steps = (_ints(one) for one in [*given[1:5], *[None] * 4][:4])
    if starts is None or ends is None:
        raise operator.refused("what it cuts out depends on the images")
    axes = axes if axes is not None else range(len(starts))
    steps = steps if steps is not None else [1] * len(starts)
    found = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop: int | None = end
        if step < 0 and end < -(2**30):
            stop = None  # down to the first
        found[axis] = slice(start, stop, step)
    return tuple(found)


def _ints(array: Array | None) -> list[int] | None:
    return None if array is None else [int(one) for one in array.reshape(-1)]


def _small(shape: Iterable[Any]) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in shape)
    if math.prod(sizes) > _MOST or min(sizes, default=0) < 0:
        raise ValueError(f"a constant of shape {sizes}")
    return sizes


def _split(operator: Operator, given: Sequence[Array | None]) -> tuple[Array, ...]:
    whole = given[0]
    assert whole is not None  # noqa: S101 - the caller folds constants only
    axis = int(operator.settings.get("axis", 0))
    try:
        sizes = split_sizes(operator, given, whole.shape[axis])
        return tuple(np.split(whole, np.cumsum(sizes)[:-1], axis))
    except (ValueError, IndexError) as error:
        raise operator.refused(f"its constants do not fit ({error})") from error


def split_sizes(operator: Operator, given: Sequence[Array | None], length: int) -> list[int]:
    """The parts that Split makes of a dimension."""
    sizes = _ints(given[1]) if len(given) > 1 and given[1] is not None else None
    sizes = sizes or list(operator.settings.get("split", ()))
    if not sizes:
        count = int(operator.settings.get("num_outputs", len(operator.outputs)))
        each = -(-length // count)
        sizes = [max(min(each, length - k * each), 0) for k in range(count)]
    if sum(sizes) != length or len(sizes) != len(operator.outputs):
        raise operator.refused(f"parts of {sizes} do not make up {length}")
    return sizes


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    def way(_: Operator, given: Sequence[Any], __: int) -> Any:
        result = given[0]
        for other in given[1:]:
            _small(np.broadcast_shapes(result.shape, other.shape))
            result = function(result, other)
        return result

    return way


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, given, __: function(given[0])


def _divide(first: Array, second: Array) -> Any:
    if first.dtype.kind not in "iu":
        return first / second
    return (np.sign(first) * np.sign(second) * (np.abs(first) // np.abs(second))).astype(
        first.dtype
    )


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def way(operator: Operator, given: Sequence[Any], _: int) -> Any:
        axes = axes_of(operator, given)
        if not axes and operator.settings.get("noop_with_empty_axes", 0):
            return given[0]
        keep = bool(operator.settings.get("keepdims", 1))
        return function(given[0], axis=axes or None, keepdims=keep)

    return way


def _constant(operator: Operator, _: Sequence[Any], __: int) -> Any:
    settings = operator.settings
    if "value" in settings:
        return settings["value"]
    for name, kind in (("value_float", np.float32), ("value_floats", np.float32),
                       ("value_int", np.int64), ("value_ints", np.int64)):  # fmt: skip
        if name in settings:
            return np.array(settings[name], kind)
    return np.zeros(0, np.float32)  # words


def _cast(operator: Operator, given: Sequence[Any], _: int) -> Any:
    kinds = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32,
             7: np.int64, 9: np.bool_, 10: np.float32, 11: np.float32, 12: np.uint32,
             13: np.uint64, 16: np.float32}  # fmt: skip
    return given[0].astype(kinds[operator.settings["to"]])


def _filled(operator: Operator, given: Sequence[Any], _: int) -> Any:
    value = operator.settings.get("value", np.zeros(1, np.float32))
    return np.full(_small(given[0]), value.reshape(-1)[0], value.dtype)


def _range(_: Operator, given: Sequence[Any], __: int) -> Any:
    start, limit, step = (one.reshape(-1)[0] for one in given)
    _small([max(math.ceil((limit - start) / step), 0)])
    return np.arange(start, limit, step, dtype=given[0].dtype)


def _expand(_: Operator, given: Sequence[Any], __: int) -> Any:
    shape = np.broadcast_shapes(given[0].shape, _small(given[1]))
    return np.broadcast_to(given[0], _small(shape)).copy()


def _tile(_: Operator, given: Sequence[Any], __: int) -> Any:
    _small([size * int(n) for size, n in zip(given[0].shape, given[1], strict=True)])
    return np.tile(given[0], given[1])


def _squeeze(operator: Operator, given: Sequence[Any], _: int) -> Any:
    return np.squeeze(given[0], axes_of(operator, given))


def _unsqueeze(operator: Operator, given: Sequence[Any], _: int) -> Any:
    return np.expand_dims(given[0], axes_of(operator, given) or ())


def _gather(operator: Operator, given: Sequence[Any], _: int) -> Any:
    axis = operator.settings.get("axis", 0)
    shape = given[0].shape
    _small([*shape[:axis], *given[1].shape, *shape[axis:][1:]])
    return np.take(given[0], given[1].astype(np.int64), axis)


def _where(_: Operator, given: Sequence[Any], __: int) -> Any:
    _small(np.broadcast_shapes(*(one.shape for one in given)))
    return np.where(*given)


def _scattered(operator: Operator, given: Sequence[Any], _: int) -> Any:
    if operator.settings.get("reduction", "none") != "none":
        raise ValueError("values that are added up")
    result = given[0].copy()
    result[tuple(np.moveaxis(given[1], -1, 0))] = given[2]
    return result


def _clip(operator: Operator, given: Sequence[Any], _: int) -> Any:
    low, high = [*given[1:3], None, None][:2]
    low = operator.settings.get("min", -np.inf) if low is None else low
    high = operator.settings.get("max", np.inf) if high is None else high
    return np.clip(given[0], low, high).astype(given[0].dtype)


def _dequantised(operator: Operator, given: Sequence[Any], _: int) -> Any:
    values, scale = given[:2]
    zero = given[2] if len(given) > 2 and given[2] is not None else np.zeros(1, values.dtype)
    if scale.size > 1:
        shape = [1] * values.ndim
        shape[operator.settings.get("axis", 1)] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape) if zero.size > 1 else zero
    return (values.astype(np.float32) - zero.astype(np.float32)) * scale


_WAYS: dict[str, Callable[[Operator, Sequence[Any], int], Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Identity": _unary(lambda one: one),
    "Dropout": _unary(lambda one: one),
    "Cast": _cast,
    "CastLike": lambda _, given, __: given[0].astype(given[1].dtype),
    "Reshape": lambda op, given, _: given[0].reshape(
        new_shape(op, given[0].shape, given[1].tolist())
    ),
    "Flatten": lambda op, given, _: given[0].reshape(
        math.prod(given[0].shape[: op.settings.get("axis", 1)]), -1
    ),
    "Transpose": lambda op, given, _: np.transpose(given[0], op.settings.get("perm")),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": lambda op, given, _: np.concatenate(given, op.settings["axis"]),
    "Slice": lambda op, given, _: given[0][slices_of(op, given, given[0].ndim)],
    "Gather": _gather,
    "Shape": lambda op, given, _: np.array(shape_part(op, given[0].shape), np.int64),
    "Size": lambda _, given, __: np.array(given[0].size, np.int64),
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
    "ScatterND": _scattered,
    "Where": _where,
    "Add": _binary(np.add),
    "Sub": _binary(np.subtract),
    "Mul": _binary(np.multiply),
    "Div": _binary(_divide),
    "Mod": _binary(np.mod),
    "Pow": lambda _, given, __: np.power(given[0], given[1]).astype(given[0].dtype),
    "Max": _binary(np.maximum),
    "Min": _binary(np.minimum),
    "And": _binary(np.logical_and),
    "Or": _binary(np.logical_or),
    "Not": _unary(np.logical_not),
    "Equal": _binary(np.equal),
    "Greater": _binary(np.greater),
    "GreaterOrEqual": _binary(np.greater_equal),
    "Less": _binary(np.less),
    "LessOrEqual": _binary(np.less_equal),
    "Neg": _unary(np.negative),
    "Abs": _unary(np.abs),
    "Sqrt": _unary(np.sqrt),
    "Exp": _unary(np.exp),
    "Log": _unary(np.log),
    "Sin": _unary(np.sin),
    "Cos": _unary(np.cos),
    "Reciprocal": _unary(np.reciprocal),
    "Clip": _clip,
    "Floor": _unary(np.floor),
    "Ceil": _unary(np.ceil),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMean": _reduce(np.mean),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "DequantizeLinear": _dequantised,
}


def shape_part(operator: Operator, shape: Sequence[int]) -> tuple[int, ...]:
    """What Shape gives: all of a shape, or a part of it."""
    end = operator.settings.get("end")
    return tuple(shape)[operator.settings.get("start", 0) : end]
