"""Photographs explained by anybody's trained network: which pixels made it say so."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from scipy.special import softmax

from emorank.errors import ImageError, PlanError, RelevanceError
from emorank.files import replacing
from emorank.framing import CROPS, Picture, View, Views
from emorank.networks.network import Network
from emorank.networks.normalisation import to_batch, to_grey
from emorank.networks.tensors import save_tensors
from emorank.reading.stream import Stream
from emorank.relevance import (
    HEATMAP,
    METHODS,
    Attributor,
    Difference,
    Explainer,
    Logit,
    Preset,
    Probability,
    Relevance,
    explainer,
    flat_parts,
)
from emorank.relevance.methods import check_method
from emorank.relevance.presets import depends_on_ties
from emorank.relevance.targets import Target

BATCH = 4  # VGG-16 keeps some 150 MB of activations for an image of 224 pixels
SIDES = (16, 4096)  # of the input, in pixels
ENDINGS = (".npz", ".safetensors")

Kind = Literal["logit", "difference", "probability", "own"]


@dataclass(frozen=True)
class Explanation:
    """One face of a photograph, or the photograph, and why the network says what it says.

    Attributes:
        face: its number in the photograph, from 1, the nearest first.
        pixels: what the network saw.
        maps: relevance of each pixel and channel for the target, by preset or explainer.
        target: index of the explained class.
        labels: names of the classes, if known.
        kind: what of the class is explained: its logit, the difference of its logit and another
            one, its probability, or what a function of the caller's said.
        against: of a difference, index of the other class; else None.
        at: relevance at the outputs of the layers that were asked for, by preset and layer.
        reads: how the network reads images, in words: size, channels, normalisation.
        flat: the share of the image that is of one colour.
        warning: what that means for the maps, where it is large and a preset needs care; or empty.
    """

    image: Path
    face: int
    pixels: UInt8[np.ndarray, "side side 3"]
    maps: Mapping[str, Float32[np.ndarray, "3 side side"]]
    target: int
    logits: Float32[np.ndarray, " classes"]
    labels: tuple[str, ...] | None = None
    kind: Kind = "logit"
    against: int | None = None
    at: Mapping[str, Mapping[str, Float32[np.ndarray, "..."]]] = field(default_factory=dict)
    reads: str = ""
    flat: float = 0.0
    warning: str = ""

    @property
    def predicted(self) -> int:
        """The class with the greatest logit."""
        return int(self.logits.argmax())

    @property
    def logit(self) -> float:
        """Of the target."""
        return float(self.logits[self.target])

    @property
    def difference(self) -> float | None:
        """Of the logits of the target and of the class it is held against; None without one."""
        return None if self.against is None else self.logit - float(self.logits[self.against])

    @property
    def probability(self) -> float | None:
        """Of the target, by softmax; None where there is no other class to compare with."""
        if len(self.logits) == 1:
            return None
        return float(softmax(self.logits.astype(np.float64))[self.target])


@dataclass(frozen=True)
class _Questions:
    """What is asked of every image. `explain_images` says what the fields are."""

    network: Network
    presets: Mapping[str, str | Preset]
    target: Target
    each: bool
    at: Sequence[str]
    views: Views

    def answer(self, batch: list[View]) -> Iterator[Explanation]:
        device = next(self.network.net.parameters()).device
        if self.network.grey:
            batch = [replace(view, pixels=to_grey(view.pixels)) for view in batch]
        images = to_batch(
            [view.pixels for view in batch], self.network.normalisation, device=device
        )
        if isinstance(self.target, Difference) and self.target.of is None:
            rows = self._comparable(batch, images, self.target.against)
            batch, images = [batch[i] for i in rows], images[rows]
        if not batch:
            return
        # By preset, a record for each class that is explained.
        records = {
            name: one.each(images, at=self.at)
            if self.each
            else (one(images, self.target, at=self.at),)
            for name, one in self._explainers.items()
        }
        for i, view in enumerate(batch):
            for of_class in zip(*records.values(), strict=True):
                yield self._one(view, i, dict(zip(records, of_class, strict=True)))

    @cached_property
    def _explainers(self) -> dict[str, Explainer | Attributor]:
        net = self.network.net
        low, high = self.network.normalisation.bounds()
        return {name: explainer(net, one, low=low, high=high) for name, one in self.presets.items()}

    def _comparable(self, batch: list[View], images: torch.Tensor, against: object) -> list[int]:
        """The images whose predicted class is not the one that it is to be held against."""
        with torch.no_grad():
            predicted = self.network.net(images).argmax(1).tolist()
        rows = []
        for i, (view, index) in enumerate(zip(batch, predicted, strict=True)):
            if index != against:
                rows.append(i)
                continue
            label = "" if self.network.labels is None else f", {self.network.labels[index]}"
            error = ImageError(
                view.image,
                f"predicted is the class that it was to be held against ({index}{label}); "
                "choose another, or the target too",
            )
            if self.views.strict:
                raise error
            self.views.excluded.append(error)
        return rows

    def _one(self, view: View, i: int, records: Mapping[str, Relevance]) -> Explanation:
        """The explanation of the i-th image of a batch."""
        first = next(iter(records.values()))
        logits, target, flat = _array(first.logits[i]), int(first.target[i]), float(first.flat[i])
        care = any(depends_on_ties(one) for one in self.presets.values())
        return Explanation(
            view.image,
            view.number,
            view.pixels,
            {name: _array(one.pixels[i]) for name, one in records.items()},
            target,
            logits,
            self.network.labels,
            _kind(self.target),
            _against(self.target, target, logits),
            {
                name: {layer: _array(values[i]) for layer, values in one.at.items()}
                for name, one in records.items()
            },
            replace(self.network, size=self.views.size).reads,
            flat,
            flat_parts.warning(flat) if care else "",
        )


def explain_images(
    network: Network,
    images: Picture | Iterable[Picture],
    presets: Sequence[str] | Mapping[str, str | Preset] = (HEATMAP,),
    *,
    target: Target = None,
    each: bool = False,
    at: Sequence[str] = (),
    size: int | None = None,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
) -> Stream[Explanation]:
    """Explain what a network says of every photograph, or of every face in it.

    Images are read a few at a time while the result is iterated over, so memory does not grow with
    their number.

    Args:
        network: from `load_network`; its `net` may be moved to another device before.
        images: files, arrays (height, width, 3) of uint8 or framed views; one, or any number.
        presets: names in `emorank.relevance.METHODS` (the presets of LRP, and the explainers beside
            it), each of which gives a map; or presets of your own under names of your own
            (`emorank.relevance.override_preset`).
        target: what is explained: the logit of a class by its index, None for the predicted one of
            each image; `emorank.relevance.Difference(of, against)` for "why this and not that",
            `Probability(of)`; or a function from logits to relevance at the outputs.
        each: every class of each image instead: explanations come one class after another.
        at: names of layers; relevance at their outputs is kept too.
        size: side of the network's input in pixels; None for the network's own.
        crop: "center", the middle of the image as torchvision cuts it; "none", all of it stretched
            to a square; "face", every face in it; None for the network's own.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Returns:
        To be iterated over once: an `Explanation` for each image or face, and with `each` for each
        class of it. Its list `excluded` fills on the way with an ImageError for each image that
        could not be used, or whose predicted class is the one it was to be held against.

    Raises:
        RelevanceError: no such preset or class; or, at the first step, the network cannot be
            explained, or not at this size, or has no layer of a name.
        PlanError: no such crop or size.
        ImageError: an image cannot be used, if `strict`.
    """
    chosen = dict(presets) if isinstance(presets, Mapping) else {name: name for name in presets}
    if not chosen:
        raise RelevanceError(f"expected a preset or several of {', '.join(METHODS)}; got none")
    for one in chosen.values():
        check_method(one)
    _check_target(target, each, network.classes)
    size, crop = network.size if size is None else size, crop or network.crop
    if crop not in CROPS:
        raise PlanError(f"'{crop}' is no way to frame an image; expected {', '.join(CROPS)}")
    if not SIDES[0] <= size <= SIDES[1]:
        raise PlanError(f"expected a size from {SIDES[0]} to {SIDES[1]} pixels, got {size}")
    views = Views(images, size, crop, nearest=nearest, strict=strict)
    questions = _Questions(network, chosen, target, each, tuple(at), views)
    return Stream(views, BATCH, questions.answer)


def flat_warning(pixels: UInt8[np.ndarray, "height width 3"], preset: str | Preset) -> str:
    """What is to be said of the map of a picture that is flat in part; empty where nothing is."""
    if not depends_on_ties(preset):
        return ""
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    return flat_parts.warning(float(flat_parts.flat_share(image)))


def _check_target(target: Target, each: bool, classes: int) -> None:
    """Refuse what would otherwise be told in the middle of a folder."""
    if each and target is not None:
        raise RelevanceError("expected a target, or each=True for every class; got both")
    given: tuple[object, ...]
    match target:
        case Difference(of, against):
            given = (of, against)
            if of is not None and of == against:
                raise RelevanceError(
                    f"expected a difference of two classes, got class {of} against itself"
                )
            if classes == 1:
                raise RelevanceError("the network has one output and nothing to hold it against")
        case Logit(of) | Probability(of):
            given = (of,)
        case _:
            given = () if callable(target) else (target,)
    for one in given:
        if one is not None and not (isinstance(one, int | np.integer) and 0 <= int(one) < classes):
            raise RelevanceError(
                f"expected a class from 0 to {classes - 1}, as the network has them, the same for "
                f"all images; got {one}"
            )


def _kind(target: Target) -> Kind:
    if isinstance(target, Difference):
        return "difference"
    if isinstance(target, Probability):
        return "probability"
    return "own" if callable(target) and not isinstance(target, Logit) else "logit"


def _against(target: Target, chosen: int, logits: Float32[np.ndarray, " classes"]) -> int | None:
    """The other class of a difference, the greatest of the others where none was said."""
    if not isinstance(target, Difference):
        return None
    if isinstance(target.against, int | np.integer):
        return int(target.against)
    return int(np.where(np.arange(len(logits)) == chosen, -np.inf, logits).argmax())


def _array(values: torch.Tensor) -> Float32[np.ndarray, "..."]:
    numbers: np.ndarray[Any, Any] = values.float().cpu().numpy()
    return numbers


def save_relevance(explanations: Sequence[Explanation], path: Path | str) -> None:
    """Write the raw relevance of some explanations of one size as `.npz` or `.safetensors`.

    An array for each preset, float32 (explanations, 3, side, side), as computed; `PRESET@LAYER` for
    each layer in `Explanation.at`; `logits` float32 (explanations, classes), `target` int64,
    `against` int64 where differences are explained, `pixels` uint8 (explanations, side, side, 3),
    `flat` float32, the share of each image that is of one colour. Which image each is of, and what
    is to be said of its map: `image` and `warning`, arrays of text in the `.npz`, JSON lists in the
    metadata of the `.safetensors`. How the network reads images: `reads`, a text, likewise.

    Raises:
        PlanError: another ending, or nothing to write.
        OSError: it cannot be written; an earlier file stays as it was.
    """
    path = Path(path)
    check_ending(path)
    if not explanations:
        raise PlanError(f"{path}: expected at least one explanation to write, got none")
    first = explanations[0]
    arrays = {name: np.stack([one.maps[name] for one in explanations]) for name in first.maps}
    arrays |= {
        f"{name}@{layer}": np.stack([one.at[name][layer] for one in explanations])
        for name, layers in first.at.items()
        for layer in layers
    }
    if first.against is not None:
        arrays["against"] = np.array([one.against for one in explanations], np.int64)
    arrays["logits"] = np.stack([one.logits for one in explanations])
    arrays["target"] = np.array([one.target for one in explanations], np.int64)
    arrays["pixels"] = np.stack([one.pixels for one in explanations])
    arrays["flat"] = np.array([one.flat for one in explanations], np.float32)
    images = [str(one.image) for one in explanations]
    warnings = [one.warning for one in explanations]
    if path.suffix == ".safetensors":
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        lists = {"image": json.dumps(images), "warning": json.dumps(warnings)}
        save_tensors(tensors, path, lists | {"reads": first.reads})
        return
    # Undecodable bytes of a file name are kept as escapes: text in an array must be valid.
    names = [image.encode(errors="backslashreplace").decode() for image in images]
    texts = {"reads": np.array(first.reads), "warning": np.array(warnings)}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, image=np.array(names), **texts, **arrays)  # type: ignore[arg-type]


def check_ending(path: Path) -> None:
    """Raise a PlanError unless a file for raw relevance is `.npz` or `.safetensors`."""
    if path.suffix not in ENDINGS:
        raise PlanError(f"{path}: expected a name ending in {' or '.join(ENDINGS)}")
