"""Layers that stand for what attention is made of: products of signals, and constants."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from emorank.relevance.layers import View, not_the_batch


class MatrixProduct(nn.Module):
    """Stands for `a @ b` of two signals; or for an `einsum` of them, by its equation."""

    def __init__(self, equation: str = "") -> None:
        super().__init__()
        self.equation = equation

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Multiply."""
        return torch.einsum(self.equation, first, second) if self.equation else first @ second

    def back(self, place: int, shares: Tensor, other: Tensor) -> Tensor:
        """The transposed map to the factor at a place, the other factor being given."""
        if not self.equation:
            return shares @ other.mT if place == 0 else other.mT @ shares
        given, made = self.equation.split("->")
        first, second = given.split(",")
        wanted, beside = (first, second) if place == 0 else (second, first)
        return torch.einsum(f"{made},{beside}->{wanted}", shares, other)


class WithConstant(nn.Module):
    """A function of one signal and a constant that is linear in the signal, as a matrix product.

    Args:
        product: of the two.
        constant: without the batch.
        place: of the constant, 0 or 1.
    """

    def __init__(self, product: MatrixProduct, constant: Tensor, place: int) -> None:
        super().__init__()
        self.product, self.place = product, place
        self.register_buffer("constant", constant.detach())
        self.constant: Tensor

    def forward(self, values: Tensor) -> Tensor:
        """Multiply."""
        return self.product(*self._pair(values, self.constant.to(values)))  # type: ignore[no-any-return]

    def back(self, shares: Tensor) -> Tensor:
        """The transposed map."""
        return self.product.back(1 - self.place, shares, self.constant.to(shares))

    def _pair(self, values: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
        return (constant, values) if self.place == 0 else (values, constant)


class Moved(View):
    """A rearrangement of all values: nothing is left out, so that it can be turned back.

    Args:
        way: from the values of a batch to their new places.
        inverse: back, from new values and the shape that one image had.
    """

    def __init__(
        self,
        way: Callable[[Tensor], Tensor],
        inverse: Callable[[Tensor, torch.Size], Tensor],
    ) -> None:
        super().__init__(way)
        self.inverse = inverse


class JoinedWithConstants(nn.Module):
    """Stands for `torch.cat` of signals and constants, such as the class token.

    Args:
        dim: along which.
        constants: without the batch (a batch of one), by their place among all that is joined.
    """

    def __init__(self, dim: int, constants: Mapping[int, Tensor]) -> None:
        super().__init__()
        self.dim, self.places = dim, tuple(constants)
        for place, constant in constants.items():
            self.register_buffer(f"constant_{place}", constant.detach())

    def forward(self, *signals: Tensor) -> Tensor:
        """Put side by side."""
        parts: list[Tensor] = list(signals)
        for place in self.places:
            constant: Tensor = getattr(self, f"constant_{place}")
            parts.insert(
                place, constant.to(signals[0]).expand(len(signals[0]), *constant.shape[1:])
            )
        return torch.cat(parts, not_the_batch(self.dim, signals[0].ndim))
