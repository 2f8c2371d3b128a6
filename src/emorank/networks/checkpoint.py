"""A trained network as one safetensors file that says what it is."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from emorank.errors import WeightsError
from emorank.networks.backbones import BACKBONES, PAPERS, on_backbone
from emorank.networks.file_kinds import SAFETENSORS, kind_of
from emorank.networks.normalisation import IMAGENET, Normalisation
from emorank.networks.packed import pack, unpack
from emorank.networks.tensors import save_tensors
from emorank.networks.vgg import Chain
from emorank.networks.vgg16 import VGG16, channels_last
from emorank.seals import UNSEALED, is_damaged
from emorank.vocabulary import Emotion

FORMAT = "emorank-vgg16-1"


@dataclass(frozen=True)
class Checkpoint:
    """A network in evaluation mode, and what has to be known to use it on an image.

    Attributes:
        net: its outputs are the logits of `classes`, or of an ordinal network the log-odds of "at
            least this level" for each class and, within it, for each of `steps`.
        classes: in the order of the outputs.
        size: side of the input in pixels.
        crop: "none" or "face": how images have to be framed, as those in training were.
        steps: the levels that an ordinal network tells from those below, ascending; else empty.
        thresholds: of its scores, one for each of `steps`.
        normalisation: of the images in training.
        width: of the frame of a face, in usual crops.
        backbone: a name of `BACKBONES`; of a ready one the file holds what was trained only.
        unfreeze: which of its blocks were trained too, a name of the backbone's `cuts`.
        temperature: of the contrast to neutral (`ranking.contrast`); None where it is not known.
    """

    net: Chain
    classes: tuple[Emotion, ...]
    size: int
    crop: str
    steps: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    normalisation: Normalisation = IMAGENET
    width: float = 1.0
    backbone: str = PAPERS
    unfreeze: str = "none"
    temperature: float | None = None


# Defaults are omitted: a classifier's header is the same as before there were ordinal networks.
class Header(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a model file says about itself; `hidden` is the width of the dense layers."""

    classes: Annotated[list[Emotion], msgspec.Meta(max_length=len(Emotion))]
    hidden: Annotated[int, msgspec.Meta(ge=0, le=16384)]
    size: Annotated[int, msgspec.Meta(ge=16, le=4096)]
    crop: Annotated[str, msgspec.Meta(pattern="^(none|face)$")]
    steps: list[str] = []
    thresholds: list[float] = []
    mean: tuple[float, float, float] = IMAGENET.mean
    deviation: tuple[float, float, float] = IMAGENET.deviation
    width: Annotated[float, msgspec.Meta(gt=0, le=4)] = 1.0
    backbone: str = PAPERS
    unfreeze: str = "none"
    temperature: Annotated[float, msgspec.Meta(gt=0)] | None = None
    checksum: str = ""  # of the whole file; without it in files of earlier versions

    @property
    def normalisation(self) -> Normalisation:
        """Of the images in training."""
        return Normalisation(self.mean, self.deviation)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each output stands for: "Happy"; in an ordinal network "Happy at least Strong"."""
        if not self.steps:
            return tuple(emotion.label for emotion in self.classes)
        return tuple(f"{e.label} at least {step}" for e in self.classes for step in self.steps)


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write atomically: either the whole file is there, or the earlier one still is."""
    about = Header(
        list(checkpoint.classes),
        hidden_of(checkpoint.net),
        checkpoint.size,
        checkpoint.crop,
        list(checkpoint.steps),
        list(checkpoint.thresholds),
        checkpoint.normalisation.mean,
        checkpoint.normalisation.deviation,
        checkpoint.width,
        checkpoint.backbone,
        checkpoint.unfreeze,
        checkpoint.temperature,
        UNSEALED,
    )
    # One entry, because safetensors shuffles several: equal networks make equal files.
    words = msgspec.json.encode(about).decode()
    own = _own(checkpoint.net, checkpoint.backbone, checkpoint.unfreeze)
    save_tensors(pack(own.state_dict()), path, {FORMAT: words})


def hidden_of(net: Chain) -> int:
    """Width of the hidden dense layers; 0 where the classifier is one dense layer."""
    first = net.classifier[0]
    assert isinstance(first, nn.Linear)  # noqa: S101 - for the type checker
    return first.out_features if len(net.classifier) > 1 else 0


def size_of(classes: int, hidden: int, backbone: str = PAPERS, unfreeze: str = "none") -> int:
    """How many bytes a file of such a network takes at most, and a small file beside it."""
    own = _own(_skeleton(classes, hidden, backbone), backbone, unfreeze)
    bytes_of_weights = sum(int(tensor.nbytes) for tensor in own.state_dict().values())
    return bytes_of_weights + (1 << 15)  # the header, and the table of curves without its rows


def _own(net: Chain, backbone: str, unfreeze: str) -> nn.Module:
    """What of a network is in its file: all, or what was trained on a ready backbone."""
    if backbone == PAPERS:
        return net
    blocks = list(net.features.named_children())[BACKBONES[backbone].cuts[unfreeze] :]
    if not blocks:
        return net.classifier
    trained = nn.Sequential(OrderedDict(blocks))
    return nn.ModuleDict({"features": trained, "classifier": net.classifier})


def _skeleton(outputs: int, hidden: int, backbone: str) -> Chain:
    """The network without weights of its own."""
    if backbone == PAPERS:
        with torch.device("meta"):  # no time spent on random weights that are replaced at once
            return VGG16(outputs, hidden=hidden)
    return on_backbone(backbone, outputs, hidden)


def header(path: Path) -> Header | None:
    """What emorank wrote about a model of its own; None in a safetensors file of somebody else's.

    Raises:
        WeightsError: truncated, or the words are not emorank's.
    """
    try:
        if kind_of(path) != SAFETENSORS:
            return None
        with safe_open(path, framework="pt") as file:
            words = (file.metadata() or {}).get(FORMAT)
        return None if words is None else msgspec.json.decode(words, type=Header)
    except (WeightsError, SafetensorError, OSError, msgspec.MsgspecError) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise WeightsError(f"{path}: truncated or damaged ({reason}); train again") from error


def known(path: Path) -> Header:
    """What a model of emorank's says about itself, without its weights.

    Raises:
        WeightsError: no such file, truncated, or not written by emorank.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no trained model here; train one first: emorank train")
    about = header(path)
    if about is None:
        raise WeightsError(f"{path}: expected a model trained by emorank ({FORMAT})")
    return about


def load(path: Path, steps: tuple[str, ...] = ()) -> Checkpoint:
    """Read what `save` wrote.

    Args:
        path: of the file.
        steps: those of an ordinal network; none of a classifier.

    Raises:
        WeightsError: no such file, truncated, not written by emorank, or of the other kind.
    """
    about = known(path)
    if tuple(about.steps) != steps or len(about.thresholds) != len(steps):
        expected = f"an ordinal network with {', '.join(steps)}" if steps else "a classifier"
        raise WeightsError(f"{path}: expected {expected}, found outputs {', '.join(about.labels)}")
    classes = tuple(about.classes)
    if about.backbone not in BACKBONES:
        raise WeightsError(
            f"{path}: its backbone '{about.backbone}' is not known here; expected one of "
            f"{', '.join(BACKBONES)}; it may be of a later version of emorank"
        )
    if about.unfreeze not in BACKBONES[about.backbone].cuts:
        raise WeightsError(
            f"{path}: its backbone '{about.backbone}' has no block '{about.unfreeze}'; it may be "
            "of a later version of emorank"
        )
    net = _skeleton(len(about.labels), about.hidden, about.backbone)
    try:
        if is_damaged(path):
            raise WeightsError(f"{path}: damaged (its checksum does not fit); train again")
        own = _own(net, about.backbone, about.unfreeze)
        own.load_state_dict(unpack(load_file(path), own), assign=True)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(f"{path}: truncated or damaged ({reason}); train again") from error
    net = channels_last(net.eval())
    thresholds = tuple(about.thresholds)
    return Checkpoint(
        net,
        classes,
        about.size,
        about.crop,
        steps,
        thresholds,
        about.normalisation,
        about.width,
        about.backbone,
        about.unfreeze,
        about.temperature,
    )
