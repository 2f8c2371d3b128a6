"""What stands in a forward without being a module, as the layer that does the same.

A function or method is accepted in the forms whose relevance is exact under the present rules: each
image of a batch is computed alone, and constants are the same for every image.
"""

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from emorank.relevance.activations import WRITTEN, prelu
from emorank.relevance.attention_layers import MatrixProduct
from emorank.relevance.forwards.calls import Call, has_size
from emorank.relevance.forwards.functional_layers import FUNCTIONAL
from emorank.relevance.forwards.measured import MEASURED, quotient
from emorank.relevance.forwards.resizing import interpolate
from emorank.relevance.forwards.sizes import Shape, asked_of, size_of
from emorank.relevance.layers import (
    Affine,
    Expanded,
    Joined,
    Mean,
    Pad,
    Product,
    Sum,
    View,
    not_the_batch,
)

# Two batches of one kind of image, told apart from each other and from every other size of theirs.
_PROBES: tuple[Shape, ...] = ((1009, 3, 5, 7, 11), (2003, 3, 5, 7, 11))


Make = Callable[[Call], nn.Module | None]


def layer_of(call: Call) -> nn.Module | None:
    """The layer that does the same as a call; None where there is none.

    Raises:
        RelevanceError: it is known, but not in this form; the message says how to write it.
    """
    make = _FUNCTIONS.get(call.target) or _OF_OTHERS.get(getattr(call.target, "__name__", ""))
    return make(call) if make else None


# --- sums, and arithmetic with constants ---------------------------------------------------------


def _add(call: Call) -> nn.Module | None:
    in_place = call.target in (operator.iadd, "add_")
    if len(call.tensors) == len(call.args) == 2:
        return Sum(in_place) if call.kwargs.get("alpha", 1) == 1 else None
    return _affine(call, lambda c: (1, c * call.kwargs.get("alpha", 1)), lambda c: (1, c))


def _subtract(call: Call) -> nn.Module | None:
    if len(call.tensors) == len(call.args) == 2 and call.kwargs.get("alpha", 1) == 1:
        return Sum(call.target in (operator.isub, "sub_"), sign=-1)
    return _affine(call, lambda c: (1, -c * call.kwargs.get("alpha", 1)), lambda c: (-1, c))


def _multiply(call: Call) -> nn.Module | None:
    if len(call.tensors) == len(call.args) + len(call.kwargs) == 2:
        return Product(call.target in (operator.imul, "mul_"))
    return _affine(call, lambda c: (c, 0), lambda c: (c, 0))


def _divide(call: Call) -> nn.Module | None:
    if call.kwargs.get("rounding_mode"):
        return None
    return quotient(call) or _affine(call, lambda c: (1 / c, 0), None)


def _add_product(call: Call) -> nn.Module | None:
    """`torch.addcmul(shift, scale, x)`, whichever of the last two is the constant."""
    shift, *pair = call.args
    constants = [one for one in pair if isinstance(one, Tensor)]
    if call.kwargs or not isinstance(shift, Tensor) or (len(pair), len(constants)) != (2, 1):
        return None
    return Affine(constants[0], shift)


def _negate(call: Call) -> nn.Module:
    return Affine(torch.tensor(-1.0), torch.tensor(0.0), call.target == "neg_")


_IN_PLACE = (operator.iadd, operator.isub, operator.imul, operator.itruediv)
_Of = Callable[[Tensor], tuple[Any, Any]]


def _affine(call: Call, behind: _Of, before: _Of | None) -> nn.Module | None:
    """One tensor and one constant; scale and shift from the constant behind it, or before it."""
    pair = (*call.args, *(v for k, v in call.kwargs.items() if k in ("other", "value")))
    if len(pair) != 2 or len(call.tensors) != 1:
        return None
    which = behind if isinstance(pair[0], fx.Node) else before
    constant = pair[1] if isinstance(pair[0], fx.Node) else pair[0]
    if (
        which is None
        or isinstance(constant, bool)
        or not isinstance(constant, int | float | Tensor)
    ):
        return None
    number = torch.as_tensor(constant).detach()
    if not isinstance(constant, Tensor):
        number = torch.tensor(constant, dtype=torch.float64)  # as exact as the net may be
    number = number if number.is_floating_point() else number.double()
    if number.ndim > 3 and len(number) != 1:
        raise call.refused("with a constant for each image of a batch; expected one for all images")
    scale, shift = map(torch.as_tensor, which(number))
    if not bool(torch.isfinite(scale).all() and torch.isfinite(shift).all()):
        raise call.refused("with a constant that is not finite, or zero in a division")
    in_place = call.target in _IN_PLACE or str(call.target).endswith("_")
    return Affine(scale.to(number), shift.to(number), in_place)


# --- shapes --------------------------------------------------------------------------------------


def _flatten(call: Call) -> nn.Module:
    given = call.given(("start_dim", "end_dim"), start_dim=0, end_dim=-1)
    return nn.Flatten(given["start_dim"], given["end_dim"])


def _reshape(call: Call) -> nn.Module | None:
    """`x.view(x.size(0), -1)` and its like, which keep the images apart."""
    own = call.tensors[0]
    shape = call.args[1:] or (call.kwargs.get("shape", call.kwargs.get("size")),)
    given = shape[0] if len(shape) == 1 else shape
    if isinstance(given, int) or given is None:
        return None
    first, *rest = zip(*(_entries(given, {own: probe}) for probe in _PROBES), strict=True) or ((),)
    others = tuple(node for node in asked_of(given) if node is not own)
    if first == tuple(probe[0] for probe in _PROBES):
        if [*rest].count((None, None)) + [*rest].count((-1, -1)) < 2:
            others = ()  # the one size that is not known follows from the others
    elif first != (-1, -1) or any(a != b or a is None or a < 0 for a, b in rest):
        return None

    def way(values: Tensor, *like: Tensor) -> Tensor:
        # Several maps of one image go back together; the others were kept of one.
        shapes = {own: tuple(values.shape)}
        shapes |= {n: (len(values), *t.shape[1:]) for n, t in zip(others, like, strict=False)}
        entries = [-1 if n is None else n for n in _entries(given, shapes)]
        return values.reshape(*entries)

    return View(way, others, guessed=first == (-1, -1))


def _entries(given: Any, shapes: dict[fx.Node, Shape]) -> tuple[Any, ...]:
    """A shape that is asked for, where tensors have these shapes."""
    found = size_of(given, shapes)
    return tuple(found) if isinstance(found, tuple | list) else ()


def _shaped_as(call: Call) -> nn.Module | None:
    """`x.view_as(y)`: the sizes of each image of y."""
    if len(call.tensors) != 2:
        return None
    return View(lambda v, like: v.reshape(len(v), *like.shape[1:]), call.tensors[1:])


def _squeeze(call: Call) -> nn.Module:
    """Without dimensions: all of one but the batch, also where that is one image."""
    dims = call.dims("dim")

    def way(values: Tensor) -> Tensor:
        chosen = dims or range(1, values.ndim)
        return values.squeeze(tuple(not_the_batch(dim, values.ndim) for dim in chosen))

    return View(way)


def _unsqueeze(call: Call) -> nn.Module:
    (dim,) = call.dims("dim")
    return View(lambda values: values.unsqueeze(not_the_batch(dim, values.ndim + 1)))


def _expand_as(call: Call) -> nn.Module | None:
    return Expanded() if len(call.tensors) == 2 else None


def _permute(call: Call) -> nn.Module:
    dims = call.dims("dims")
    if dims[0] != 0:
        raise call.refused("; expected the batch as its first dimension")
    return View(lambda values: values.permute(dims))


def _transpose(call: Call) -> nn.Module | None:
    if len(call.args) != 3:
        return None
    first, second = call.dims("dims")
    return View(lambda v: v.transpose(not_the_batch(first, v.ndim), not_the_batch(second, v.ndim)))


def part_of(call: Call, number: int) -> nn.Module:
    """One of the parts that `x.chunk(2, 1)` or `x.split(3, 1)` gives."""
    names = ("chunks",) if call.target in _CHUNK else ("split_size", "split_size_or_sections")
    given = call.given((names[0], "dim"), dim=0)
    size = next(given[name] for name in names if name in given)
    function = torch.chunk if call.target in _CHUNK else torch.split
    dim = given["dim"]
    return View(lambda v: function(v, size, not_the_batch(dim, v.ndim))[number])


def _slice(call: Call) -> nn.Module | None:
    """`x[:, :, ::2]` or `x[..., 0, 0]`: parts of every image."""
    index = call.args[1]
    if not isinstance(index, tuple) or has_size([*index]) or index[0] not in (slice(None), ...):
        return None
    if not all(n is None or n is ... or isinstance(n, int | slice) for n in index):
        return None
    if any(isinstance(n, slice) and has_size([n.start, n.stop, n.step]) for n in index):
        return None
    return View(lambda values: values[index])


def _join(call: Call) -> nn.Module | None:
    parts = call.args[0] if call.args else call.kwargs.get("tensors")
    if not isinstance(parts, tuple | list) or len(call.tensors) != len(parts):
        return None
    dim = call.given(("dim",), dim=call.kwargs.get("axis", 0))["dim"]
    return Joined(dim, new=call.target is torch.stack)


# --- pooling, padding, activations ---------------------------------------------------------------


def _mean(call: Call) -> nn.Module | None:
    given = call.given(("dim", "keepdim"), dim=call.kwargs.get("axis"), keepdim=False)
    given.pop("axis", None)
    dims, keepdim = given.pop("dim"), given.pop("keepdim")
    if given or dims is None:
        return None
    over = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    return Mean(over, keepdim, total=call.target in _SUMS)


def _matrix_product(call: Call) -> nn.Module | None:
    return MatrixProduct() if len(call.tensors) == len(call.args) == 2 else None


def _softmax(call: Call) -> nn.Module | None:
    dim = call.given(("dim", "_stacklevel", "dtype"), dim=None)["dim"]
    return nn.Softmax(dim) if isinstance(dim, int) else None


def _max_pool(call: Call) -> nn.Module:
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    return nn.MaxPool2d(**_with_stride(call.given(names)))


def _avg_pool(call: Call) -> nn.Module:
    names = (
        "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    )  # fmt: skip
    own, kernel = call.tensors[0], call.kwargs.get("kernel_size", (*call.args, None)[1])
    # F.avg_pool2d(x, x.size()[2:]): all of each channel.
    if len(call.args) + len(call.kwargs) == 2 and size_of(kernel, {own: (2, 3, 5, 7)}) == (5, 7):
        return nn.AdaptiveAvgPool2d(1)
    return nn.AvgPool2d(**_with_stride(call.given(names)))


def _with_stride(given: dict[str, Any]) -> dict[str, Any]:
    """`stride=()` is the default of `torch.max_pool2d`, as None is that of the module."""
    return given | {"stride": given.get("stride") or None}


def _adaptive_row(call: Call) -> nn.Module | None:
    size = call.given(("output_size",))["output_size"]
    return Mean((-1,), keepdim=True) if size in (1, (1,), [1]) else None


def _adaptive(call: Call) -> nn.Module:
    return nn.AdaptiveAvgPool2d(**call.given(("output_size",)))


def _pad(call: Call) -> nn.Module | None:
    arguments = call.given(("pad", "mode", "value"), mode="constant", value=0)
    if arguments["mode"] in _COPIES and len(arguments["pad"]) == 4:
        return _COPIES[arguments["mode"]](tuple(arguments["pad"]))
    zeros = arguments["mode"] == "constant" and not arguments["value"]
    return Pad(tuple(arguments["pad"])) if zeros else None


_COPIES: dict[str, Callable[[Any], nn.Module]] = {
    "reflect": nn.ReflectionPad2d,
    "replicate": nn.ReplicationPad2d,
    "circular": nn.CircularPad2d,
}


def _relu(call: Call) -> nn.Module:
    in_place = call.target in (torch.relu_, "relu_", F.relu_)
    return nn.ReLU(**call.given(("inplace",), inplace=in_place))


def _hardtanh(call: Call) -> nn.Module:
    names = ("min_val", "max_val", "inplace")
    return nn.Hardtanh(**call.given(names, inplace=call.target is F.hardtanh_))


def _activation(call: Call) -> nn.Module:
    kind, names = WRITTEN[call.target]
    layer = kind(**call.given(names))
    if getattr(call.target, "__name__", str(call.target)).endswith("_"):
        vars(layer)["inplace"] = True
    return layer


def _prelu(call: Call) -> nn.Module | None:
    weight = call.given(("weight",), weight=None)["weight"]
    return prelu(weight) if isinstance(weight, Tensor) else None


def _clamp(call: Call) -> nn.Module | None:
    given = call.given(("min", "max"), min=None, max=None)
    low, high = given["min"], given["max"]
    if isinstance(low, Tensor) or isinstance(high, Tensor) or low == high:
        return None
    in_place = str(call.target).endswith("_")
    if low == 0 and high is None:
        return nn.ReLU(in_place)
    least = -torch.inf if low is None else low
    return nn.Hardtanh(least, torch.inf if high is None else high, in_place)


def _clamp_min(call: Call) -> nn.Module | None:
    zero = call.given(("min",))["min"] == 0
    return nn.ReLU(str(call.target).endswith("_")) if zero else None


def _dropout(call: Call) -> nn.Module:
    given = call.given(("p", "training"), p=0.5, training=call.target not in _LAX)
    if given["training"] and given["p"]:
        raise call.refused(
            "that drops at random in evaluation too; write it with training=self.training"
        )
    return nn.Identity()


def _identity(call: Call) -> nn.Module | None:
    return nn.Identity() if call.args and isinstance(call.args[0], fx.Node) else None


def _stochastic_depth(call: Call) -> nn.Module:
    """Of torchvision, which torch.fx takes as one step."""
    given = call.given(("p", "mode", "training"), training=True)
    if given["training"]:
        raise call.refused("that drops at random in evaluation too")
    return nn.Identity()


_OF_OTHERS: dict[str, Make] = {"stochastic_depth": _stochastic_depth}
_SUMS = (torch.sum, "sum")
_LAX = (F.alpha_dropout, F.feature_alpha_dropout)  # their `training` is False by default
# What gives a type and a device: those of the weights, or else the net itself cannot compute.
_CASTS = ("to", "type", "type_as", "float", "double", "half", "bfloat16", "cpu", "cuda")
_CHUNK = (torch.chunk, "chunk")
PARTS = (*_CHUNK, torch.split, "split")
"""Functions that give several tensors, of which a forward then takes one by its number."""

# What stands in a forward without being a module: functions by themselves, methods by name.
_FUNCTIONS: dict[Any, Make] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), _add),
    **dict.fromkeys((operator.sub, operator.isub, torch.sub, "sub", "sub_"), _subtract),
    **dict.fromkeys((operator.mul, operator.imul, torch.mul, "mul", "mul_"), _multiply),
    **dict.fromkeys((operator.truediv, operator.itruediv, torch.div, "div", "div_"), _divide),
    **dict.fromkeys((torch.addcmul, "addcmul"), _add_product),
    **dict.fromkeys((operator.neg, torch.neg, "neg", "neg_"), _negate),
    **dict.fromkeys((torch.flatten, "flatten"), _flatten),
    **dict.fromkeys(("view", "reshape", torch.reshape), _reshape),
    **dict.fromkeys(("view_as", "reshape_as"), _shaped_as),
    **dict.fromkeys((torch.squeeze, "squeeze"), _squeeze),
    **dict.fromkeys((torch.unsqueeze, "unsqueeze"), _unsqueeze),
    "expand_as": _expand_as,
    **dict.fromkeys((torch.permute, "permute"), _permute),
    **dict.fromkeys((torch.transpose, torch.swapaxes, "transpose", "swapaxes"), _transpose),
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate, torch.stack), _join),
    operator.getitem: _slice,
    **dict.fromkeys((torch.mean, "mean", *_SUMS), _mean),
    **dict.fromkeys((operator.matmul, torch.matmul, torch.bmm, "matmul", "bmm"), _matrix_product),
    **dict.fromkeys((F.softmax, torch.softmax, "softmax"), _softmax),
    **dict.fromkeys((F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_"), _relu),
    F.relu6: lambda call: nn.ReLU6(**call.given(("inplace",))),
    **dict.fromkeys((F.hardtanh, F.hardtanh_), _hardtanh),
    **dict.fromkeys(WRITTEN, _activation),
    **dict.fromkeys((F.prelu, torch.prelu, "prelu"), _prelu),
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clamp_", "clip", "clip_"), _clamp),
    **dict.fromkeys((torch.clamp_min, "clamp_min", "clamp_min_"), _clamp_min),
    **dict.fromkeys((F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, *_LAX), _dropout),
    **dict.fromkeys((torch.dropout,), _dropout),
    **dict.fromkeys(("contiguous", "clone", "detach", torch.clone, *_CASTS), _identity),
    **dict.fromkeys((F.max_pool2d, torch.max_pool2d), _max_pool),
    F.avg_pool2d: _avg_pool,
    F.adaptive_avg_pool2d: _adaptive,
    **dict.fromkeys((F.adaptive_avg_pool1d, torch.adaptive_avg_pool1d), _adaptive_row),
    F.pad: _pad,
    F.interpolate: interpolate,
    **FUNCTIONAL,
    **MEASURED,
}
