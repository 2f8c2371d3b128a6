"""A study's network, some faces that it names rightly, and what explanations of them are worth."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import nn

from emorank import faces as detector
from emorank.errors import StudyError
from emorank.evaluation.maps.blind import BLIND, blind_map
from emorank.evaluation.maps.localisation import (
    REGIONS,
    Mask,
    face_masks,
    features,
    mass,
    rank_accuracy,
)
from emorank.evaluation.maps.map_scores import Settings, curve_rows, rows
from emorank.evaluation.maps.region_perturbation import Ends, Images, Maps, curves, ends
from emorank.evaluation.maps.sensitivity import max_sensitivity, shift_sensitivity
from emorank.evaluation.maps.similarity import spearman, ssim
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.networks.vgg16 import bounds
from emorank.relevance.methods import explainer
from emorank.relevance.random_weights import LayerGroup, layer_groups, randomise
from emorank.study.folder import Study
from emorank.study.framing import Framed, framing, open_dataset

BATCH = 8  # images in one pass forward

Told = Callable[[int, str], None]
Explain = Callable[[Images, np.ndarray], Maps]


def choose(study: Study, count: int, seed: int) -> pd.DataFrame:
    """Some faces of the test part that are named rightly, spread over persons, then emotions.

    Returns:
        `image`, `person`, `emotion`, `landmarks` where the study has them; as many as asked for, or
        as there are.

    Raises:
        StudyError: there are no predictions, or no right one.
    """
    found = study.table("predictions")
    table = found[found["emotion"] == found["predicted"]][["image", "emotion"]]
    table = table.merge(study.table("faces").drop(columns="emotion"), on="image")
    if table.empty:
        raise StudyError(
            f"{study.folder}: no face of the test part is named rightly, and explanations of "
            "mistakes would be measured; train longer, or on more faces"
        )
    table = table.sample(frac=1, random_state=np.random.default_rng(seed))
    table["person"] = table["person"].fillna(table["image"])
    for keys in (["person", "emotion"], ["person"]):
        turn = table.groupby(keys).cumcount()
        table = table.loc[turn.sort_values(kind="stable").index]
    columns = [name for name in ("image", "person", "emotion", "landmarks") if name in table]
    return table[columns].head(count).reset_index(drop=True)


class Subject:
    """The network of a study and the faces that explanations are measured on.

    Args:
        study: with a model.
        faces: from `choose`.
        settings: of the checks, and of everything drawn.
    """

    def __init__(self, study: Study, faces: pd.DataFrame, settings: Settings) -> None:
        model = checkpoint.load(study.path("model.safetensors"))
        self.device = study.plan.model.device
        self.net, self.classes = model.net.to(self.device), model.classes
        self.faces, self.seed, self.half = faces, settings.seed, settings.half
        self.checks = min(settings.checks, len(faces))
        framed = Framed(study, faces)
        self.images: Images = np.stack([framed(row) for row in range(len(faces))])
        self.target = np.array([self.classes.index(word) for word in faces["emotion"]])
        self.stages = layer_groups(self.net)
        aligned = framing(study, open_dataset(study)) == "face"
        self.masks = [_masks(image, aligned) for image in self.images]
        self.regions = REGIONS if any(self.masks) else ()

    def score(self, images: Images) -> Float[np.ndarray, "batch classes"]:
        """Logits of images, in half precision if asked for."""
        kind = torch.device(self.device).type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=self.half):
            return self._logits(images)

    def _logits(self, images: Images) -> Float[np.ndarray, "batch classes"]:
        batches = [list(images[k : k + BATCH]) for k in range(0, len(images), BATCH)]
        found = [self.net(to_batch(batch).to(self.device)).float().cpu() for batch in batches]
        return torch.cat(found).numpy()

    @cached_property
    def logits(self) -> Float[np.ndarray, " batch"]:
        """Of the explained class of each face."""
        with torch.inference_mode():
            found = self._logits(self.images)
        return np.array(found[np.arange(len(found)), self.target], np.float64)

    def ends(self, fill: str) -> Ends:
        """Where the curves of these faces begin and end, the same for every method."""
        if fill not in self._ends:
            self._ends[fill] = ends(self.score, self.images, fill, self.rng("ends"))
        return self._ends[fill]

    @cached_property
    def _ends(self) -> dict[str, Ends]:
        return {}

    @cached_property
    def pass_seconds(self) -> float:
        """What a face takes in a forward pass, the first one left out."""
        with torch.inference_mode():
            self._logits(self.images[:1])
            start = time.perf_counter()
            self._logits(self.images)
        return (time.perf_counter() - start) / len(self.images)

    @cached_property
    def randomised(self) -> dict[tuple[str, str], nn.Module]:
        """The network with new weights: from the output down to a stage, or in a stage alone."""
        found: dict[tuple[str, str], nn.Module] = {}
        above: nn.Module = self.net
        for k, stage in enumerate(self.stages):
            above = self._with_new_weights(above, stage, k)
            found["cascading", stage.name] = above
            if k:  # the first alone is the first of the cascade
                found["independent", stage.name] = self._with_new_weights(self.net, stage, k)
        return found

    def _with_new_weights(self, net: nn.Module, stage: LayerGroup, k: int) -> nn.Module:
        generator = torch.Generator().manual_seed(self.seed + k)
        return randomise(net, stage.layers, generator)

    def explain(self, net: nn.Module, method: str) -> Explain:
        """A method at work on a network: maps of images and classes, channels summed."""
        if method in BLIND:
            return lambda images, target: blind_map(method, images, self.blind)
        low, high = bounds()
        ready = explainer(net, method, low=low, high=high)

        def maps(images: Images, target: np.ndarray) -> Maps:
            found = []
            for k in range(0, len(images), BATCH):
                batch = to_batch(list(images[k : k + BATCH])).to(self.device)
                record = ready(batch, target[k : k + BATCH].tolist())
                found.append(record.pixels.sum(1).double().cpu().numpy())
            return np.concatenate(found)

        return maps

    @cached_property
    def blind(self) -> np.random.Generator:
        """What random maps are drawn by: another one each time."""
        return self.rng("blind")

    def rng(self, what: str) -> np.random.Generator:
        """A generator for one purpose, the same in every run."""
        return np.random.default_rng([self.seed, *what.encode()])


def parts(fills: Sequence[str], subject: Subject) -> int:
    """In how many parts a method is measured."""
    nets = 2 * len(subject.stages) - 1
    return 1 + len(fills) + (nets + 3 if subject.checks else 0)


def measured(
    subject: Subject, method: str, fills: Sequence[str], told: Told
) -> tuple[pd.DataFrame, float]:
    """Everything that is measured of a method, as rows; and its cost in forward passes."""
    told(0, "relevance")
    one_pass = subject.pass_seconds
    explain = subject.explain(subject.net, method)
    start = time.perf_counter()
    maps = explain(subject.images, subject.target)
    passes = (time.perf_counter() - start) / len(maps) / one_pass
    found = [*_sums(subject, method, maps), *_places(subject, method, maps)]
    for number, fill in enumerate(fills, start=1):
        told(number, f"regions taken away, {fill}")
        rng = subject.rng("ties")
        way = curves(
            subject.score, subject.images, maps, subject.target, fill, subject.ends(fill), rng
        )
        found += curve_rows(method, subject.faces["image"].to_list(), fill, way)
    if subject.checks:
        found += _checks(subject, method, explain, maps, lambda k, note: told(k + len(fills), note))
    return pd.concat(found, ignore_index=True), passes


def _sums(subject: Subject, method: str, maps: Maps) -> Iterator[pd.DataFrame]:
    """Whether maps sum to what they explain."""
    if method in BLIND:
        return
    logits = subject.logits
    sums = maps.sum(axis=(1, 2))
    gap = np.abs(
        np.divide(logits - sums, logits, out=np.full(len(sums), np.nan), where=logits != 0)
    )
    yield rows(method, subject.faces["image"].to_list(), "gap", gap)


def _places(subject: Subject, method: str, maps: Maps) -> Iterator[pd.DataFrame]:
    """Where on the face the relevance is; undefined where no face was found."""
    names = subject.faces["image"].to_list()
    nowhere = dict.fromkeys(subject.regions, float("nan"))
    found = [
        mass(one, masks) if masks else nowhere
        for one, masks in zip(maps, subject.masks, strict=True)
    ]
    for region in subject.regions:
        yield rows(method, names, "mass", [one[region] for one in found], region)
    if subject.regions:
        ranked = [
            rank_accuracy(one, features(masks)) if masks else float("nan")
            for one, masks in zip(maps, subject.masks, strict=True)
        ]
        yield rows(method, names, "rank accuracy", ranked)


def _checks(
    subject: Subject, method: str, explain: Explain, maps: Maps, told: Told
) -> Iterator[pd.DataFrame]:
    """What must change the map, and what must not."""
    few = slice(subject.checks)
    images, target, maps = subject.images[few], subject.target[few], maps[few]
    names = subject.faces["image"].to_list()[few]
    told(1, "noise")

    def same_class(changed: Images) -> Maps:
        return explain(changed, target)

    worst = max_sensitivity(same_class, images, maps, subject.rng("noise"))
    yield rows(method, names, "noise", worst)
    yield rows(method, names, "shift", shift_sensitivity(same_class, images, maps))
    told(2, "another class")
    count = len(subject.classes)
    if count > 1:
        other = (target + subject.rng("class").integers(1, count, len(target))) % count
        yield rows(method, names, "spearman other class", spearman(maps, explain(images, other)))
    for number, ((how, stage), net) in enumerate(subject.randomised.items(), start=3):
        told(number, f"new weights, {how}, {stage}")
        found = subject.explain(net, method)(images, target)
        yield rows(method, names, f"spearman {how}", spearman(maps, found), stage)
        yield rows(method, names, f"ssim {how}", ssim(maps, found), stage)


def _masks(image: np.ndarray, aligned: bool) -> dict[str, Mask] | None:
    """The facial regions of a framed face; None where no face is found in it."""
    side = len(image)
    if aligned:
        return face_masks(detector.TEMPLATE * side, side)
    found = detector.find(image)
    return face_masks(found[0].landmarks, side) if found else None
