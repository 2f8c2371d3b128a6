"""Steps of a forward as layers whose first dimension is the images, wherever the forward had them.

Transformers put windows and images into one dimension, or the images second. The layers here keep
images apart: where a forward has a tensor of shape (…, B·k, …), they have (B, …, k, …), without
the k if it is one. Sizes are known, since the forward was followed for images of one size.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.activations import ACTIVATIONS
from emorank.relevance.attention_layers import (
    JoinedWithConstants,
    MatrixProduct,
    WithConstant,
)
from emorank.relevance.forwards.calls import Call
from emorank.relevance.forwards.functions import layer_of
from emorank.relevance.forwards.measured import Length, Quotient, UnitLength
from emorank.relevance.forwards.moves import (
    expand,
    flip,
    permute,
    repeated,
    reshape,
    reshaped,
    roll,
)
from emorank.relevance.forwards.places import (
    LEAST,
    Place,
    Placed,
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
    Pad,
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
        return make(Placed(call, places, place_of(made)))
    return module_by_image(layer_of(call), places[0], made)


def module_by_image(layer: nn.Module | None, place: Place, made: Sequence[int]) -> nn.Module | None:
    """A layer of the forward with its dimensions as they are here."""
    match layer:
        case None:
            return None
        case nn.Flatten() | nn.Unflatten():
            return reshaped(place, place_of(made))
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
        case Pad() if place.keeps(len(layer.padding) // 2):
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


# --- parts ---------------------------------------------------------------------------------------


def _slice(placed: Placed) -> nn.Module | None:
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


def _join(placed: Placed) -> nn.Module | None:
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


def _padded(placed: Placed) -> nn.Module | None:
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


def _arithmetic(placed: Placed) -> nn.Module | None:
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


def _masked(placed: Placed) -> nn.Module | None:
    """`masked_fill` by a constant mask: a constant stands there."""
    given = placed.given(("mask", "value"))
    mask, value = given["mask"], given["value"]
    if not isinstance(mask, Tensor) or isinstance(value, Tensor | fx.Node):
        return None
    here = constant_by_image(mask, placed.first)
    kept = (~here).double()
    return Affine(kept, here.double() * max(float(value), LEAST))


def _matrix_product(placed: Placed) -> nn.Module | None:
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


def _einsum(placed: Placed) -> nn.Module | None:
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

_Make = Callable[[Placed], nn.Module | None]
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
    **dict.fromkeys(_SAME_ORDER, reshape),
    **dict.fromkeys(_ORDERS, permute),
    **dict.fromkeys(("expand", "expand_as", "repeat", torch.broadcast_to, "broadcast_to"), expand),
    **dict.fromkeys((torch.repeat_interleave, "repeat_interleave"), repeated),
    **dict.fromkeys((torch.roll, "roll"), roll),
    **dict.fromkeys((torch.flip, "flip"), flip),
    operator.getitem: _slice,
    F.pad: _padded,
    **dict.fromkeys((torch.cat, torch.concat, torch.concatenate, torch.stack), _join),
    **dict.fromkeys(_SUMS_AND_PRODUCTS, _arithmetic),
    **dict.fromkeys((torch.masked_fill, "masked_fill"), _masked),
    **dict.fromkeys((operator.matmul, torch.matmul, "matmul", torch.bmm, "bmm"), _matrix_product),
    torch.einsum: _einsum,
}
