"""ONNX's operators that compute each value by itself, alone or with a second one."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from emorank.networks.onnx_files.building import Building, Value
from emorank.networks.onnx_files.operators import Array, Operator

Given = Sequence[Value | Array | None]
Make = Callable[[Building, Operator, Given], Value | tuple[Value, ...]]


def signal(operator: Operator, given: Given, k: int = 0) -> Value:
    """What comes of the images; a constant there is refused."""
    value = given[k] if k < len(given) else None
    if not isinstance(value, Value):
        raise operator.refused(f"expected values that depend on the images as input {k}")
    return value


def constant(operator: Operator, given: Given, k: int, what: str) -> Array:
    """A constant that has to be one; what depends on the images is refused."""
    array = given[k] if k < len(given) else None
    if not isinstance(array, np.ndarray):
        raise operator.refused(f"its {what} depends on the images; expected a constant")
    return array


def optional(operator: Operator, given: Given, k: int, what: str) -> Array | None:
    """A constant that may be left out."""
    return constant(operator, given, k, what) if k < len(given) and given[k] is not None else None


def number(operator: Operator, given: Given, k: int, name: str, default: Any = None) -> Any:
    """A number that is a setting in older files and an input in newer ones."""
    if name in operator.settings:
        return float(operator.settings[name])
    array = optional(operator, given, k, name)
    return default if array is None else float(array.reshape(-1)[0])


def _alone(function: Callable[..., Any], **names: tuple[str, float]) -> Make:
    """A function of one value; `names` are its settings with ONNX's names and defaults."""

    def make(building: Building, operator: Operator, given: Given) -> Value:
        settings: dict[str, Any] = {
            key: float(operator.settings.get(onnx, default))
            for key, (onnx, default) in names.items()
        }
        return building.alone(function, signal(operator, given), **settings)

    return make


def _same(_: Building, operator: Operator, given: Given) -> Value:
    return signal(operator, given)


def _cast(_: Building, operator: Operator, given: Given) -> Value:
    if operator.settings.get("to", 1) not in (1, 10, 11, 16):  # kinds of floats
        raise operator.refused("it rounds values that depend on the images, or compares them")
    return signal(operator, given)


def _pair(function: Callable[..., Any]) -> Make:
    def make(building: Building, operator: Operator, given: Given) -> Value:
        first, second = given
        if isinstance(first, Value) and isinstance(second, Value):
            # What was repeated to fit the other one fits it as it was.
            short = [building.expanded.get(one.place, one) for one in (first, second)]
            if np.broadcast_shapes(short[0].shape, second.shape) == second.shape:
                first = short[0]
            elif np.broadcast_shapes(first.shape, short[1].shape) == first.shape:
                second = short[1]
            return building.call(function, *building.aligned(first, second))
        before = not isinstance(first, Value)
        value = signal(operator, given, int(before))
        array = constant(operator, given, int(not before), "other input").astype(np.float32)
        return with_constant(building, function, value, array, before=before)

    return make


def with_constant(
    building: Building, function: Callable[..., Any], value: Value, array: Array, *, before: bool
) -> Value:
    """A function of a value and a constant."""
    value, array = building.fitting(value, array)
    return building.call(function, value, constants=[array], before=before)


def _all(function: Callable[..., Any]) -> Make:
    """A function of two values, for any number of them."""
    pair = _pair(function)

    def make(building: Building, operator: Operator, given: Given) -> Value:
        result = given[0]
        for other in given[1:]:
            result = pair(building, operator, (result, other))  # type: ignore[assignment]
        return signal(operator, (result,))

    return make


def _extreme(name: str) -> Make:
    """Max or Min with a number, which clips."""

    def make(building: Building, operator: Operator, given: Given) -> Value:
        values = [one for one in given if isinstance(one, Value)]
        arrays = [one for one in given if isinstance(one, np.ndarray)]
        if len(values) != 1 or any(one.size != 1 for one in arrays):
            pair = torch.maximum if name == "max" else torch.minimum
            return _all(pair)(building, operator, given)  # type: ignore[return-value]
        numbers = [float(one.reshape(-1)[0]) for one in arrays]
        if name == "max":
            return _clipped(building, values[0], max(numbers), None)
        return _clipped(building, values[0], None, min(numbers))

    return make


def _clipped(building: Building, value: Value, least: float | None, most: float | None) -> Value:
    low = None if least is None or least <= _LOWEST else least
    high = None if most is None or most >= -_LOWEST else most
    if low is None and high is None:
        return value
    if low == 0 and high is None:
        return building.alone(F.relu, value)
    return building.alone(torch.clamp, value, min=low, max=high)


_LOWEST = -3e38  # about the lowest number of 32 bits, which stands for no bound


def _clip(building: Building, operator: Operator, given: Given) -> Value:
    low, high = (number(operator, given, k, name) for k, name in ((1, "min"), (2, "max")))
    return _clipped(building, signal(operator, given), low, high)


def _power(building: Building, operator: Operator, given: Given) -> Value:
    exponent = constant(operator, given, 1, "exponent")
    if exponent.size != 1:
        raise operator.refused("expected one exponent for all values")
    power, value = float(exponent.reshape(-1)[0]), signal(operator, given)
    return value if power == 1 else building.alone(torch.pow, value, exponent=power)


def _hard_sigmoid(building: Building, operator: Operator, given: Given) -> Value:
    slope = float(operator.settings.get("alpha", 0.2))
    shift = float(operator.settings.get("beta", 0.5))
    value = signal(operator, given)
    if abs(slope - 1 / 6) < 1e-5 and shift == 0.5:
        return building.alone(F.hardsigmoid, value)
    scaled = building.call(torch.mul, value, constants=[np.float32(slope).reshape(1)])
    shifted = building.call(torch.add, scaled, constants=[np.float32(shift).reshape(1)])
    return building.alone(torch.clamp, shifted, min=0.0, max=1.0)


def _prelu(building: Building, operator: Operator, given: Given) -> Value:
    value, slope = building.fitting(
        signal(operator, given), constant(operator, given, 1, "slope").astype(np.float32)
    )
    by_channel = slope.ndim == len(value.inner) and slope.size == slope.shape[0]
    if slope.size == 1 or by_channel:
        layer = nn.PReLU(slope.size, device="meta")
        return building.layer(name_of(operator, 1), layer, value, weight=slope.reshape(-1))
    above = building.alone(F.relu, value)
    below = building.alone(F.relu, building.alone(torch.neg, value))
    return building.call(torch.sub, above, building.call(torch.mul, below, constants=[slope]))


def name_of(operator: Operator, weight: int) -> str:
    """A name for a layer: that of the module which the file remembers, or of its operator."""
    given = operator.inputs[weight] if weight < len(operator.inputs) else ""
    for ending in (".weight", "_weight"):
        if given.endswith(ending) and len(given) > len(ending):
            return given.removesuffix(ending)
    if operator.scope:
        return operator.scope
    words = [w for w in (operator.name or operator.outputs[0]).split("/") if w]
    return ".".join(word for word in words if word != "StatefulPartitionedCall") or operator.kind


def _gelu(building: Building, operator: Operator, given: Given) -> Value:
    way = operator.settings.get("approximate", "none")
    return building.alone(F.gelu, signal(operator, given), approximate=way)


def _softmax(building: Building, operator: Operator, given: Given) -> Value:
    value = signal(operator, given)
    rank = len(value.shape)
    older = building.opset < 13  # over all dimensions from the axis on
    axis = int(operator.settings.get("axis", 1 if older else -1)) % rank
    function = torch.log_softmax if operator.kind == "LogSoftmax" else torch.softmax
    if not older or all(size == 1 for size in value.shape[axis + 1 :]):
        value = building.keeping(value, rank - axis)
        return building.call(function, value, dim=value.axis(axis))
    whole = value.shape
    flat = building.whole(building.reshape(value, (*whole[:axis], math.prod(whole[axis:]))))
    return building.reshape(building.call(function, flat, dim=axis + 1), whole)


POINTWISE: dict[str, Make] = {
    **dict.fromkeys(("Identity", "Dropout"), _same),
    "Cast": _cast,
    "Add": _pair(torch.add),
    "Sub": _pair(torch.sub),
    "Mul": _pair(torch.mul),
    "Div": _pair(torch.div),
    "Sum": _all(torch.add),
    "Max": _extreme("max"),
    "Min": _extreme("min"),
    "Pow": _power,
    "Clip": _clip,
    "Relu": _alone(F.relu),
    "LeakyRelu": _alone(F.leaky_relu, negative_slope=("alpha", 0.01)),
    "PRelu": _prelu,
    "Elu": _alone(F.elu, alpha=("alpha", 1.0)),
    "Selu": _alone(F.selu),
    "Celu": _alone(F.celu, alpha=("alpha", 1.0)),
    "Sigmoid": _alone(torch.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _alone(F.hardswish),
    "SiLU": _alone(F.silu),
    "Mish": _alone(F.mish),
    "Gelu": _gelu,
    "Tanh": _alone(torch.tanh),
    "Softplus": _alone(F.softplus),
    "Erf": _alone(torch.erf),
    "Exp": _alone(torch.exp),
    "Log": _alone(torch.log),
    "Sqrt": _alone(torch.sqrt),
    "Abs": _alone(torch.abs),
    "Neg": _alone(torch.neg),
    "Reciprocal": _alone(torch.reciprocal),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
}
