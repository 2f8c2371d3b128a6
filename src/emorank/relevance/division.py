"""The stabilised division R / (d + ε sign d) that every rule ends in."""

import torch
from torch import Tensor


def divide(
    relevance: Tensor,
    denominator: Tensor,
    epsilon: float,
    sign: int = 0,
    *,
    spent: bool = False,
) -> Tensor:
    """Divide relevance by denominators moved away from zero; sign(0) = +1.

    Args:
        relevance: R_j.
        denominator: d_j, of a shape that broadcasts to that of the relevance.
        epsilon: ε, absolute; with 0, an output whose denominator is 0 sends nothing.
        sign: of the denominators where known (+1 or −1); what rounding has pushed beyond zero is
            then put back, and a pass over the data is saved.
        spent: the denominators are not needed again; their memory may hold the result (fresh
            memory costs more than the arithmetic).
    """
    if epsilon == 0:
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
