"""The steps of a net while they are put together, with the shapes of what each gives."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emorank.errors import WeightsError
from emorank.networks.onnx_files.operators import Array, Operator
from emorank.networks.onnx_files.step_net import IMAGES, Step

_PROBE = 0  # images: shapes are computed with no values at all
_SAME = (nn.GroupNorm, nn.InstanceNorm2d, nn.LocalResponseNorm, nn.LayerNorm, nn.PReLU)
_MOST = 2**30  # values in what a step gives for one image: 4 GiB
_WORD = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Value:
    """What an operator gives, for every image of a batch.

    The file computes one image, in a tensor of `shape`. The net has as many of these as there are
    images: (batch, *shape), or without the dimension `dropped`, mostly the file's own batch of one.

    Attributes:
        place: among the values of the net.
        shape: in the file.
        dropped: the dimension of size 1 that the net's tensor does not have; None if it has all.
    """

    place: int
    shape: tuple[int, ...]
    dropped: int | None

    @property
    def inner(self) -> tuple[int, ...]:
        """The shape of the net's tensor behind the batch."""
        return tuple(size for k, size in enumerate(self.shape) if k != self.dropped)

    @property
    def from_end(self) -> int:
        """Which dimension is dropped, 1 being the last; 0 for none."""
        return 0 if self.dropped is None else len(self.shape) - self.dropped

    def axis(self, axis: int) -> int:
        """Where a dimension of the file is in the net's tensor; not the dropped one."""
        axis %= len(self.shape)
        return axis + (self.dropped is None or axis < self.dropped)


class Building:
    """Steps, layers and constants that become a net."""

    def __init__(self, images: tuple[int, ...], opset: int) -> None:
        self.steps: list[Step] = []
        self.layers: dict[str, nn.Module] = {}
        self.constants: dict[str, Tensor] = {}
        self.shapes = [torch.empty(_PROBE, *images)]
        self.permuted: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.expanded: dict[int, Value] = {}  # what values were before they were repeated
        self.opset = opset
        self.taken: set[str] = set()
        self.operator = Operator("", "", (), ())
        self.images = Value(IMAGES, (1, *images), 0)

    # --- steps -----------------------------------------------------------------------------------

    def call(
        self,
        function: Callable[..., Any],
        *values: Value,
        constants: Sequence[Array | Tensor] = (),
        before: bool = False,
        **settings: Any,
    ) -> Value:
        """A function of torch's on values that have their dimensions at the same places."""
        names = tuple(self._constant(one) for one in constants)
        step = Step(function, tuple(v.place for v in values), names, settings, before)
        held = [self.constants[name] for name in names]
        like = next((value for value in values if value.dropped is not None), values[0])
        return self._add(step, like, lambda read: function(*read, **settings), held)

    def alone(self, function: Callable[..., Any], value: Value, **settings: Any) -> Value:
        """A function that computes each value by itself."""
        return self._same(Step(function, (value.place,), (), settings), value)

    def layer(self, name: str, layer: nn.Module, value: Value, **weights: Array | None) -> Value:
        """A layer that was made without memory, and its weights."""
        given = {key: _tensor(one) for key, one in weights.items() if one is not None}
        for key, tensor in layer.state_dict().items():
            if key in given and tensor.shape != given[key].shape:
                raise self.operator.refused(
                    f"its {key} has the shape {tuple(given[key].shape)}, expected "
                    f"{tuple(tensor.shape)}"
                )
        if given:
            layer.load_state_dict(layer.state_dict() | given, assign=True)
        layer.eval().requires_grad_(False)
        name = self._free(name)
        self.layers[name] = layer
        step = Step(name, (value.place,))
        if isinstance(layer, _SAME):
            return self._same(step, value)
        return self._add(step, value, lambda read: layer(*read), [])

    def _same(self, step: Step, value: Value) -> Value:
        """Add a step that gives what it reads a new value each."""
        self.steps.append(step)
        self.shapes.append(self.shapes[value.place])
        return replace(value, place=len(self.steps))

    def _add(
        self, step: Step, like: Value, run: Callable[[list[Any]], Any], held: list[Tensor]
    ) -> Value:
        """Add a step; its shape is what it gives for a batch without images."""
        read = step.arguments(self.shapes, held)
        try:
            with torch.no_grad():
                result = run(read)
        except (WeightsError, MemoryError):
            raise
        except Exception as error:  # whatever torch makes of shapes that do not fit
            shapes = ", ".join(str(tuple(one.shape[1:])) for one in read if one is not None)
            reason = str(error).strip().splitlines()[:1]
            raise self.operator.refused(
                f"what it is given, of shape {shapes}, does not fit ({' '.join(reason)})"
            ) from error
        if result.ndim == 0 or result.shape[0] != _PROBE:
            raise self.operator.refused("it joins the images of a batch")
        if math.prod(result.shape[1:]) > _MOST:
            raise self.operator.refused(
                f"it gives {math.prod(result.shape[1:]):,} values for each image, more than "
                f"{_MOST:,}"
            )
        self.steps.append(step)
        self.shapes.append(result)
        inner, dropped = tuple(result.shape[1:]), like.dropped
        if dropped is not None:
            dropped = min(dropped, len(inner))
            inner = (*inner[:dropped], 1, *inner[dropped:])
        return Value(len(self.steps), inner, dropped)

    def _constant(self, array: Array | Tensor) -> str:
        tensor = _tensor(array)
        name = f"constant_{len(self.constants)}"
        self.constants[name] = tensor
        return name

    def _free(self, name: str) -> str:
        """A name for a layer: words with points, none of which is a layer's already."""
        words = [_WORD.sub("_", word) or "_" for word in name.split(".")]
        words = [f"_{word}" if _is_taken(word) else word for word in words]
        for k, word in enumerate(words):
            number = 1
            while self._clashes(".".join(words[: k + 1]), last=k + 1 == len(words)):
                number += 1
                words[k] = f"{word}_{number}"
        self.taken.add(".".join(words))
        return ".".join(words)

    def _clashes(self, name: str, *, last: bool) -> bool:
        """Whether a layer has a name; or, if a layer is to have it, something in it has."""
        return name in self.taken or (
            last and any(one.startswith(f"{name}.") for one in self.taken)
        )

    # --- where the dimensions are ----------------------------------------------------------------

    def whole(self, value: Value) -> Value:
        """The value with all its dimensions."""
        if value.dropped is None:
            return value
        bare = replace(value, dropped=None)
        shape = value.shape
        return replace(self.call(shaped, bare, shape=shape), shape=shape, dropped=None)

    def dropping(self, value: Value, axis: int) -> Value:
        """The value without a dimension of size 1."""
        if value.dropped == axis:
            return value
        rest = tuple(size for k, size in enumerate(value.shape) if k != axis)
        if rest == value.inner:
            return replace(value, dropped=axis)
        bare = replace(value, dropped=None)
        return Value(self.call(shaped, bare, shape=rest).place, value.shape, axis)

    def image(self, value: Value, *ranks: int) -> Value:
        """A value whose first dimension is the file's batch of one, dropped."""
        if ranks and len(value.shape) not in ranks:
            raise self.operator.refused(
                f"expected values of {' or '.join(map(str, ranks))} dimensions, got the shape "
                f"{value.shape}"
            )
        if not value.shape or value.shape[0] != 1:
            raise self.operator.refused(
                f"expected one image in the first dimension, got the shape {value.shape}"
            )
        return self.dropping(value, 0)

    def keeping(self, value: Value, *axes: int) -> Value:
        """A value that has these dimensions, counted from the end, 1 the last."""
        return self.whole(value) if value.from_end in axes else value

    def reshape(self, value: Value, shape: Sequence[int]) -> Value:
        """Other dimensions for the same values."""
        shape = tuple(int(size) for size in shape)
        dropped = value.dropped
        if dropped is None or dropped >= len(shape) or shape[dropped] != 1:
            dropped = 0 if len(shape) > 1 and shape[0] == 1 else None
        inner = tuple(size for k, size in enumerate(shape) if k != dropped)
        place = self._unturned(value.place)
        if inner == tuple(self.shapes[place].shape[1:]):
            return Value(place, shape, dropped)
        bare = replace(value, dropped=None)
        if inner == (math.prod(value.inner),):
            return Value(self.call(torch.flatten, bare, start_dim=1).place, shape, dropped)
        return Value(self.call(shaped, bare, shape=inner).place, shape, dropped)

    def _unturned(self, place: int) -> int:
        """Where the same values in the same order are, before only dimensions of one were moved."""
        if place not in self.permuted:
            return place
        source, order = self.permuted[place]
        moved = [axis for axis in order if axis and self.shapes[source].shape[axis] != 1]
        return source if moved == sorted(moved) else place

    def permute(self, value: Value, order: Sequence[int]) -> Value:
        """The dimensions in another order; two permutations in a row are one, or none."""
        order = tuple(int(axis) % len(value.shape) for axis in order)
        shape = tuple(value.shape[axis] for axis in order)
        dropped = None if value.dropped is None else order.index(value.dropped)
        inner = (0, *(value.axis(axis) for axis in order if axis != value.dropped))
        place = value.place
        if place in self.permuted:
            place, before = self.permuted[place]
            inner = tuple(before[axis] for axis in inner)
        if inner == tuple(range(len(inner))):
            return Value(place, shape, dropped)
        bare = Value(place, tuple(self.shapes[place].shape[1:]), None)
        result = self.call(torch.permute, bare, dims=inner)
        self.permuted[result.place] = (place, inner)
        return Value(result.place, shape, dropped)

    def aligned(self, first: Value, second: Value, *keep: int) -> tuple[Value, Value]:
        """Two values whose dimensions fit each other from the last on, also in the net.

        `keep` are dimensions, counted from the end, that may not be dropped.
        """
        first, second = self.keeping(first, *keep), self.keeping(second, *keep)
        end = first.from_end or second.from_end
        pair = [self._dropping_from_end(one, end) for one in (first, second)]
        if len({one.from_end for one in pair if len(one.shape) >= end}) > 1:
            pair = [self.whole(one) for one in (first, second)]
        rank = max(len(one.inner) for one in pair)
        return self._wide(pair[0], rank), self._wide(pair[1], rank)

    def fitting(self, value: Value, constant: Array, *keep: int) -> tuple[Value, Array]:
        """A value and a constant that fits its dimensions, also in the net."""
        value = self.keeping(value, *keep)
        end = value.from_end
        if end and constant.ndim >= end:
            if constant.shape[-end] == 1:
                constant = constant.squeeze(-end)
            else:
                value = self.whole(value)
        while constant.ndim > len(value.inner) and constant.shape[0] == 1:
            constant = constant[0]
        return self._wide(value, constant.ndim), constant

    def _dropping_from_end(self, value: Value, end: int) -> Value:
        if end and end <= len(value.shape) and value.shape[-end] == 1:
            return self.dropping(value, len(value.shape) - end)
        return value if value.from_end in (0, end) else self.whole(value)

    def _wide(self, value: Value, rank: int) -> Value:
        """With dimensions of one in front, so that it has so many."""
        more = rank - len(value.inner)
        if more <= 0:
            return value
        bare, inner = replace(value, dropped=None), (*(1,) * more, *value.inner)
        dropped = None if value.dropped is None else value.dropped + more
        shape = inner if dropped is None else (*inner[:dropped], 1, *inner[dropped:])
        return Value(self.call(shaped, bare, shape=inner).place, shape, dropped)


_OURS, _PLAIN = ("steps", "about", "spent"), nn.Module()


def _is_taken(word: str) -> bool:
    """Whether a module has something of that name that is no layer."""
    return hasattr(_PLAIN, word) or word in _OURS or word.startswith("constant_")


def shaped(values: Any, shape: tuple[int, ...]) -> Any:
    """The values of each image in a shape."""
    return values.reshape(values.size(0), *shape)


def _tensor(array: Array | Tensor) -> Tensor:
    if isinstance(array, Tensor):
        return array
    floating = array if array.dtype.kind in "fiu" and array.dtype != np.float64 else (
        array.astype(np.float32)
    )  # fmt: skip
    return torch.from_numpy(np.ascontiguousarray(floating).reshape(floating.shape))
