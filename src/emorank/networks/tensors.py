"""Tensors in a safetensors file, written whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from emorank.files import replacing


def save_tensors(
    tensors: Mapping[str, Tensor], path: Path, about: Mapping[str, str] | None = None
) -> None:
    """Write tensors and words about them to `path`; an earlier file stays until all is written.

    Raises:
        OSError: it cannot be written (disk full, no permission).
    """
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as partial:
            save_file(contiguous, partial, metadata=dict(about or {}))
    except SafetensorError as error:
        # safetensors wraps what the system says; callers want that.
        raise OSError(f"{path} could not be written: {error}") from error
