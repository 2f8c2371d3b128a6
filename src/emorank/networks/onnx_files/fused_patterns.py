"""Layers that a file writes as several operators, found again: GELU and its like, layer norm.

A function of one value that is written out is recognised by what it computes, not by how it is
written: exporters write GELU in a dozen ways.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from emorank.networks.onnx_files.operators import Array, Operator

_GRID = np.linspace(-6, 6, 97)
_LONGEST = 14  # operators of a function that is written out
_CLOSE = 2e-4  # constants are written with few digits

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


# What a written-out function may be, with the operator that it is then.
_KNOWN: tuple[tuple[str, dict[str, Any], Array], ...] = (
    ("SiLU", {}, _GRID * _sigmoid(_GRID)),
    ("HardSwish", {}, _GRID * np.clip(_GRID / 6 + 0.5, 0, 1)),
    ("Gelu", {"approximate": "none"}, _GRID * (1 + _erf(_GRID / math.sqrt(2))) / 2),
    (
        "Gelu",
        {"approximate": "tanh"},
        _GRID * (1 + np.tanh(math.sqrt(2 / math.pi) * (_GRID + 0.044715 * _GRID**3))) / 2,
    ),
    ("Mish", {}, _GRID * np.tanh(np.log1p(np.exp(_GRID)))),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, np.clip(_GRID / 6 + 0.5, 0, 1)),
)

_BY_VALUE: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Sigmoid": _sigmoid,
    "Tanh": np.tanh,
    "Erf": _erf,
    "Exp": np.exp,
    "Softplus": lambda x: np.log1p(np.exp(x)),
    "Neg": np.negative,
    "Relu": lambda x: np.maximum(x, 0),
    "Identity": lambda x: x,
}
_ENDS = ("Mul", "Div", "Clip")  # the last operator of such a function


def fused(operators: Sequence[Operator], constants: Mapping[str, Array]) -> tuple[Operator, ...]:
    """The operators with such functions, and layer norms, as one operator each.

    What they were made of is left in its place; nothing reads it any more.
    """
    search = _Search(operators, constants)
    return tuple(search.one(k, operator) for k, operator in enumerate(operators))


class _Search:
    """Operators by what they give."""

    def __init__(self, operators: Sequence[Operator], constants: Mapping[str, Array]) -> None:
        self.constants = dict(constants)
        self.giving: dict[str, tuple[int, Operator]] = {}
        for k, operator in enumerate(operators):
            for name in operator.outputs:
                self.giving[name] = (k, operator)
            value = operator.settings.get("value")
            if operator.kind == "Constant" and isinstance(value, np.ndarray):
                self.constants[operator.outputs[0]] = value

    def one(self, k: int, operator: Operator) -> Operator:
        if operator.kind in _ENDS:
            norm = self.layer_norm(operator)
            return norm or self.function(operator) or operator
        return self.layer_norm(operator) or operator if operator.kind == "Add" else operator

    def number(self, name: str) -> float | None:
        array = self.constants.get(name)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None

    # --- functions of one value ------------------------------------------------------------------

    def function(self, last: Operator) -> Operator | None:
        """The known function that an operator ends, if it does."""
        inside = [last]
        while len(inside) <= _LONGEST:
            open_ends = self._read_by(inside)
            if len(open_ends) == 1 and (len(inside) > 1 or last.kind == "Clip"):
                (source,) = open_ends
                known = self._known(inside, source)
                if known is not None:
                    kind, settings = known
                    return replace(last, kind=kind, inputs=(source,), settings=settings)
            before = [self.giving[name] for name in open_ends if name in self.giving]
            before = [pair for pair in before if pair[1].kind in (*_BY_VALUE, *_CLIPS)]
            if not before or len(open_ends) > 3:
                return None
            inside.append(max(before, key=lambda pair: pair[0])[1])
        return None

    def _read_by(self, inside: list[Operator]) -> set[str]:
        """What some operators read that they do not give themselves."""
        own = {name for operator in inside for name in operator.outputs}
        return {
            name
            for operator in inside
            for name in operator.inputs
            if name and name not in own and self.number(name) is None
        }

    def _known(self, inside: list[Operator], source: str) -> tuple[str, dict[str, Any]] | None:
        values: dict[str, Any] = {source: _GRID}
        with np.errstate(all="ignore"):
            for operator in reversed(inside):
                values[operator.outputs[0]] = self._computed(operator, values)
        result = values[inside[0].outputs[0]]
        if result is None:
            return None
        for kind, settings, known in _KNOWN:
            if np.max(np.abs(result - known)) < _CLOSE:
                return kind, settings
        return None

    def _computed(self, operator: Operator, values: Mapping[str, Any]) -> Any:
        given: list[Any] = [
            values[name] if name in values else self.number(name)
            for name in operator.inputs
            if name
        ]
        if any(one is None for one in given):
            return None
        if operator.kind in _CLIPS:
            bounds = [*given[1:], *(operator.settings[n] for n in ("min", "max")
                                    if n in operator.settings)]  # fmt: skip
            return np.clip(given[0], *bounds) if len(bounds) == 2 else None
        if operator.kind == "HardSigmoid":
            alpha, beta = (operator.settings.get(*pair) for pair in (("alpha", 0.2), ("beta", 0.5)))
            return np.clip(alpha * given[0] + beta, 0, 1)
        return _BY_VALUE[operator.kind](*given)

    # --- layer norm ------------------------------------------------------------------------------

    def layer_norm(self, last: Operator) -> Operator | None:
        """(x − mean) / √(variance + ε), with or without weight and bias behind it."""
        bias, scaled = self._beside(last) if last.kind == "Add" else (None, last)
        if scaled is None:
            return None
        weight, divided = self._beside(scaled) if scaled.kind == "Mul" else (None, scaled)
        if divided is None or divided.kind != "Div" or (last.kind == "Mul" and weight is None):
            return None
        found = self._normalised(divided)
        if found is None:
            return None
        source, axes, eps = found
        if weight is None:
            return None if last.kind != "Div" else _norm(last, (source,), axes, eps)
        inputs = (source, weight) if bias is None else (source, weight, bias)
        return _norm(last, inputs, axes, eps)

    def _beside(self, operator: Operator) -> tuple[str | None, Operator | None]:
        """The constant that an operator is given, and what gives the other input."""
        for constant, other in (operator.inputs, operator.inputs[::-1]):
            if constant in self.constants and other in self.giving:
                return constant, self.giving[other][1]
        return None, None

    def _normalised(self, divided: Operator) -> tuple[str, tuple[int, ...], float] | None:
        centred, root = (self.giving.get(name) for name in divided.inputs)
        if centred is None or root is None or root[1].kind != "Sqrt":
            return None
        difference = centred[1]
        added = self.giving.get(root[1].inputs[0])
        if difference.kind != "Sub" or added is None or added[1].kind != "Add":
            return None
        eps_name = next((n for n in added[1].inputs if self.number(n) is not None), None)
        means = [self.giving[n][1] for n in added[1].inputs if n in self.giving]
        mean = self.giving.get(difference.inputs[1])
        means = [one for one in means if one.kind == "ReduceMean"]
        if eps_name is None or mean is None or mean[1].kind != "ReduceMean" or not means:
            return None
        square = self.giving.get(means[0].inputs[0])
        if square is None or not self._squares(square[1], divided.inputs[0]):
            return None
        axes = self._axes(mean[1])
        if mean[1].inputs[0] != difference.inputs[0] or axes is None:
            return None
        if axes != self._axes(means[0]):
            return None
        return difference.inputs[0], axes, self.number(eps_name) or 0.0

    def _squares(self, operator: Operator, of: str) -> bool:
        if operator.kind == "Mul":
            return operator.inputs == (of, of)
        power = operator.kind == "Pow" and self.number(operator.inputs[1]) == 2
        return power and operator.inputs[0] == of

    def _axes(self, mean: Operator) -> tuple[int, ...] | None:
        axes = mean.settings.get("axes")
        if axes is None and len(mean.inputs) > 1 and mean.inputs[1] in self.constants:
            axes = self.constants[mean.inputs[1]].reshape(-1).tolist()
        # The last dimensions, counted from the end: the rank is not known here.
        if not axes or not mean.settings.get("keepdims", 1):
            return None
        return tuple(axes) if sorted(axes) == list(range(-len(axes), 0)) else None


_CLIPS = ("Clip", "HardSigmoid")


def _norm(last: Operator, inputs: tuple[str, ...], axes: tuple[int, ...], eps: float) -> Operator:
    return replace(
        last,
        kind="LayerNormalization",
        inputs=inputs,
        settings={"axis": min(axes), "epsilon": eps},
    )
