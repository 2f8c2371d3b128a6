"""Tokens, windows and channels in other places: `view`, `permute`, `roll` and their like."""

import math

import torch
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.attention_layers import Moved
from emorank.relevance.forwards.places import Place, Placed


def reshape(placed: Placed) -> nn.Module:
    """`view`, `flatten`, `squeeze` and whatever else keeps the order of the values in memory."""
    return reshaped(placed.first, placed.made)


def reshaped(given: Place, made: Place) -> nn.Module:
    """The layer that does so."""
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


def permute(placed: Placed) -> nn.Module:
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


def expand(placed: Placed) -> nn.Module | None:
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


def repeated(placed: Placed) -> nn.Module | None:
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


def roll(placed: Placed) -> nn.Module | None:
    """`torch.roll` along dimensions."""
    given = placed.given(("shifts", "dims"), dims=())
    shifts, dims = (
        v if isinstance(v, tuple | list) else (v,) for v in (given["shifts"], given["dims"])
    )
    if len(shifts) != len(dims):
        return None
    there, here = tuple(shifts), tuple(placed.first.here(dim) for dim in dims)
    back = tuple(-shift for shift in there)
    return Moved(lambda v: v.roll(there, here), lambda r, _: r.roll(back, here))


def flip(placed: Placed) -> nn.Module:
    """`torch.flip`."""
    dims = tuple(placed.first.here(dim) for dim in placed.call.dims("dims"))
    return Moved(lambda v: v.flip(dims), lambda r, _: r.flip(dims))
