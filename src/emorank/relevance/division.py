"""The stabilised division R / (d + ε sign d) that every rule ends in, and sums of relevance."""

import torch
from torch import Tensor


def divide(
    relevance: Tensor,
    denominator: Tensor,
    epsilon: float | Tensor,
    sign: int = 0,
    *,
    spent: bool = False,
) -> Tensor:
    """Divide relevance by denominators moved away from zero; sign(0) = +1.

    Args:
        relevance: R_j.
        denominator: d_j, of a shape that broadcasts to that of the relevance.
        epsilon: ε, absolute, of a shape that broadcasts to that of the denominator; with 0 (or less
            than the type can hold), an output whose denominator is 0 sends nothing.
        sign: of the denominators if it is known (+1 or −1), which saves a pass over the data;
            values that rounding has pushed beyond zero become zero.
        spent: the denominators are not needed again, so their memory may hold the result (new
            memory costs more than the arithmetic).
    """
    if isinstance(epsilon, Tensor):
        epsilon = epsilon.clamp(min=_least(denominator.dtype))
    elif epsilon < _least(denominator.dtype):  # nothing, or nothing in this type
        shares = relevance / denominator
        return shares.masked_fill_((denominator == 0).expand_as(shares), 0)
    if sign > 0:
        stable = denominator.clamp_(min=0) if spent else denominator.clamp(min=0)
        stable.add_(epsilon)
    elif sign < 0:
        stable = denominator.clamp_(max=0) if spent else denominator.clamp(max=0)
        stable.sub_(epsilon)
    else:
        stable = torch.where(denominator < 0, denominator - epsilon, denominator + epsilon)
    if stable.shape != relevance.shape:
        return relevance / stable
    return torch.div(relevance, stable, out=stable)


def _least(dtype: torch.dtype) -> float:
    """The smallest number above zero that a type has."""
    info = torch.finfo(dtype)
    return info.tiny * info.eps


def stabilised(shares: Tensor, denominator: Tensor, epsilon: float) -> Tensor:
    """What the stabiliser took of each map: Σ_j s_j ε sign d_j."""
    signed = torch.where(denominator < 0, -shares, shares)
    return total(signed) * epsilon


def total(values: Tensor, first: int = 1) -> Tensor:
    """The sum over the dimensions from the first on, half types summed in single precision."""
    wide = torch.float32 if values.dtype.itemsize < 4 else values.dtype
    # Over the dimensions as they lie: flattening channels last would copy the map.
    dims = tuple(range(first, values.ndim))
    return values.sum(dim=dims, dtype=wide) if dims else values.to(wide)
