"""Anybody's trained network from a file, with what the file says about its use."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from emorank.errors import WeightsError
from emorank.networks.architectures import are_known, identify
from emorank.networks.checkpoint import header
from emorank.networks.file_kinds import printable
from emorank.networks.normalisation import IMAGENET, Normalisation
from emorank.networks.state_file import read_state, without_prefix

_LABELS = 10_000_000  # bytes
_EXACT = {"float32", "int64"}  # of weights, and of the counters of batch norm


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode, to be given normalised images.

    Attributes:
        net: with torchvision's names of layers.
        architecture: its name in torchvision, for instance "resnet18".
        classes: number of outputs.
        labels: what the outputs stand for, in their order; None where nobody said.
        size: side of the input in pixels, as in training; torchvision's 224 where the file says
            nothing.
        crop: framing in training, "none" or "face"; "center", torchvision's, where it does not.
        normalisation: of its input; ImageNet's where nobody said.
        notes: what was chosen or assumed when its file was read, a sentence each.
    """

    net: nn.Module
    architecture: str
    classes: int
    labels: tuple[str, ...] | None = None
    size: int = 224
    crop: str = "center"
    normalisation: Normalisation = IMAGENET
    notes: tuple[str, ...] = ()

    def index(self, word: str) -> int:
        """The class that a word means: its index, or its label.

        Raises:
            WeightsError: there is no such class, or several.
        """
        if word.isascii() and word.isdigit() and int(word) < self.classes:
            return int(word)
        labels = self.labels or ()
        same = [i for i, label in enumerate(labels) if label.lower() == word.strip().lower()]
        if len(same) == 1:
            return same[0]
        if same:
            raise WeightsError(f"'{word}' names the classes {same}; give the index of one")
        known = f" or one of {', '.join(labels[:20])}" if labels else "; no labels are known"
        raise WeightsError(
            f"'{word}' is no class; expected an index from 0 to {self.classes - 1}{known}"
        )

    def on(self, device: str) -> "Network":
        """The same network on a device of torch's, for instance "cuda"; its tensors are moved.

        Raises:
            WeightsError: there is no such device here.
        """
        try:
            return replace(self, net=self.net.to(device))
        except (RuntimeError, AssertionError) as error:  # torch raises either
            reason = str(error).splitlines()[0]
            raise WeightsError(f"cannot compute on '{device}': {reason}") from error


def load_network(path: Path | str, labels: Path | str | None = None) -> Network:
    """Read a checkpoint of any network in `ARCHITECTURES`; nothing in the file is executed.

    Args:
        path: safetensors or PyTorch (`.pth`, `.pt`) with torchvision's keys, or the
            `model.safetensors` of a study, which brings its classes, size and framing.
        labels: a text file with the name of each class, one a line.

    Raises:
        WeightsError: missing, damaged, or of another network; or the labels are not as many.
    """
    path = Path(path)
    found = read_state(path)
    state, prefix = without_prefix(found.tensors, are_known)
    try:
        name, net = identify(state)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    notes = found.notes
    if prefix:
        notes += (f"the prefix '{printable(prefix, 60)}' of its names was taken off",)
    kinds = sorted({str(t.dtype).removeprefix("torch.") for t in state.values()} - _EXACT)
    if kinds:
        notes += (f"its weights are {', '.join(kinds)} and are computed with as float32",)
    classes = len(list(net.parameters())[-1])  # the bias of the last layer
    about = header(path)
    words = None if labels is None else _labels(Path(labels), classes)
    if about is None:
        return Network(net, name, classes, words, notes=notes)
    if len(about.labels) != classes:
        raise WeightsError(
            f"{path}: has {classes} outputs and names {len(about.labels)} of them; train again"
        )
    words = words or about.labels
    return Network(net, name, classes, words, about.size, about.crop, notes=notes)


def _labels(path: Path, classes: int) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            text = file.read(_LABELS + 1)
        if len(text) > _LABELS:
            raise WeightsError(f"{path}: larger than the {_LABELS:,} bytes of any list of labels")
        lines = [line.strip() for line in text.decode("utf-8-sig").strip().splitlines()]
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise WeightsError(f"{path}: expected labels as UTF-8 text, one a line") from error
    if len(lines) != classes:
        raise WeightsError(
            f"{path}: expected {classes} labels, one a line for each output, found {len(lines)}"
        )
    return tuple(lines)
