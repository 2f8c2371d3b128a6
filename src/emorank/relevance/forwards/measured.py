"""What is measured of the values of an image and counts as a constant: lengths, denominators.

As for a norm's σ (Ali et al. 2022; Achtibat et al. 2024, 3.3): relevance goes to what is divided or
scaled, and none to the measure.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from emorank.relevance.forwards.calls import Call
from emorank.relevance.layers import not_the_batch


class Length(nn.Module):
    """Stands for `x.norm(p, dims, keepdim=True)`: the length of each vector of values."""

    def __init__(self, order: float, dims: tuple[int, ...], keepdim: bool) -> None:
        super().__init__()
        self.order, self.dims, self.keepdim = order, dims, keepdim

    def forward(self, values: Tensor) -> Tensor:
        """Measure."""
        dims = tuple(not_the_batch(dim, values.ndim) for dim in self.dims)
        lengths: Tensor = torch.linalg.vector_norm(values, self.order, dims, self.keepdim)
        return lengths


class Quotient(nn.Module):
    """Stands for `a / b`; what it is divided by counts as a constant."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, values: Tensor, by: Tensor) -> Tensor:
        """Divide; a dimension of one fits any."""
        return values / by


class UnitLength(nn.Module):
    """Stands for `F.normalize`: each vector of values divided by its length."""

    def __init__(self, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> None:
        super().__init__()
        self.p, self.dim, self.eps = p, dim, eps

    def forward(self, values: Tensor) -> Tensor:
        """Divide by the length."""
        return F.normalize(values, self.p, not_the_batch(self.dim, values.ndim), self.eps)


def _length(call: Call) -> nn.Module | None:
    first = "ord" if call.target in (torch.linalg.norm, torch.linalg.vector_norm) else "p"
    given = call.given((first, "dim", "keepdim"), keepdim=False)
    order, dims = given.get(first), given.get("dim")
    if isinstance(dims, int):
        dims = (dims,)
    if not isinstance(dims, tuple | list):
        return None
    if call.target is torch.linalg.norm and len(dims) != 1:
        return None  # of a matrix, which is another number
    plain = 2.0 if order in (None, "fro") else order
    return Length(float(plain), tuple(dims), given["keepdim"]) if _is_number(plain) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def quotient(call: Call) -> nn.Module | None:
    """The layer of `a / b` with two outputs of layers; None for other quotients."""
    pair = (*call.args, *call.kwargs.values())
    two = len(pair) == 2 and all(isinstance(arg, fx.Node) for arg in pair)
    return Quotient() if two and len(call.tensors) == 2 else None


def _unit_length(call: Call) -> nn.Module | None:
    given = call.given(("p", "dim", "eps", "out"), out=None)
    return UnitLength(**given) if given.pop("out") is None else None


MEASURED: dict[Any, Callable[[Call], nn.Module | None]] = {
    **dict.fromkeys(("norm", torch.norm, torch.linalg.norm, torch.linalg.vector_norm), _length),
    F.normalize: _unit_length,
}
