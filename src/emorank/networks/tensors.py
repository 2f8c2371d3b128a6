"""Tensors in a safetensors file, written whole or not at all and with a checksum."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from emorank.files import replacing
from emorank.seals import UNSEALED, seal


def save_tensors(
    tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str] | None = None
) -> None:
    """Write tensors and words about them to `path`; an earlier file stays until all is written.

    The words get a checksum of the whole file, unless `UNSEALED` stands in them already.

    Raises:
        OSError: it cannot be written (disk full, no permission).
    """
    words = dict(about or {})
    if not any(UNSEALED in text for text in words.values()):
        words["checksum"] = UNSEALED
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as partial:
            save_file(contiguous, partial, metadata=words)
            seal(partial)
    except SafetensorError as error:
        # safetensors wraps what the system says; callers want that.
        raise OSError(f"{path} could not be written: {error}") from error
