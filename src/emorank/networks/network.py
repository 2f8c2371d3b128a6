"""Anybody's trained network from a file, with what the file says about its use."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from emorank.errors import WeightsError
from emorank.networks.architectures import are_known, identify
from emorank.networks.checkpoint import Header, header, load
from emorank.networks.devices import device_of
from emorank.networks.file_kinds import ONNX, kind_of, shortened
from emorank.networks.normalisation import GREY, IMAGENET, Normalisation
from emorank.networks.onnx_network import onnx_network
from emorank.networks.resnet import has_bottlenecks, stride_first
from emorank.networks.state_file import read_state, without_prefix

_LOG = logging.getLogger(__name__)

StrideIn = Literal["1x1", "3x3"]

_LABELS = 10_000_000  # bytes
_EXACT = {"float32", "int64"}  # of weights, and of the counters of batch norm


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode, to be given normalised images.

    Attributes:
        net: with torchvision's names of layers; of an ONNX file with those that it keeps.
        architecture: its name in torchvision, for instance "resnet18"; or "ONNX network".
        classes: number of outputs.
        labels: what the outputs stand for, in their order; None where nobody said.
        size: side of the input in pixels, as in training; torchvision's 224 where the file says
            nothing.
        crop: framing in training, "none" or "face"; "center", torchvision's, where it does not.
        normalisation: of its input, red first; ImageNet's where nobody said.
        bgr: it was trained on images whose first channel is blue. `net` takes red first all the
            same: the weights of its first convolution were turned round.
        stride_in: of a ResNet with bottlenecks, the convolution that has their stride: "3x3" (v1.5,
            torchvision's) or "1x1" (v1, the article's); else None.
        grey: it was trained on grey images, so that images have to be made grey. `net` takes three
            channels all the same, which are equal.
        notes: what was chosen or assumed when its file was read, a sentence each.
    """

    net: nn.Module
    architecture: str
    classes: int
    labels: tuple[str, ...] | None = None
    size: int = 224
    crop: str = "center"
    normalisation: Normalisation = IMAGENET
    bgr: bool = False
    stride_in: str | None = None
    grey: bool = False
    notes: tuple[str, ...] = ()

    @property
    def reads(self) -> str:
        """How it reads images, in words."""
        order = "grey" if self.grey else "BGR" if self.bgr else "RGB"
        stride = f", strides in the {self.stride_in} convolutions" if self.stride_in else ""
        return f"{self.size} pixels, {order}, {self.normalisation.words()}{stride}"

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
            PlanError: there is no such device here.
        """
        return replace(self, net=self.net.to(device_of(device)))


def load_network(
    path: Path | str,
    labels: Path | str | None = None,
    *,
    normalisation: Normalisation | None = None,
    bgr: bool = False,
    stride_in: StrideIn | None = None,
    grey: bool = False,
    size: int | None = None,
) -> Network:
    """Read a checkpoint of a network in `ARCHITECTURES`, or any network from an ONNX file.

    Nothing in the file is executed. Weights alone do not say how a network reads images. What is
    not said is assumed to be as torchvision has it, and the notes of the network say so.

    Args:
        path: safetensors or PyTorch (`.pth`, `.pt`) with torchvision's keys, or the
            `model.safetensors` of a study, which brings its classes, size, framing and
            normalisation; or ONNX (`.onnx`), for which `emorank[onnx]` is needed.
        labels: a text file with the name of each class, one a line.
        normalisation: of the images in training, red first; see `normalisation.normalisation`.
        bgr: the first channel in training was blue, as OpenCV and Caffe read images.
        stride_in: of a ResNet with bottlenecks, the convolution that has their stride: "3x3" (v1.5,
            torchvision's) or "1x1" (v1, the article's, Caffe's and Keras's).
        grey: it was trained on grey images. A first convolution of one channel says so itself.
        size: side of its images, for a file that does not say it: 224 by default.

    Raises:
        WeightsError: missing, damaged, or of another network; the labels are not as many; or the
            network has no bottlenecks, or says itself how it reads images.
    """
    path = Path(path)
    if kind_of(path) == ONNX:
        _LOG.info("%s is read as an ONNX file", path)
        if stride_in is not None:
            raise WeightsError(
                f"{path}: an ONNX file says where its strides are; leave stride-in out"
            )
        return _of_onnx(path, labels, normalisation, bgr=bgr, grey=grey, size=size)
    found = read_state(path)
    about = header(path)
    if about is not None:
        _LOG.info("%s is read as the network of a study", path)
        if normalisation or bgr or stride_in or grey:
            raise WeightsError(
                f"{path}: a model of a study says itself how it reads images; leave out mean, "
                "deviation, bgr, stride-in and gray"
            )
        return _of_study(path, about, labels, size)
    bare, prefix = without_prefix(found.tensors, are_known)
    state, single = _three_channels(bare)
    if bgr and (grey or single):
        raise WeightsError(f"{path}: grey images have no order of channels; leave out bgr")
    if single and normalisation is not None:
        _check_single(path, normalisation)
    try:
        name, net = identify(state)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    classes = len(list(net.parameters())[-1])  # the bias of the last layer
    _LOG.info("%s is read as %s with %d classes, by its weights", path, name, classes)
    words = None if labels is None else _labels(Path(labels), classes)
    if bgr:
        _turn_round(net)
    strides = _strides(path, net, name, stride_in)
    return Network(
        *(net, name, classes, words),
        size=size or Network.size,
        normalisation=normalisation or (GREY if single else IMAGENET),
        bgr=bgr,
        stride_in=strides,
        grey=grey or single,
        notes=(
            *found.notes,
            *_changes(state, prefix),
            *_of_colour(normalisation, bgr=bgr, grey=grey, single=single),
            *_of_strides(strides if stride_in is None else None),
        ),
    )


_FIRST = ("features.0.weight", "conv1.weight")  # of VGG and AlexNet, of ResNet


def _three_channels(state: Mapping[str, Tensor]) -> tuple[Mapping[str, Tensor], bool]:
    """Weights whose first convolution takes one channel, for three equal ones; and if they were."""
    for name in _FIRST:
        weight = state.get(name)
        if weight is not None and weight.ndim == 4 and weight.shape[1] == 1:
            return {**state, name: weight.expand(-1, 3, -1, -1) / 3}, True
    return state, False


def _check_single(path: Path, normalisation: Normalisation) -> None:
    if len({*normalisation.mean}) > 1 or len({*normalisation.deviation}) > 1:
        raise WeightsError(
            f"{path}: takes one channel; give one number as its mean and one as its deviation, got "
            f"{normalisation.words()}"
        )


def _turn_round(net: nn.Module) -> None:
    """Let a network that was trained with blue first take red first; its outputs are the same."""
    first = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
    turned = first.weight.detach().flip(1).contiguous(memory_format=torch.channels_last)
    first.weight = nn.Parameter(turned, requires_grad=False)


def _strides(path: Path, net: nn.Module, name: str, stride_in: str | None) -> str | None:
    """Which convolution of the bottlenecks has their stride; None without bottlenecks."""
    if not has_bottlenecks(net):
        if stride_in is not None:
            raise WeightsError(
                f"{path}: stride-in is for a ResNet with bottlenecks, and this is {name}; leave it "
                "out"
            )
        return None
    if stride_in == "1x1":
        stride_first(net)
    return stride_in or "3x3"


def _changes(state: Mapping[str, Tensor], prefix: str) -> Iterator[str]:
    """What was changed in the weights of a file."""
    if prefix:
        yield f"the prefix '{shortened(prefix, 60)}' of its names was taken off"
    kinds = sorted({str(t.dtype).removeprefix("torch.") for t in state.values()} - _EXACT)
    if kinds:
        yield f"its weights are {', '.join(kinds)} and are computed with as float32"


def _of_colour(
    normalisation: Normalisation | None, *, bgr: bool, grey: bool, single: bool
) -> Iterator[str]:
    """What of its images nobody said and the weights cannot say, and the options that say it."""
    if single:
        yield "takes one channel: images are made grey"
        if normalisation is None:
            yield f"{GREY.words()} of that channel assumed, ImageNet's (--mean, --std)"
        return
    coloured = bgr or grey
    if normalisation is None and not coloured:
        yield (
            "mean and deviation of ImageNet, and red as the first channel, assumed "
            "(--mean, --std, --bgr, --gray)"
        )
    elif normalisation is None:
        yield "mean and deviation of ImageNet assumed (--mean, --std)"
    elif not coloured:
        yield "red as the first channel assumed (--bgr, --gray)"


def _of_strides(strides: str | None) -> Iterator[str]:
    if strides is not None:
        yield f"strides in the {strides} convolutions assumed, as in torchvision's (--stride-in)"


def _of_onnx(
    path: Path, labels: Path | str | None, own: Normalisation | None, *,
    bgr: bool, grey: bool, size: int | None,
) -> Network:  # fmt: skip
    if bgr and grey:
        raise WeightsError(f"{path}: grey images have no order of channels; leave out bgr")
    found = onnx_network(path, normalisation=own, bgr=bgr, size=size)
    if found.single and found.bgr:
        raise WeightsError(f"{path}: grey images have no order of channels; leave out bgr")
    if found.single and own is not None:
        _check_single(path, own)
    given = found.normalisation if found.said else None
    return Network(
        *(found.net, "ONNX network", found.classes),
        found.labels if labels is None else _labels(Path(labels), found.classes),
        size=found.size,
        normalisation=found.normalisation,
        bgr=found.bgr,
        grey=grey or found.single,
        notes=(
            *found.notes,
            *_of_colour(given, bgr=found.bgr, grey=grey, single=found.single),
        ),
    )


def _of_study(path: Path, about: Header, labels: Path | str | None, size: int | None) -> Network:
    model = load(path, tuple(about.steps))
    words = about.labels if labels is None else _labels(Path(labels), len(about.labels))
    return Network(
        model.net.requires_grad_(False),
        about.backbone,
        len(about.labels),
        words,
        size or model.size,
        model.crop,
        model.normalisation,
    )


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
