"""Sizes that a forward asks its tensors for (`x.size(0)`, `x.shape[2:]`), and reckons with."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from torch import fx

Shape = tuple[int, ...]

UNKNOWN = None
"""A size of another tensor than the one whose shape is known."""

_METHODS = ("size", "numel", "nelement", "dim", "ndimension")
_ATTRIBUTES = ("shape", "ndim")
_ARITHMETIC: dict[Any, Callable[..., Any]] = {
    f: f
    for f in (
        *(operator.getitem, operator.add, operator.sub, operator.mul),
        *(operator.floordiv, operator.mod, operator.truediv),
        *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
    )
}


def is_size(step: Any) -> bool:
    """Whether a step asks for a shape and computes with nothing else."""
    if not isinstance(step, fx.Node):
        return False
    if step.op == "call_method" and step.target in _METHODS:
        return True
    if step.op != "call_function":
        return False
    if step.target is getattr:
        return step.args[1] in _ATTRIBUTES
    nodes = step.all_input_nodes
    return step.target in _ARITHMETIC and bool(nodes) and all(map(is_size, nodes))


def size_of(given: Any, shapes: Mapping[fx.Node, Shape]) -> Any:
    """What a size in a forward is, where tensors have these shapes; `UNKNOWN` if others say it.

    The images of a batch are as many everywhere, so the first size of every tensor is known.
    """
    if isinstance(given, tuple | list):
        return tuple(size_of(one, shapes) for one in given)
    if isinstance(given, slice):
        return slice(*(size_of(one, shapes) for one in (given.start, given.stop, given.step)))
    if not isinstance(given, fx.Node):
        return given
    batch = next(iter(shapes.values()))[0]
    if given.op == "call_function" and given.target in _ARITHMETIC:
        values = [size_of(one, shapes) for one in given.args]
        index = given.args[1]
        if given.target is operator.getitem and _is_other(given.args[0], shapes):
            return batch if index == 0 else UNKNOWN
        return UNKNOWN if UNKNOWN in values else _ARITHMETIC[given.target](*values)
    of = given.args[0]
    if is_size(of):  # x.shape[1:].numel()
        sizes = size_of(of, shapes)
        return UNKNOWN if sizes is UNKNOWN or UNKNOWN in sizes else math.prod(sizes)
    asked = given.args[1] if given.target is getattr else given.target
    dim = given.kwargs.get("dim", given.args[1] if len(given.args) > 1 else None)
    shape = shapes.get(of)  # type: ignore[arg-type]
    if asked == "size" and dim is not None:
        return batch if dim == 0 else UNKNOWN if shape is None else shape[dim]  # type: ignore[index]
    if shape is None:
        return UNKNOWN
    return {"size": shape, "shape": shape}.get(
        str(asked), math.prod(shape) if asked in ("numel", "nelement") else len(shape)
    )


def asked_of(given: Any) -> tuple[fx.Node, ...]:
    """The tensors that the sizes in a value are asked of, each once."""
    found: dict[fx.Node, None] = {}

    def look(value: Any) -> None:
        if isinstance(value, tuple | list):
            for one in value:
                look(one)
        elif isinstance(value, slice):
            look((value.start, value.stop, value.step))
        elif is_size(value):
            look(value.args)
        elif isinstance(value, fx.Node):
            found[value] = None

    look(given)
    return tuple(found)


def _is_other(given: Any, shapes: Mapping[fx.Node, Shape]) -> bool:
    """Whether it is the whole shape of another tensor."""
    if not isinstance(given, fx.Node) or given.args[0] in shapes or is_size(given.args[0]):
        return False
    whole = given.op == "call_method" and given.target == "size" and len(given.args) == 1
    return whole or (given.target is getattr and given.args[1] == "shape")
