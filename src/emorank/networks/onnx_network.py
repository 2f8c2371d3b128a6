"""An ONNX file as a `Network`: how it reads images, by what it says of itself and what is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from emorank.errors import WeightsError
from emorank.networks.normalisation import GREY, IMAGENET, Normalisation
from emorank.networks.onnx_files import read_onnx
from emorank.networks.onnx_files.about import About
from emorank.networks.onnx_files.image_input import labels_in
from emorank.networks.onnx_files.step_net import IMAGES, OnnxNet

_UP_TO_255 = Normalisation((0.0,) * 3, (1 / 255,) * 3)
_UP_TO_1 = Normalisation((0.0,) * 3, (1.0,) * 3)
_AROUND_ZERO = Normalisation((0.5,) * 3, (0.5,) * 3)
# ONNX's own words for the range of pixels (MetadataProps.md of its specification).
_RANGES = {
    "nominalrange_0_255": _UP_TO_255,
    "normalized_0_1": _UP_TO_1,
    "normalized_1_1": _AROUND_ZERO,
}
_SLOPE_OF_255, _SLOPE_OF_1 = 1 / 16, 0.3  # that bring pixels of 0–255, of 0–1, to about one


@dataclass(frozen=True)
class OnnxNetwork:
    """A network from an ONNX file that takes three channels, red first.

    Attributes:
        net: in evaluation mode.
        classes: number of outputs.
        labels: names of the classes, if the file has them.
        size: side of its images.
        normalisation: as was said, or by what the file says, or ImageNet's.
        said: whether one of the first two says it.
        bgr: it was made for blue first.
        single: it was made for one channel.
        notes: what was found, a sentence each.
    """

    net: OnnxNet
    classes: int
    labels: tuple[str, ...] | None
    size: int
    normalisation: Normalisation
    said: bool
    bgr: bool
    single: bool
    notes: tuple[str, ...]


def onnx_network(
    path: Path, *, normalisation: Normalisation | None, bgr: bool, size: int | None
) -> OnnxNetwork:
    """Read a file; the arguments are those of `network.load_network`.

    Raises:
        WeightsError: as `read_onnx`; or its images are not square, or of other channels than one
            or three, or blue cannot be taken first.
    """
    net = read_onnx(path, size=size)
    about = net.about
    height, width = about.size
    if height != width or about.channels not in (1, 3):
        raise WeightsError(
            f"{path}: takes images of {about.channels} channels and {height}×{width} pixels; "
            "expected squares of 1 or 3 channels. From Python any are explained: "
            "emorank.relevance.prepare(emorank.read_onnx(path))"
        )
    single = about.channels == 1
    bgr = bgr or _says(about, "bitmappixelformat").startswith("bgr")
    if single:
        _in_three_channels(net, path)
    elif bgr:
        _turn_round(net, path)
    own, reason = _own_normalisation(about)
    with torch.no_grad():
        classes = net(torch.zeros(1, 3, height, width)).shape[1]
    return OnnxNetwork(
        net,
        classes,
        labels_in(about.metadata, classes),
        height,
        normalisation or own or (GREY if single else IMAGENET),
        normalisation is not None or own is not None,
        bgr,
        single,
        tuple(_notes(about, "" if normalisation else reason)),
    )


def _notes(about: About, reason: str) -> Iterator[str]:
    by = f" by {about.producer}" if about.producer else ""
    yield f"ONNX file{by}, operators of version {about.opset}"
    if about.open:
        yield f"leaves its size open; {about.size[0]} pixels taken (--size)"
    if about.left_out:
        yield (
            f"a {about.left_out.lower()} at its end was left out: the logits before it are "
            "explained (--probability explains softmax of them)"
        )
    if about.converted:
        kinds = ", ".join(about.converted)
        yield f"its weights are {kinds} and are computed with as float32"
    if reason:
        yield reason


def _own_normalisation(about: About) -> tuple[Normalisation | None, str]:
    """How the file wants its pixels, and how that is known."""
    words = _says(about, "nominalpixelrange").replace(" ", "")
    if words in _RANGES:
        return _RANGES[words], f"says that it takes pixels as {words} (--mean, --std)"
    if about.first is None:
        return None, ""
    highest = _range_of(about.first)
    if highest is None:
        return None, ""
    own = _UP_TO_255 if highest == 255 else _UP_TO_1
    return own, (
        f"its first steps scale the pixels themselves: they are given from 0 to {highest} "
        "(--mean 0 --std 1 or 1/255 say otherwise)"
    )


def _range_of(first: tuple[tuple[float, ...], tuple[float, ...]]) -> int | None:
    """Whether a net that begins by x ↦ scale x + shift wants pixels up to 1 or up to 255."""
    scales, shifts = first
    if min(scales) <= 0:
        return None
    means = [-shift / scale for scale, shift in zip(scales, shifts, strict=True)]
    if all(abs(mean) < 1e-6 for mean in means):
        if max(scales) <= _SLOPE_OF_255:
            return 255
        return 1 if min(scales) >= _SLOPE_OF_1 else None
    if all(1.5 < mean < 255 for mean in means):
        return 255
    return 1 if all(0 < mean < 1 for mean in means) else None


def _says(about: About, key: str) -> str:
    for own, text in about.metadata.items():
        if own.lower().rpartition(".")[2] == key:
            return text.strip().lower()
    return ""


def _in_three_channels(net: OnnxNet, path: Path) -> None:
    """Let a net of one channel take three equal ones; its outputs are the same."""
    for layer in _first_layers(net, path, "takes one channel"):
        layer.in_channels = 3
        spread = layer.weight.detach().expand(-1, 3, -1, -1) / 3
        layer.weight = nn.Parameter(spread.contiguous(), requires_grad=False)


def _turn_round(net: OnnxNet, path: Path) -> None:
    """Let a net that was made for blue first take red first; its outputs are the same."""
    for layer in _first_layers(net, path, "takes blue first"):
        layer.weight = nn.Parameter(layer.weight.detach().flip(1).contiguous(), requires_grad=False)
    for name in _constants_of_images(net):
        net.get_buffer(name).copy_(_turned(net.get_buffer(name)))


def _turned(constant: torch.Tensor) -> torch.Tensor:
    if constant.numel() == 3:  # one for each channel, wherever these are
        return constant.flip(tuple(range(constant.ndim)))
    return constant.flip(-3) if constant.ndim >= 3 and constant.shape[-3] == 3 else constant


def _first_layers(net: OnnxNet, path: Path, what: str) -> list[nn.Conv2d]:
    """The convolutions that read the images, which nothing else may read."""
    found, places = [], _places_of_images(net)
    for step in net.steps:
        if not places.intersection(step.values) or _only_scales(step.call):
            continue
        layer = net.get_submodule(step.call) if isinstance(step.call, str) else None
        if isinstance(layer, nn.ZeroPad2d):
            continue
        if not isinstance(layer, nn.Conv2d) or layer.groups != 1:
            raise WeightsError(
                f"{path}: {what}, and something else than a convolution reads it first; from "
                "Python it is explained as it is: "
                "emorank.relevance.prepare(emorank.read_onnx(path))"
            )
        if layer not in found:
            found.append(layer)
    return found


_SCALING = (torch.add, torch.sub, torch.mul, torch.div, torch.permute)


def _only_scales(call: object) -> bool:
    return call in _SCALING


def _places_of_images(net: OnnxNet) -> set[int]:
    """Where the images are, and what only scales, shifts, pads or turns them."""
    places = {IMAGES}
    for place, step in enumerate(net.steps, start=1):
        padding = isinstance(step.call, str) and isinstance(
            net.get_submodule(step.call), nn.ZeroPad2d
        )
        if set(step.values) <= places and (_only_scales(step.call) or padding):
            places.add(place)
    return places


def _constants_of_images(net: OnnxNet) -> list[str]:
    places = _places_of_images(net)
    return [
        name
        for step in net.steps
        if _only_scales(step.call) and set(step.values) <= places
        for name in step.constants
    ]
