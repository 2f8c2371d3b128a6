"""The border of TensorFlow's padding "SAME", which depends on the size of the maps."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SamePad(nn.Module):
    """The zeros of TensorFlow's padding "SAME", which depend on the size of the maps.

    Args:
        layer: the convolution that comes behind it.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.windows = tuple(zip(layer.kernel_size, layer.stride, layer.dilation, strict=True))

    def sides(self, shape: torch.Size) -> tuple[int, ...]:
        """As `F.pad` takes them; one more at the end where they are odd."""
        return same_sides(shape, self.windows)

    def forward(self, values: Tensor) -> Tensor:
        """Add zeros around."""
        return F.pad(values, self.sides(values.shape))


class SamePool(nn.Module):
    """timm's pooling with TensorFlow's padding "SAME", as torch's own for maps of a size.

    A border that is wider at the end is one that `ceil_mode` makes.
    """

    def __init__(self, layer: nn.MaxPool2d | nn.AvgPool2d) -> None:
        super().__init__()
        kernel, stride = pair(layer.kernel_size), pair(layer.stride)
        self.largest = isinstance(layer, nn.MaxPool2d)
        gaps = pair(layer.dilation) if isinstance(layer, nn.MaxPool2d) else (1, 1)
        self.windows = tuple(zip(kernel, stride, gaps, strict=True))

    def at(self, shape: torch.Size) -> nn.MaxPool2d | nn.AvgPool2d:
        """The pooling of maps of this shape, which leaves no more than one row or column over."""
        (tall, down, gap), (wide, right, apart) = self.windows
        left, _, top, _ = same_sides(shape, self.windows)
        kernel, stride, border = (tall, wide), (down, right), (top, left)
        if self.largest:
            return nn.MaxPool2d(kernel, stride, border, (gap, apart), ceil_mode=True)
        # The zeros of the border count.
        return nn.AvgPool2d(kernel, stride, border, True, divisor_override=tall * wide)

    def forward(self, values: Tensor) -> Tensor:
        """Pool."""
        pooled: Tensor = self.at(values.shape)(values)
        return pooled


def same_sides(shape: torch.Size, windows: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The zeros of TensorFlow's padding "SAME", as `F.pad` takes them.

    Args:
        shape: of the maps.
        windows: kernel, stride and dilation of rows and of columns.
    """
    sides: list[int] = []
    for length, (kernel, stride, gap) in zip(shape[-1:-3:-1], windows[::-1], strict=True):
        more = max((-(-length // stride) - 1) * stride + (kernel - 1) * gap + 1 - length, 0)
        sides += [more // 2, more - more // 2]
    return tuple(sides)


_SAME = {"Conv2dSame": nn.Conv2d, "MaxPool2dSame": nn.MaxPool2d, "AvgPool2dSame": nn.AvgPool2d}


def is_same(layer: nn.Module) -> bool:
    """Whether it is timm's convolution or pooling with TensorFlow's padding."""
    kind = type(layer)
    plain = _SAME.get(kind.__name__) if kind.__module__.startswith("timm.") else None
    return plain is not None and isinstance(layer, plain)


def pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    """One number for rows and columns, or one for each."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])
