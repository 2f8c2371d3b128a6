"""Convolutions of three rows with half the multiplications, after Winograd.

Four rows of outputs are computed at once from six rows of inputs: six products instead of twelve
(F(4, 3) of Lavin and Gray 2016, along the rows only). Per tile of rows, y = Aᵀ[(G w) ⊙ (Bᵀ d)]; the
product is a convolution of one row, so that the columns stay with the library's convolution.

The result differs from the direct one by rounding: by some 3·10⁻⁶ of the greatest value in float32,
where the direct one itself is off by 10⁻⁶ (tests/relevance/test_winograd.py). One direction only,
since in both the error grows tenfold and the tiles take more memory traffic than they save.
"""

import math
import threading

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

ROWS = 4  # of outputs in a tile
_READ = ROWS + 2  # rows of inputs that they depend on

_B = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_A = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)

Kernels = tuple[Tensor, ...]


def kernels(weight: Float[Tensor, "out in 3 width"]) -> Kernels:
    """The six kernels (out, in, 1, width) of one row each that stand for one of three rows."""
    transform = weight.new_tensor(_G, dtype=torch.float64)
    turned = torch.einsum("pr,oirw->poiw", transform, weight.double())
    return tuple(
        kernel[:, :, None].to(weight.dtype).contiguous(memory_format=torch.channels_last)
        for kernel in turned
    )


def convolve(
    inputs: Float[Tensor, "batch in height width"],
    turned: Kernels,
    bias: Float[Tensor, "out"] | None,
    padding: tuple[int, int],
) -> Float[Tensor, "batch out rows columns"]:
    """The convolution of stride 1 whose kernels were turned; padding in rows and columns.

    Inputs and outputs lie channels last.
    """
    batch, _, height, width = inputs.shape
    rows = height + 2 * padding[0] - 2
    columns = width + 2 * padding[1] - turned[0].shape[3] + 1
    tiles = -(-rows // ROWS)
    outputs = inputs.new_empty(batch, ROWS * tiles, columns, len(turned[0]))
    for image, result in zip(inputs.permute(0, 2, 3, 1), outputs, strict=True):
        _image(image, turned, padding, result)
    outputs = outputs[:, :rows]
    if bias is not None:
        outputs += bias
    return outputs.permute(0, 3, 1, 2)


def _image(
    inputs: Float[Tensor, "height width in"],
    turned: Kernels,
    padding: tuple[int, int],
    result: Float[Tensor, "rows columns out"],
) -> None:
    """One image; the rows of `result` are those of whole tiles."""
    height, width, channels = inputs.shape
    above, beside = padding
    tiles, row = len(result) // ROWS, width * channels
    # Rows of zeros around the image, and below it so that the last tile is whole.
    padded = _scratch("padded", inputs, ROWS * tiles + 2, width, channels)
    padded[:above] = 0
    padded[above : above + height] = inputs
    padded[above + height :] = 0
    overlapping = padded.as_strided((tiles, _READ, row), (ROWS * row, row, 1))
    # By place within the tile first, so that each convolution finds its rows side by side.
    read = _scratch("read", inputs, _READ, tiles, row)
    transform = inputs.new_tensor(_B).expand(tiles, -1, -1)
    torch.bmm(transform, overlapping, out=read.permute(1, 0, 2))
    maps = read.view(_READ, 1, tiles, width, channels).permute(0, 1, 4, 2, 3)
    products = _scratch("products", inputs, _READ, tiles, *result.shape[1:])
    for some, kernel, product in zip(maps, turned, products, strict=True):
        product.copy_(F.conv2d(some, kernel, None, padding=(0, beside))[0].permute(1, 2, 0))
    transform = inputs.new_tensor(_A).expand(tiles, -1, -1)
    by_tile = products.view(_READ, tiles, -1).permute(1, 0, 2)
    torch.bmm(transform, by_tile, out=result.view(tiles, ROWS, -1))


_memory = threading.local()


def _scratch(name: str, like: Tensor, *shape: int) -> Tensor:
    """Memory of this thread that the next image uses again: fresh pages cost more than the sums."""
    size = math.prod(shape)
    kept: dict[str, Tensor] = _memory.__dict__.setdefault("kept", {})
    if name not in kept or kept[name].numel() < size or kept[name].dtype != like.dtype:
        kept[name] = like.new_empty(size)
    return kept[name][:size].view(shape)
