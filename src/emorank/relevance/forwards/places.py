"""Where the tensors of a forward have the images, and where the layers here have them: first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from emorank.errors import RelevanceError
from emorank.relevance.forwards.calls import Call
from emorank.relevance.forwards.following import BATCH


@dataclass(frozen=True)
class Place:
    """Where a tensor of the forward has the images.

    Attributes:
        shape: in the forward, with `BATCH` images.
        dim: the dimension that they are in.
        each: how many rows of it each image has.
    """

    shape: tuple[int, ...]
    dim: int
    each: int

    @property
    def by_image(self) -> tuple[int, ...]:
        """The shape of one image here."""
        before, after = self.shape[: self.dim], self.shape[self.dim + 1 :]
        return (*before, *self._rows, *after)

    @property
    def _rows(self) -> tuple[int, ...]:
        return (self.each,) if self.each > 1 else ()

    @property
    def plain(self) -> bool:
        """Whether the images are the first dimension in the forward too."""
        return self.dim == 0 and self.each == 1

    def positive(self, dim: int) -> int:
        """A dimension of the forward, counted from the front."""
        return dim % len(self.shape)

    def here(self, dim: int) -> int:
        """A dimension of the forward, here."""
        dim = self.positive(dim)
        if dim == self.dim:
            raise RelevanceError(
                f"expected a dimension of each image of a tensor {self.words}, got {dim}, which "
                "joins the images of a batch and has no rule"
            )
        return dim + 1 if dim < self.dim else dim + len(self._rows)

    def keeps(self, last: int) -> bool:
        """Whether the images are in none of the last dimensions."""
        return self.dim < len(self.shape) - last

    @property
    def words(self) -> str:
        """The shape, the images being B."""
        rows = "B" if self.each == 1 else f"{self.each}·B"
        sizes = [rows if k == self.dim else str(n) for k, n in enumerate(self.shape)]
        return f"({', '.join(sizes)})"


def place_of(shape: Sequence[int]) -> Place:
    """Where a tensor of this shape has the images.

    Raises:
        RelevanceError: nowhere, or in several dimensions.
    """
    dims = [k for k, size in enumerate(shape) if size and size % BATCH == 0]
    if len(dims) != 1:
        words = tuple("B" if n == BATCH else n for n in shape)
        raise RelevanceError(
            f"expected tensors with the images of a batch in one dimension, got one of {words}; "
            "what joins the images of a batch has no rule"
        )
    return Place(tuple(shape), dims[0], shape[dims[0]] // BATCH)


def constant_by_image(constant: Tensor, place: Place) -> Tensor:
    """A constant that meets a tensor, in the shape to meet it here: (1, …), one for all images.

    Raises:
        RelevanceError: it has other values for each image.
    """
    if constant.ndim == 0:
        return constant
    dims = len(place.shape)
    full = constant.reshape((1,) * (dims - constant.ndim) + tuple(constant.shape))
    rows = full.shape[place.dim] if full.ndim == dims else -1
    if rows % BATCH == 0 and rows:
        by_image = full.unflatten(place.dim, (BATCH, -1))  # type: ignore[no-untyped-call]
        full = by_image.select(place.dim, 0)
        rows = full.shape[place.dim]
        if not torch.equal(by_image, full.unsqueeze(place.dim).expand_as(by_image)):
            rows = -1
    if rows not in (1, place.each):
        raise RelevanceError(
            f"expected a constant that is the same for all images and fits a tensor {place.words}, "
            f"got one of {tuple(constant.shape)}"
        )
    return full.unsqueeze(0) if place.each > 1 else full.movedim(place.dim, 0)


LEAST = -6e4
"""What stands for −∞ in a mask: every type has it, and softmax makes zero of it too."""


def finite(constant: Tensor) -> Tensor:
    """A mask of −∞ as numbers that every type has, and of which softmax makes zero too."""
    return constant.clamp(min=LEAST) if constant.is_floating_point() else constant


@dataclass(frozen=True)
class Placed:
    """A call, with where its tensors and its result have the images."""

    call: Call
    places: list[Place]
    made: Place

    @property
    def first(self) -> Place:
        """Where the first tensor has them."""
        return self.places[0]

    def given(self, names: tuple[str, ...], **defaults: Any) -> dict[str, Any]:
        """As of the call."""
        return self.call.given(names, **defaults)
