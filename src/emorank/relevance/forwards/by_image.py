"""Steps of a forward as layers whose first dimension is the images, wherever the forward had them.

Transformers put windows and images into one dimension, or the images second. The layers here keep
images apart: where a forward has a tensor of shape (…, B·k, …), they have (B, …, k, …), without
the k if it is one. Sizes are known, since the forward was followed for images of one size.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.activations import ACTIVATIONS
from emorank.relevance.attention_layers import (
    JoinedWithConstants,
    MatrixProduct,
    Moved,
    WithConstant,
)
from emorank.relevance.forwards.calls import Call
from emorank.relevance.forwards.functions import layer_of
from emorank.relevance.forwards.measured import Length, Quotient, UnitLength
from emorank.relevance.forwards.places import (
    LEAST,
    Place,
    constant_by_image,
    finite,
    place_of,
)
from emorank.relevance.layers import (
    CLIPPING,
    IGNORED,
    Affine,
    Joined,
    Mean,
    Product,
    Sum,
    View,
)


def layer_by_image(
    call: Call, shapes: Mapping[fx.Node, Any], made: Sequence[int]
) -> nn.Module | None:
    """The layer that does the same as a call for images in the first dimension; None without any.

    Args:
        call: a function or method of the forward.
        shapes: of all that steps give.
        made: the shape of its result.

    Raises:
        RelevanceError: it joins the images of a batch, or is known but not in this form.
    """
    places = [place_of(shapes[tensor]) for tensor in call.tensors]
    if not places:
        return None
    make = _BY_IMAGE.get(call.target)
    if make is not None:
        return make(_Placed(call, places, place_of(made)))
    return module_by_image(layer_of(call), places[0], made)


def module_by_image(layer: nn.Module | None, place: Place, made: Sequence[int]) -> nn.Module | None:
    """A layer of the forward with its dimensions as they are here."""
    match layer:
        case None:
            return None
        case nn.Flatten() | nn.Unflatten():
            return _reshaped(place, place_of(made))
        case nn.Softmax():
            return nn.Softmax(place.here(-1 if layer.dim is None else layer.dim))
        case Mean():
            dims = tuple(place.here(dim) for dim in layer.dims)
            return Mean(dims, layer.keepdim, total=layer.total)
        case UnitLength():
            return UnitLength(layer.p, place.here(layer.dim), layer.eps)
        case Length():
            dims = tuple(place.here(dim) for dim in layer.dims)
            return Length(layer.order, dims, layer.keepdim)
        case nn.Linear() if place.keeps(1):
            return layer
        case nn.LayerNorm() if place.keeps(len(layer.normalized_shape)):
            return layer
        case nn.BatchNorm1d() if place.dim == 0 and len(place.shape) == 2:
            return layer
        case _ if isinstance(layer, (*ACTIVATIONS, *CLIPPING, *IGNORED, nn.ReLU)):
            return layer
        case Affine() if layer.scale.numel() == layer.shift.numel() == 1:
            return layer
        case _ if place.plain and place_of(made).plain:
            return layer
        case _:
            raise RelevanceError(
                f"no rule for a layer ({type(layer).__name__}) of a tensor {place.words}, where B "
                "are the images of the batch; expected them in the first dimension"
            )


@dataclass(frozen=True)
class _Placed:
    """A call, with where its tensors and its result have the images."""

    call: Call
    places: list[Place]
    made: Place

    @property
    def first(self) -> Place:
        return self.places[0]

    def given(self, names: tuple[str, ...], **defaults: Any) -> dict[str, Any]:
        return self.call.given(names, **defaults)


# --- shapes --------------------------------------------------------------------------------------


def _reshape(placed: _Placed) -> nn.Module:
    """`view`, `flatten`, `squeeze` and whatever else keeps the order of the values in memory."""
    return _reshaped(placed.first, placed.made)


def _reshaped(given: Place, made: Place) -> nn.Module:
    if math.prod(given.shape[: given.dim]) != math.prod(made.shape[: made.dim]):
        raise RelevanceError(
            f"expected a reshape that keeps the images of a batch together, got one of a tensor "
            f"{given.words} to {made.words}"
        )
    shape = made.by_image
    if shape == given.by_image:
        return nn.Identity()
    return Moved(
        lambda values: values.reshape(len(values), *shape),
        lambda relevance, like: relevance.reshape(len(relevance), *like[1:]),
    )


def _permute(placed: _Placed) -> nn.Module:
    """`permute`, `transpose`, `x.T`, `movedim`: what becomes of sizes that are all different."""
    given, call = placed.first, placed.call
    probe = torch.empty(tuple(range(2, 2 + len(given.shape))), device="meta")
    args = [probe if isinstance(arg, fx.Node) else arg for arg in call.args]
    if isinstance(call.target, str):
        way = getattr(torch.Tensor, call.target)
        moved = way(*args, **call.kwargs) if callable(way) else getattr(probe, call.target)
    else:
        moved = call.target(*args, **call.kwargs)
    sources = [size - 2 for size in moved.shape]
    rows = [given.dim] if given.each > 1 else []
    before = [k for k in range(len(given.shape)) if k != given.dim or rows]
    after = [k for k in sources if k != given.dim or rows]
    order = (0, *(before.index(k) + 1 for k in after))
    if order == tuple(range(len(order))):
        return nn.Identity()
    back = tuple(order.index(k) for k in range(len(order)))
    return Moved(lambda values: values.permute(order), lambda r, _: r.permute(back))


def _expand(placed: _Placed) -> nn.Module | None:
    """Copies along dimensions of one."""
    given, made = placed.first, placed.made
    # New dimensions come first; the images move back by as many.
    new = len(made.shape) - len(given.shape)
    if made.dim != given.dim + new or made.each != given.each:
        return None
    start, shape = (1,) * new + given.by_image, made.by_image
    if any(a not in (1, b) for a, b in zip(start, shape, strict=True)):
        return None
    return Moved(
        lambda values: values.reshape(len(values), *start).expand(len(values), *shape),
        lambda r, like: r.sum_to_size(len(r), *start).reshape(len(r), *like[1:]),
    )


def _repeated(placed: _Placed) -> nn.Module | None:
    """`repeat_interleave` by a number; of the images it makes more rows for each."""
    given, asked = placed.first, placed.given(("repeats", "dim"), dim=None)
    times, dim = asked["repeats"], asked["dim"]
    if not isinstance(times, int) or not isinstance(dim, int):
        return None
    rows = given.positive(dim) == given.dim
    here = given.dim + 1 if rows else given.here(dim)
    new = rows and given.each == 1  # there is no dimension for the rows yet

    def way(values: Tensor) -> Tensor:
        values = values.unsqueeze(here) if new else values
        return values.repeat_interleave(times, here)

    def back(relevance: Tensor, like: torch.Size) -> Tensor:
        by_copy = relevance.unflatten(here, (-1, times))  # type: ignore[no-untyped-call]
        return by_copy.sum(here + 1).reshape(len(relevance), *like[1:])  # type: ignore[no-any-return]

    return Moved(way, back)


def _roll(placed: _Placed) -> nn.Module | None:
    given = placed.given(("shifts", "dims"), dims=())
    shifts, dims = (
        v if isinstance(v, tuple | list) else (v,) for v in (given["shifts"], given["dims"])
    )
    if len(shifts) != len(dims):
        return None
    there, here = tuple(shifts), tuple(placed.first.here(dim) for dim in dims)
    back = tuple(-shift for shift in there)
    return Moved(lambda v: v.roll(there, here), lambda r, _: r.roll(back, here))


def _flip(placed: _Placed) -> nn.Module:
    dims = tuple(placed.first.here(dim) for dim in placed.call.dims("dims"))
    return Moved(lambda v: v.flip(dims), lambda r, _: r.flip(dims))


# --- parts ---------------------------------------------------------------------------------------


def _slice(placed: _Placed) -> nn.Module | None:
    """`x[:, 0]`, `x[..., ::2]`, also with new dimensions."""
    index, given = placed.call.args[1], placed.first
    asked = [*index] if isinstance(index, tuple) else [index]
    if not all(n is None or n is ... or isinstance(n, int | slice) for n in asked):
        return None
    left = len(given.shape) - sum(n is not None and n is not ... for n in asked)
    if ... in asked:
        k = asked.index(...)
        asked[k : k + 1] = [slice(None)] * left
    else:
        asked += [slice(None)] * left
    here: list[Any] = [slice(None)]
    dim = 0
    for one in asked:
        if one is None:
            here.append(None)
            continue
        whole = isinstance(one, slice) and one.indices(given.shape[dim]) == (0, given.shape[dim], 1)
        if dim != given.dim:
            here.append(slice(None) if whole else one)
        elif not whole:
            raise RelevanceError("expected parts of every image, got some images of the batch")
        elif given.each > 1:
            here.append(slice(None))
        dim += 1
    if all(one == slice(None) for one in here):
        return nn.Identity()
    return View(lambda values: values[tuple(here)])


def part_by_image(
    call: Call, number: int, place: Place, parts: Sequence[Sequence[int]]
) -> nn.Module:
    """One of the parts that `chunk`, `split` or `unbind` gives; `parts` are their shapes."""
    names = ("dim",) if call.target in _UNBIND else ("how", "dim")
    given = call.given(names, dim=0)
    dim = place.positive(given["dim"])
    here = place.here(dim)
    if call.target in _UNBIND:
        return View(lambda values: values.select(here, number))
    sizes = [part[dim] for part in parts]
    start, size = sum(sizes[:number]), sizes[number]
    return View(lambda values: values.narrow(here, start, size))


def _join(placed: _Placed) -> nn.Module | None:
    """`torch.cat` and `torch.stack`, of constants too (the class token)."""
    call = placed.call
    parts = call.args[0] if call.args else call.kwargs["tensors"]
    given = call.given(("dim",), dim=call.kwargs.get("axis", 0))
    new = call.target is torch.stack
    place = placed.first
    if any((p.dim, p.each) != (place.dim, place.each) for p in placed.places):
        return None
    dim = placed.made.here(given["dim"]) if new else place.here(given["dim"])
    constants = {k: part for k, part in enumerate(parts) if isinstance(part, Tensor)}
    if not constants:
        return Joined(dim, new=new)
    if new:
        return None
    return JoinedWithConstants(dim, {k: constant_by_image(c, place) for k, c in constants.items()})


def _padded(placed: _Placed) -> nn.Module | None:
    """`F.pad`, also with numbers other than zero before or behind one dimension."""
    given, place = placed.given(("pad", "mode", "value"), mode="constant", value=0), placed.first
    sides, value = given["pad"], given["value"]
    if given["mode"] != "constant" or not value:
        return module_by_image(layer_of(placed.call), place, placed.made.shape)
    used = [k for k, side in enumerate(sides) if side]
    if len(used) != 1 or sides[used[0]] < 0:
        return None
    dim = place.here(-1 - used[0] // 2)
    shape = list(place.by_image)
    shape[dim - 1] = sides[used[0]]
    return JoinedWithConstants(dim, {used[0] % 2: torch.full((1, *shape), float(value))})


# --- arithmetic, products ------------------------------------------------------------------------


def _arithmetic(placed: _Placed) -> nn.Module | None:
    """Sums and products of two signals that stand alike, or of a signal and a constant."""
    call, place = placed.call, placed.first
    if len(placed.places) == 2:
        a, b = placed.places
        rank = max(len(a.shape), len(b.shape))
        if (a.dim - len(a.shape), a.each) != (b.dim - len(b.shape), b.each):
            return None
        layer = layer_of(call)
        if rank != min(len(a.shape), len(b.shape)) and not (a.dim == b.dim == 0):
            return None
        return layer if isinstance(layer, Sum | Product | Quotient) else None
    args = tuple(
        finite(constant_by_image(arg, place)) if isinstance(arg, Tensor) else arg
        for arg in call.args
    )
    return layer_of(replace(call, args=args))


def _masked(placed: _Placed) -> nn.Module | None:
    """`masked_fill` by a constant mask: a constant stands there."""
    given = placed.given(("mask", "value"))
    mask, value = given["mask"], given["value"]
    if not isinstance(mask, Tensor) or isinstance(value, Tensor | fx.Node):
        return None
    here = constant_by_image(mask, placed.first)
    kept = (~here).double()
    return Affine(kept, here.double() * max(float(value), LEAST))


def _matrix_product(placed: _Placed) -> nn.Module | None:
    call = placed.call
    factors = call.args[:2]
    if not all(place.keeps(2) for place in placed.places):
        raise RelevanceError(
            f"no rule for a matrix product over the images of a batch, of "
            f"{' and '.join(place.words for place in placed.places)}"
        )
    if len(placed.places) == 2:
        a, b = placed.places
        alike = (a.dim, a.each, len(a.shape)) == (b.dim, b.each, len(b.shape))
        return MatrixProduct() if alike else None
    place = next((k for k, factor in enumerate(factors) if isinstance(factor, Tensor)), None)
    if place is None:
        return None
    constant = factors[place]
    if constant.ndim < 2:
        return None
    if constant.ndim > 2:
        constant = constant_by_image(constant, placed.first)
    return WithConstant(MatrixProduct(), constant, place)


def _einsum(placed: _Placed) -> nn.Module | None:
    """Two factors, of which one may be a constant; no letter is only summed up."""
    call, made = placed.call, placed.made
    equation, *factors = call.args
    if (
        not isinstance(equation, str)
        or len(factors) != 2
        or "." in equation
        or "->" not in equation
    ):
        return None
    left, result = equation.replace(" ", "").split("->")
    terms = left.split(",")
    places = iter(placed.places)
    where = [next(places) if isinstance(f, fx.Node) else None for f in factors]
    letters = {term[p.dim] for term, p in zip(terms, where, strict=True) if p} | {result[made.dim]}
    each = {p.each for p in (*placed.places, made)}
    if len(letters) != 1 or len(each) != 1:
        return None
    (images,) = letters
    new = next(
        c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in equation
    )
    rows = new if each != {1} else ""
    here = [
        images + term.replace(images, rows) if place else term
        for term, place in zip((*terms, result), (*where, made), strict=True)
    ]
    if any(set(a) - set(b) - set(here[2]) for a, b in (here[:2], here[1::-1])):
        return None
    product = MatrixProduct(f"{here[0]},{here[1]}->{here[2]}")
    if len(placed.places) == 2:
        return product
    place = next(k for k, p in enumerate(where) if p is None)
    constant = factors[place]
    return None if images in terms[place] else WithConstant(product, constant, place)


_UNBIND = (torch.unbind, "unbind")
PARTS = (*_UNBIND, torch.chunk, "chunk", torch.split, "split", "tensor_split", torch.tensor_split)
"""Functions that give several tensors."""

_Make = Callable[[_Placed], nn.Module | None]
_SAME_ORDER = (
    *("view", "reshape", torch.reshape, "flatten", torch.flatten, "unflatten", torch.unflatten),
    *("squeeze", torch.squeeze, "unsqueeze", torch.unsqueeze, "reshape_as", "view_as", torch.ravel),
)
_ORDERS = (
    *("permute", torch.permute, "transpose", torch.transpose, "swapaxes", torch.swapaxes, "T"),
    *("mT", "t", torch.t, "movedim", torch.movedim, "moveaxis", torch.moveaxis, "swapdims"),
    *(torch.swapdims, "adjoint", torch.adjoint),
)
_SUMS_AND_PRODUCTS = (
    *(operator.add, torch.add, "add", operator.sub, torch.sub, "sub", operator.mul, torch.mul),
    *("mul", operator.truediv, torch.div, "div", operator.iadd, operator.isub, operator.imul),
    *(operator.itruediv, "add_", "sub_", "mul_", "div_"),
)
_BY_IMAGE: dict[Any, _Make] = {
    **dict.fromkeys(_SAME_ORDER, _reshape),
    **dict.fromkeys(_ORDERS, _permute),
    **dict.fromkeys(("expand", "expand_as", "repeat", torch.broadcast_to, "broadcast_to"), _expand),
    **dict.fromkeys((torch.repeat_interleave, "repeat_interleave"), _repeated),
    **dict.fromkeys((torch.roll, "roll"), _roll),
    **dict.fromkeys((torch.flip, "flip"), _flip),
    operator.getitem: _slice,
    F.pad: _padded,
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate, torch.stack), _join),
    **dict.fromkeys(_SUMS_AND_PRODUCTS, _arithmetic),
    **dict.fromkeys((torch.masked_fill, "masked_fill"), _masked),
    **dict.fromkeys((operator.matmul, torch.matmul, "matmul", torch.bmm, "bmm"), _matrix_product),
    torch.einsum: _einsum,
}
