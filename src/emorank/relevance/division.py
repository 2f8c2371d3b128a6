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
    certain: bool = False,
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
        certain: no denominator is beyond zero, and a pass over the data looks for none.
    """
    if not isinstance(epsilon, Tensor) and is_none(epsilon, denominator.dtype):
        shares = relevance / denominator
        return shares.masked_fill_((denominator == 0).expand_as(shares), 0)
    if sign == 0:
        return divide_signed(relevance, denominator, epsilon)[0]
    if isinstance(epsilon, Tensor):
        epsilon = epsilon.clamp(min=_least(denominator.dtype))
    if sign > 0 and certain:
        stable = denominator.add_(epsilon) if spent else denominator + epsilon
    elif sign > 0:
        stable = denominator.clamp_(min=0) if spent else denominator.clamp(min=0)
        stable.add_(epsilon)
    else:
        stable = denominator.clamp_(max=0) if spent else denominator.clamp(max=0)
        stable.sub_(epsilon)
    return quotient(relevance, stable)


def divide_signed(
    relevance: Tensor, denominator: Tensor, epsilon: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Divide by denominators of either sign; with the shares comes ε sign d_j of each."""
    if isinstance(epsilon, Tensor):
        size = epsilon.clamp(min=_least(denominator.dtype))
    else:
        size = torch.as_tensor(epsilon, dtype=denominator.dtype, device=denominator.device)
    away = torch.copysign(size, denominator)
    return quotient(relevance, denominator + away), away


def quotient(relevance: Tensor, stable: Tensor) -> Tensor:
    """Divide; what it is divided by is not needed again."""
    if stable.shape != relevance.shape:
        return relevance / stable
    return torch.div(relevance, stable, out=stable)


def is_none(epsilon: float, dtype: torch.dtype) -> bool:
    """Whether a stabiliser is zero, or is so in this type."""
    return epsilon < _least(dtype)


def _least(dtype: torch.dtype) -> float:
    """The smallest number above zero that a type has."""
    info = torch.finfo(dtype)
    return info.tiny * info.eps


def share_out(
    relevance: Tensor, denominator: Tensor, epsilon: float, sign: int = 0, *, certain: bool = False
) -> tuple[Tensor, Tensor]:
    """Divide, and say what the stabiliser took of each map, Σ_j s_j ε sign d_j.

    Arguments as for `divide`, ε being more than the type's least number.
    """
    if sign:
        shares = divide(relevance, denominator, epsilon, sign, certain=certain)
        return shares, total(shares) * (epsilon * sign)
    shares, away = divide_signed(relevance, denominator, epsilon)
    return shares, total(product(away, shares))


def product(spent: Tensor, other: Tensor) -> Tensor:
    """Multiply; the first is not needed again."""
    return spent.mul_(other) if spent.shape == other.shape else spent * other


def with_sign_of(values: Tensor, other: Tensor) -> Tensor:
    """The values times the sign of other ones, of the same type; other signs as in `divide`.

    By their bits: to choose by a condition (`where`, `masked_fill`) costs a CPU twenty times as
    much where the signs are those of noise. A zero may have either sign, which does not matter: −0
    is what only contributions of zero add up to.
    """
    bits = _BITS[values.dtype.itemsize]
    # The lowest number has the bit of the sign alone.
    signs = other.view(bits).bitwise_and(torch.iinfo(bits).min)
    if values.shape == signs.shape:
        return signs.bitwise_xor_(values.view(bits)).view(values.dtype)
    return signs.bitwise_xor(values.view(bits)).view(values.dtype)


_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def total(values: Tensor, first: int = 1) -> Tensor:
    """The sum over the dimensions from the first on, half types summed in single precision."""
    wide = torch.float32 if values.dtype.itemsize < 4 else values.dtype
    # Over the dimensions as they lie: flattening channels last would copy the map.
    dims = tuple(range(first, values.ndim))
    return values.sum(dim=dims, dtype=wide) if dims else values.to(wide)
