"""A network's weights in its file: without columns of zeros, and in half precision if it suffices.

An input of the classifier that was zero in every training face has weights of zero (`training`);
of VGG-16's 25 088 inputs that is a third and more. After training, weights are rounded to half
precision if the logits do not notice. Layers that were not trained stay as they came.
"""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from emorank.networks.training import Examples
from emorank.networks.vgg import Chain

TOLERANCE = 1e-3
"""How far a logit may move when trained weights are rounded to half precision."""
_COLUMNS = ".columns"  # behind the name of a weight: which of its columns the file has
_WORTH = 1_000_000  # bytes; smaller networks stay as they are
_FACES = 256  # that are compared at most
_BATCH = 32
_ROWS = 64


def round_trained(net: Chain, cut: int, faces: Examples) -> bool:
    """Round the layers behind `cut` to half precision, in place, if the logits of faces allow it.

    Networks of less than a megabyte are not worth it.

    Args:
        net: trained, in evaluation mode.
        cut: as in `Chain`; `faces` hold what enters there.
        faces: that were not learnt from.

    Returns:
        Whether it was done.
    """
    tail = Chain(nn.Sequential(*list(net.features)[cut:]), net.avgpool, net.classifier)
    parameters, count = list(tail.parameters()), min(_FACES, len(faces.labels))
    if sum(4 * parameter.numel() for parameter in parameters) < _WORTH or not count:
        return False
    rounded = copy.deepcopy(tail)
    for parameter in rounded.parameters():
        parameter.data = parameter.data.half().float()
    with torch.inference_mode():
        for start in range(0, count, _BATCH):
            some = np.arange(start, min(start + _BATCH, count))
            inputs, _ = faces.batch(some, 0, parameters[0].device)
            moved = (rounded.tail(inputs, 0) - tail.tail(inputs, 0)).abs().max()
            if not moved <= TOLERANCE:  # also where it is not a number
                return False
    for parameter, other in zip(parameters, rounded.parameters(), strict=True):
        parameter.data = other.data
    return True


def pack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors for a file: nothing of them is lost."""
    packed = {}
    for name, tensor in state.items():
        kept = tensor
        if tensor.ndim == 2 and not (alive := (tensor != 0).any(0)).all():
            packed[name + _COLUMNS] = alive.nonzero().flatten().to(torch.int32)
            kept = tensor[:, alive]
        half = kept.half()
        packed[name] = half if torch.equal(half.float(), kept) else kept
    return packed


def unpack(packed: Mapping[str, Tensor], own: nn.Module) -> dict[str, Tensor]:
    """The state dict of a module, float32, from what `pack` made of one like it.

    Args:
        packed: from a file; nothing of it is trusted.
        own: the module without weights; it says how large they are.

    Raises:
        ValueError: other tensors, or of other shapes, than the module's.
    """
    expected = own.state_dict()
    columns = {name: packed[name + _COLUMNS] for name in expected if name + _COLUMNS in packed}
    unknown = set(packed) - set(expected) - {name + _COLUMNS for name in columns}
    if unknown or set(expected) - set(packed):
        raise ValueError("other tensors than those of the network")
    for name, tensor in packed.items():
        if name in expected and not _fits(tensor, expected[name], columns.get(name)):
            raise ValueError(f"{name} is of shape {tuple(tensor.shape)} and {tensor.dtype}")
    # Only now, when the file has been found to hold all that is not left out, room is made.
    return {
        name: _spread(packed[name].float(), columns[name], like.shape)
        if name in columns
        else packed[name].float()
        for name, like in expected.items()
    }


def _fits(tensor: Tensor, expected: Tensor, columns: Tensor | None) -> bool:
    if tensor.dtype not in (torch.float32, torch.float16):
        return False
    if columns is None:
        return tensor.shape == expected.shape
    if columns.dtype != torch.int32 or columns.ndim != 1 or expected.ndim != 2:
        return False
    rows, inputs = expected.shape
    ascending = bool((columns.diff() > 0).all()) and bool(
        ((columns >= 0) & (columns < inputs)).all()
    )
    return ascending and tensor.shape == (rows, len(columns))


def _spread(kept: Tensor, columns: Tensor, shape: torch.Size) -> Tensor:
    whole = torch.zeros(shape)
    for start in range(0, len(kept), _ROWS):  # no second copy of the whole as float32
        rows = slice(start, start + _ROWS)
        whole[rows].index_copy_(1, columns.long(), kept[rows].float())
    return whole
