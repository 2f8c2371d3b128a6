"""Photographs explained by anybody's trained network: which pixels made it say so."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from emorank.errors import ImageError, PlanError, RelevanceError
from emorank.files import replacing
from emorank.framing import CROPS, View, Views
from emorank.model.features import to_batch
from emorank.model.network import Network
from emorank.model.tensors import save_tensors
from emorank.model.vgg16 import bounds
from emorank.relevance import DEFAULT, PRESETS, Explainer, prepare, preset

BATCH = 4  # VGG-16 keeps some 150 MB of activations for an image of 224 pixels
SIDES = (16, 4096)  # of the input, in pixels
ENDINGS = (".npz", ".safetensors")


@dataclass(frozen=True)
class Explanation:
    """One face of a photograph, or the photograph, and why the network says what it says.

    Attributes:
        image: the file.
        face: its number in the photograph, from 1, the nearest first.
        pixels: what the network saw.
        maps: relevance of each pixel and channel for the target, by preset, as computed.
        target: index of the explained class.
        logits: of every class, before any softmax.
        labels: names of the classes; None where nobody said.
    """

    image: Path
    face: int
    pixels: UInt8[np.ndarray, "side side 3"]
    maps: Mapping[str, Float32[np.ndarray, "3 side side"]]
    target: int
    logits: Float32[np.ndarray, " classes"]
    labels: tuple[str, ...] | None = None

    @property
    def predicted(self) -> int:
        """The class with the greatest logit."""
        return int(self.logits.argmax())

    @property
    def logit(self) -> float:
        """Of the target."""
        return float(self.logits[self.target])

    @property
    def probability(self) -> float | None:
        """Of the target, by softmax; None where there is no other class to compare with."""
        if len(self.logits) == 1:
            return None
        powers = np.exp(self.logits.astype(np.float64) - self.logits.max())
        return float(powers[self.target] / powers.sum())


@dataclass
class Explanations:
    """A network at work on image files: iterate over it once; `excluded` fills on the way.

    Made by `explain_images`, which says what the fields are.
    """

    network: Network
    paths: Iterable[Path | str]
    presets: Sequence[str]
    target: int | None
    size: int
    crop: str
    nearest: bool
    strict: bool
    excluded: list[ImageError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Explanation]:
        low, high = bounds()
        net = self.network.net
        explainers = {name: prepare(net, name, low=low, high=high) for name in self.presets}
        views = Views(
            map(Path, self.paths), self.size, self.crop, self.excluded, self.nearest, self.strict
        )
        for batch in views.batches(BATCH):
            yield from self._explain(batch, explainers)

    def _explain(
        self, batch: list[View], explainers: Mapping[str, Explainer]
    ) -> Iterator[Explanation]:
        device = next(self.network.net.parameters()).device
        images = to_batch([view.pixels for view in batch]).to(device)
        found = {name: explainer(images, self.target) for name, explainer in explainers.items()}
        first = next(iter(found.values()))
        maps = {name: one.pixels.float().cpu().numpy() for name, one in found.items()}
        logits, targets = first.logits.float().cpu().numpy(), first.target.tolist()
        for i, view in enumerate(batch):
            yield Explanation(
                view.image,
                view.number,
                view.pixels,
                {name: stack[i] for name, stack in maps.items()},
                targets[i],
                logits[i],
                self.network.labels,
            )


def explain_images(
    network: Network,
    images: Iterable[Path | str],
    presets: Sequence[str] = (DEFAULT,),
    target: int | None = None,
    *,
    size: int | None = None,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
) -> Explanations:
    """Explain what a network says of every photograph, or of every face in it.

    Images are read a few at a time while the result is iterated over, so memory does not grow with
    their number.

    Args:
        network: from `load_network`; its `net` may be moved to another device before.
        images: files.
        presets: names in `emorank.relevance.PRESETS`, each of which gives a map.
        target: index of the class to explain; None for the predicted one of each image.
        size: side of the network's input in pixels; None for the network's own.
        crop: "center", the middle of the image as torchvision cuts it; "none", all of it stretched
            to a square; "face", every face in it; None for the network's own.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Returns:
        To be iterated over once: an `Explanation` for each image or face. Its list `excluded`
        fills on the way with an ImageError for each image that could not be used.

    Raises:
        RelevanceError: no such preset or class; or, at the first step, the network cannot be
            explained, or not at this size.
        PlanError: no such crop or size.
        ImageError: an image cannot be used, if `strict`.
    """
    for name in presets:
        preset(name)
    if not presets:
        raise RelevanceError(f"expected a preset or several of {', '.join(PRESETS)}; got none")
    if target is not None and not 0 <= target < network.classes:
        raise RelevanceError(
            f"expected a class from 0 to {network.classes - 1}, as the network has them; "
            f"got {target}"
        )
    size, crop = size or network.size, crop or network.crop
    if crop not in CROPS:
        raise PlanError(f"'{crop}' is no way to frame an image; expected {', '.join(CROPS)}")
    if not SIDES[0] <= size <= SIDES[1]:
        raise PlanError(f"expected a size from {SIDES[0]} to {SIDES[1]} pixels, got {size}")
    # Each preset once, in the order given.
    names = tuple(dict.fromkeys(presets))
    return Explanations(network, images, names, target, size, crop, nearest, strict)


def save_relevance(explanations: Sequence[Explanation], path: Path | str) -> None:
    """Write the raw relevance of some explanations of one size as `.npz` or `.safetensors`.

    An array for each preset, float32 (explanations, 3, side, side), as computed; `logits` float32
    (explanations, classes), `target` int64, `pixels` uint8 (explanations, side, side, 3). Which
    image each is of: `image`, an array of text in the `.npz`, a JSON list in the metadata of the
    `.safetensors`.

    Raises:
        PlanError: another ending, or nothing to write.
        OSError: it cannot be written; an earlier file stays as it was.
    """
    path = Path(path)
    check_ending(path)
    if not explanations:
        raise PlanError(f"{path}: expected at least one explanation to write, got none")
    arrays = {
        name: np.stack([one.maps[name] for one in explanations]) for name in explanations[0].maps
    }
    arrays |= {
        "logits": np.stack([one.logits for one in explanations]),
        "target": np.array([one.target for one in explanations], np.int64),
        "pixels": np.stack([one.pixels for one in explanations]),
    }
    images = [str(one.image) for one in explanations]
    if path.suffix == ".safetensors":
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        save_tensors(tensors, path, {"image": json.dumps(images)})
        return
    # Undecodable bytes of a file name are kept as escapes: text in an array must be valid.
    names = [image.encode(errors="backslashreplace").decode() for image in images]
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, image=np.array(names), **arrays)  # type: ignore[arg-type]


def check_ending(path: Path) -> None:
    """Refuse a file for raw relevance that is neither `.npz` nor `.safetensors`.

    Raises:
        PlanError: it is another.
    """
    if path.suffix not in ENDINGS:
        raise PlanError(f"{path}: expected a name ending in {' or '.join(ENDINGS)}")
