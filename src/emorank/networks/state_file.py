"""The state dict in a file of somebody's: tensors by name; nothing in the file is executed."""

import io
import pickletools
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from emorank.errors import WeightsError
from emorank.networks.file_kinds import (
    ONNX,
    PICKLE,
    SAFETENSORS,
    SAVE_AGAIN,
    damaged,
    kind_of,
    shortened,
)
from emorank.seals import is_damaged

# Where training scripts put the state dict beside an optimiser's; averages of the weights last.
_INSIDE = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights"),
    *("params", "module", "state", "backbone", "encoder"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "params_ema", "ema"),
)
_NOT_THE_NETWORK = ("optim", "sched", "scaler", "loss", "criterion")
_FIRST = ("features.0.weight", "conv1.weight")  # of the networks that are known
_TRIED = 20  # prefixes
_SHARED = 4  # how much larger the tensors may be than the file, which some of them share
_DEPTH = 3  # dicts in dicts that are looked into
_PROGRAM = 2**20  # bytes of a pickle that are searched for names
_COUNTED = "n_averaged"  # torch's AveragedModel counts in its state dict


@dataclass(frozen=True)
class State:
    """What a file holds.

    Attributes:
        tensors: by name, as they are in the file, on the CPU.
        notes: what was passed over or chosen on the way to them, a sentence each.
    """

    tensors: dict[str, Tensor]
    notes: tuple[str, ...] = ()


def read_state(file: Path) -> State:
    """The state dict of a safetensors or PyTorch file, wherever in it it lies.

    Raises:
        WeightsError: missing, truncated, of another kind, or with more than tensors, numbers and
            text; the message says what to do.
    """
    kind = kind_of(file)
    if kind == ONNX:
        raise WeightsError(
            f"{file}: an ONNX file; here weights alone are taken. emorank explain --weights and "
            "emorank.load_network read it"
        )
    try:
        if kind == SAFETENSORS:
            if is_damaged(file):
                raise WeightsError(
                    f"{file}: truncated or damaged (its checksum does not fit); get it again"
                )
            return State(load_file(file))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own words on old formats
            content = _checkpoint(file, mapped=kind != PICKLE)
    except WeightsError:
        raise
    except Exception as error:  # whatever the readers make of a stranger's bytes
        raise _refusal(file, kind) from error
    return _state(file, content)


def _checkpoint(file: Path, mapped: bool) -> Any:
    """What a PyTorch file holds; of a mapped one only the tensors that are used come into memory.

    weights_only is torch's own reader that admits tensors and nothing that can run.
    """
    if file.suffix != ".safetensors":
        return torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)  # noqa: TID251
    with file.open("rb") as stream:  # torch would go by the name's ending
        return torch.load(stream, map_location="cpu", weights_only=True)  # noqa: TID251


def without_prefix(
    state: dict[str, Tensor], fits: Callable[[set[str]], bool]
) -> tuple[dict[str, Tensor], str]:
    """A state dict without what wrappers of a net put before its names, and that prefix.

    "module." is DataParallel's, "_orig_mod." torch.compile's, "model." Lightning's, "backbone."
    that of a net within a net. A prefix is taken off if the names then fit, also where a part of
    them has none; or, so that an error names the layers, if all have it.

    Args:
        state: a state dict.
        fits: whether names are those of a network that is expected.
    """
    if fits(set(state)):
        return state, ""
    ends = [key.removesuffix(anchor) for key in state for anchor in _FIRST if key.endswith(anchor)]
    prefixes = sorted({end for end in ends if end.endswith(".")}, key=len)[:_TRIED]
    for prefix in prefixes:
        names = {name.removeprefix(prefix) for name in state}
        if len(names) == len(state) and fits(names):
            return _named_without(prefix, state), prefix
    for prefix in prefixes:
        if all(name.startswith(prefix) for name in state):
            return _named_without(prefix, state), prefix
    return state, ""


def _named_without(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _refusal(file: Path, kind: str) -> WeightsError:
    """Why a file could not be read, in our words: the objects in it, or that it is damaged."""
    if kind == SAFETENSORS:
        return damaged(file, "the tensors are not as its header says; download or copy it again")
    foreign = sorted(_classes(file, kind) - _HARMLESS)
    if not foreign:
        return damaged(file, "it ends too early or was changed; download or copy it again")
    named = shortened(", ".join(foreign[:4]), 200)
    whole = any(name.startswith("torch.nn.modules") for name in foreign)
    what = "a whole model" if whole else "objects beside the weights"
    return WeightsError(
        f"{file}: holds {what} ({named}), and to read that would run a program from the file; "
        f"{SAVE_AGAIN}"
    )


# Names that are in every file of PyTorch's own.
_HARMLESS = {
    *("collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"),
    *("torch._utils._rebuild_parameter", "torch.Size", "torch.device", "torch.storage"),
    *(f"torch.{kind}Storage" for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int")),
    *(f"torch.{kind}Storage" for kind in ("Short", "Char", "Byte", "Bool")),
    *("__builtin__.set", "builtins.set"),
}


def _classes(file: Path, kind: str) -> set[str]:
    """The names that a pickle would call, found without unpickling."""
    try:
        if kind == PICKLE:
            with file.open("rb") as stream:
                program = stream.read(_PROGRAM)
        else:
            with zipfile.ZipFile(file) as archive:
                (name,) = (n for n in archive.namelist() if n.partition("/")[2] == "data.pkl")
                with archive.open(name) as member:
                    program = member.read(_PROGRAM)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return set()
    return set(_called(io.BytesIO(program)))


def _called(stream: io.BytesIO) -> Iterator[str]:
    texts: list[str] = []
    try:
        while True:  # the older format is several pickles in a row
            for code, argument, _ in pickletools.genops(stream):
                if code.name == "GLOBAL":
                    yield str(argument).replace(" ", ".")
                elif code.name == "STACK_GLOBAL" and len(texts) > 1:
                    yield ".".join(texts[-2:])
                elif isinstance(argument, str):
                    texts.append(argument)
    except Exception:
        return


def _state(file: Path, content: Any) -> State:
    """The state dict in what a file holds."""
    found = dict(_inside(content, (), _DEPTH))
    if not found:
        raise WeightsError(
            f"{file}: expected a state dict (name to tensor), found something else: "
            f"{_words(content)}; {SAVE_AGAIN}"
        )
    place = min(found, key=_order)
    if len(found) > 1 and _order(place)[0] == len(_INSIDE):
        raise WeightsError(
            f"{file}: expected one state dict, found several under keys of which none is usual: "
            f"{shortened(', '.join('.'.join(one) for one in found))}; {SAVE_AGAIN}"
        )
    mapping = found[place]
    notes = []
    if place:
        others = [".".join(one) for one in found if one != place]
        beside = f"; also there: {shortened(', '.join(others), 120)}" if others else ""
        notes.append(f"read from its key '{shortened('.'.join(place), 120)}'{beside}")
    passed = [str(name) for name, value in mapping.items() if not isinstance(value, Tensor)]
    if passed:
        notes.append(f"passed over what is no tensor: {shortened(', '.join(passed), 120)}")
    tensors = {str(k): v for k, v in mapping.items() if isinstance(v, Tensor) and k != _COUNTED}
    for name, tensor in tensors.items():
        if not _whole(tensor):
            raise WeightsError(
                f"{file}: expected dense tensors, found another kind at {shortened(name, 120)}"
                f"{' (quantised)' if tensor.is_quantized else ''}; {SAVE_AGAIN}"
            )
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if size > _SHARED * file.stat().st_size:
        raise WeightsError(
            f"{file}: its tensors would take {size:,} bytes, more than it has; {SAVE_AGAIN}"
        )
    # Out of the mapped file, which may be changed or deleted later.
    return State({name: tensor.detach().clone() for name, tensor in tensors.items()}, (*notes,))


def _inside(
    content: Any, place: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """The dicts of tensors in a checkpoint, with the keys that lead to them."""
    if not isinstance(content, dict) or not content:
        return
    rest = [value for value in content.values() if not isinstance(value, Tensor)]
    plain = all(value is None or isinstance(value, int | float | str) for value in rest)
    if plain and 2 * len(rest) < len(content):
        yield place, content
        return
    for key, value in content.items():
        if depth and not any(word in str(key).lower() for word in _NOT_THE_NETWORK):
            yield from _inside(value, (*place, str(key)), depth - 1)


def _order(place: tuple[str, ...]) -> tuple[int, int]:
    """Which of several state dicts comes first: by its usual name, then the nearest."""
    last = [_INSIDE.index(key) for key in place if key in _INSIDE]
    return (max(last) if len(last) == len(place) else len(_INSIDE)) if place else -1, len(place)


def _words(content: Any) -> str:
    if isinstance(content, dict):
        keys = ", ".join(str(key) for key in list(content)[:8])
        return f"a dict with the keys {shortened(keys, 200)}" if content else "an empty dict"
    return "a single tensor" if isinstance(content, Tensor) else f"a {type(content).__name__}"


def _whole(tensor: Tensor) -> bool:
    """Whether the file holds every value of a tensor.

    Else a file of a few bytes could name a tensor that takes terabytes when it is written out.
    """
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()
