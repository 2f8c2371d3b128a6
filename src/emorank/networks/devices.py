"""Where PyTorch computes, by name, and how arrays get there."""

import torch
from torch import Tensor

from emorank.errors import PlanError

AUTO = "auto"
"""A GPU with CUDA where there is one, or else the CPU."""
_WORDS = "expected cpu, cuda, cuda:N (the N-th GPU, from 0) or auto"


def device_of(name: str) -> torch.device:
    """The device that is meant by a name such as "cpu", "cuda", "cuda:1" or "auto".

    Raises:
        PlanError: it is no device's name, or there is no such device here.
    """
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:  # torch goes on with all names that it knows
        raise PlanError(f"cannot compute on '{name}': {_WORDS}") from error
    if device.type == "cuda":
        _require_gpu(device)
        return device
    try:
        torch.empty(1, device=device).cpu()
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise PlanError(f"cannot compute on '{name}': {reason}; {_WORDS}") from error
    return device


def gpus() -> int:
    """How many GPUs with CUDA torch sees."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def memory_of(gpu: torch.device) -> int:
    """Bytes of a GPU's memory."""
    return int(torch.cuda.get_device_properties(gpu).total_memory)


def sent(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on a device. To a GPU it is copied while this process goes on.

    For that it lies in memory that the system may not move (pinned); torch keeps it there until
    the copy has ended.
    """
    device = torch.device(device)
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _require_gpu(device: torch.device) -> None:
    count = gpus()
    if (device.index or 0) < count:
        return
    why = "none" if torch.version.cuda else "none, because this torch is built without CUDA"
    seen = f"{count}, cuda:0 to cuda:{count - 1}" if count else why
    raise PlanError(f"no CUDA device '{device}': torch sees {seen}; name another device, or auto")
