"""`F.interpolate`, by a factor, to a fixed size, or to the size of another map."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor, fx, nn

from emorank.relevance.forwards.calls import Call, has_size
from emorank.relevance.forwards.sizes import asked_of, size_of

_NAMES = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")


class Resized(nn.Module):
    """Stands for `F.interpolate(x, size=y.shape[2:])`.

    Args:
        way: from values, and those of `others`, to the values in that size.
        mode: of the interpolation.
        others: steps whose outputs it takes too, for their sizes only; none once it is a node.
    """

    def __init__(self, way: Callable[..., Tensor], mode: str, others: tuple[fx.Node, ...]) -> None:
        super().__init__()
        self.way, self.mode, self.others = way, mode, others

    def forward(self, values: Tensor, *others: Tensor) -> Tensor:
        """Interpolate."""
        return self.way(values, *others)


def interpolate(call: Call) -> nn.Module | None:
    """The layer that does the same; None where there is none."""
    size = call.kwargs.get("size", (*call.args, None)[1])
    if has_size(size):
        # Known when images come; whatever else depends on sizes is refused.
        fixed = {key: value for key, value in call.kwargs.items() if key != "size"}
        call = replace(call, args=(call.args[0], None, *call.args[2:]), kwargs=fixed)
    given = call.given(_NAMES, mode="nearest")
    if given.pop("antialias", False):
        return None
    if not has_size(size):
        return nn.Upsample(**given)
    given.pop("size", None)
    return _resized(call.tensors[0], size, given)


def _resized(own: fx.Node, size: Any, given: dict[str, Any]) -> Resized:
    others = tuple(node for node in asked_of(size) if node is not own)

    def way(values: Tensor, *like: Tensor) -> Tensor:
        shapes = {own: tuple(values.shape)}
        shapes |= {node: tuple(one.shape) for node, one in zip(others, like, strict=True)}
        wanted: Any = size_of(size, shapes)
        return F.interpolate(values, size=wanted, **given)

    return Resized(way, given["mode"], others)
