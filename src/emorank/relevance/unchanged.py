"""Whether a net is, at a glance, what it was: the same objects, versions and values.

An explainer asks this before every batch, so it costs microseconds for each module and does one
step of torch for all weights together. What it finds changed is looked at closely by `own_net`.
"""

import operator
from collections.abc import Callable, Container
from typing import Any

import torch
from torch import Tensor, nn

_SAMPLE = 1024  # weights that are compared of each tensor; all where there are no more
_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)
_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Glance:
    """What a net is like now, to be compared with later.

    Args:
        net: where a module holds more than torch's own and plain values, `unchanged` is False.
        ignored: gives the names of attributes of a module that are not compared.
    """

    def __init__(
        self, net: nn.Module, ignored: Callable[[nn.Module], Container[str]] = lambda _: ()
    ) -> None:
        self.modules = [_Module(module, ignored(module)) for module in net.modules()]
        self.tensors = [_Tensor(t) for m in self.modules for t in m.tensors if t is not None]
        self.values = self._values()

    def unchanged(self) -> bool:
        """False where something has changed, or cannot be told apart so quickly."""
        return (
            all(module.unchanged() for module in self.modules)
            and all(tensor.unchanged() for tensor in self.tensors)
            and all(map(torch.equal, self.values, self._values()))
        )

    def _values(self) -> list[Tensor]:
        """Some values of all tensors of one kind and device, in one tensor."""
        kinds: dict[Any, list[Tensor]] = {}
        for tensor in self.tensors:
            if tensor.sample is not None:
                key = tensor.sample.dtype, tensor.sample.device
                kinds.setdefault(key, []).append(tensor.sample)
        return [torch.cat(samples) for samples in kinds.values()]


class _Module:
    """A module, what it holds, and what hangs on it."""

    def __init__(self, module: nn.Module, ignored: Container[str]) -> None:
        held = vars(module)
        self.held, self.size = held, len(held)
        self.kinds = [held[kind] for kind in _REGISTERED]
        self.objects = [list(kind.items()) for kind in self.kinds]
        self.tensors = [*held["_parameters"].values(), *held["_buffers"].values()]
        plain = [key for key, value in held.items() if key not in _TORCHS and key not in ignored]
        self.is_plain = all(_is_plain(held[key]) for key in plain)
        self.get = operator.itemgetter(*plain) if plain else len
        self.values = self.get(held) if self.is_plain else None

    def unchanged(self) -> bool:
        """Whether it holds the same objects and equal values."""
        if not self.is_plain or len(self.held) != self.size:
            return False
        for kind, now, before in zip(_REGISTERED, self.kinds, self.objects, strict=True):
            if self.held[kind] is not now or len(now) != len(before):
                return False
            if now and any(  # most are empty
                value is not old or key != old_key
                for (key, value), (old_key, old) in zip(now.items(), before, strict=True)
            ):
                return False
        try:
            return bool(self.get(self.held) == self.values)
        except KeyError:
            return False


class _Tensor:
    """A weight or buffer, and some of its values, evenly from its memory."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.counted = not tensor.is_inference()
        self.before = self._now()
        self.sample = self._sample()

    def _sample(self) -> Tensor | None:
        """A view of its memory; None where it does not fill it, or has numbers of other sizes."""
        values, size = self.tensor.detach(), self.tensor.numel()
        dense = values.is_contiguous() or values.is_contiguous(memory_format=torch.channels_last)
        bits = _BITS.get(values.dtype.itemsize)
        if not dense or bits is None:
            return None
        return values.as_strided((size,), (1,))[:: max(1, size // _SAMPLE)].view(bits)

    def _now(self) -> tuple[Any, ...]:
        tensor = self.tensor
        return (tensor.data_ptr(), tensor.shape, tensor.dtype, self.counted and tensor._version)

    def unchanged(self) -> bool:
        """Whether it lies where it lay, and torch has counted no change."""
        return self.sample is not None and self._now() == self.before


_REGISTERED = ("_modules", "_parameters", "_buffers", "_forward_pre_hooks", "_forward_hooks")
_TORCHS = frozenset(vars(nn.Module()))


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
