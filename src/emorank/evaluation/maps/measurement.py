"""All measurements of one method of explaining on some faces; networks are plain functions."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.localisation import REGIONS, Mask, features, mass, rank_accuracy
from emorank.evaluation.maps.map_scores import curve_rows, rows
from emorank.evaluation.maps.region_perturbation import Ends, Images, Maps, Score, curves, ends
from emorank.evaluation.maps.sensitivity import max_sensitivity, shift_sensitivity
from emorank.evaluation.maps.similarity import spearman, ssim
from emorank.evaluation.statistics.ratio import ratio

Explain = Callable[[Images, Int[np.ndarray, " batch"]], Maps]
"""From images and the class to explain of each to maps, channels summed."""

Tell = Callable[[int, str], None]


@dataclass(frozen=True)
class ExplainedFaces:
    """The faces that are explained, and the scores of the network that is explained.

    Attributes:
        names: of the images.
        images: as the network sees them.
        target: the class of each that is explained.
        logits: of images, in single precision.
        score: logits for the curves, where half precision is precise enough.
        masks: the facial regions of each image; None if no face was found in it.
        checks: number of faces, the first ones, for the slow checks.
        seed: of everything drawn.
    """

    names: Sequence[str]
    images: Images
    target: Int[np.ndarray, " batch"]
    classes: int
    logits: Score
    score: Score
    masks: Sequence[dict[str, Mask] | None]
    checks: int
    seed: int
    _ends: dict[str, Ends] = field(default_factory=dict, init=False, repr=False)

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of the facial regions; none if no face was found in any image."""
        return REGIONS if any(self.masks) else ()

    @cached_property
    def target_logits(self) -> Float[np.ndarray, " batch"]:
        """The logit of the explained class of each face."""
        logits = self.logits(self.images)
        return np.array(logits[np.arange(len(logits)), self.target], np.float64)

    def ends(self, fill: str) -> Ends:
        """Where the curves of these faces begin and end; the same for every method."""
        if fill not in self._ends:
            self._ends[fill] = ends(self.score, self.images, fill, self.rng("ends"))
        return self._ends[fill]

    @cached_property
    def pass_seconds(self) -> float:
        """Seconds of a forward pass per face; one pass before it is not timed."""
        self.logits(self.images[:1])
        start = time.perf_counter()
        self.logits(self.images)
        return (time.perf_counter() - start) / len(self.images)

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator for one purpose, the same in every run."""
        return np.random.default_rng([self.seed, *purpose.encode()])


@dataclass(frozen=True)
class Renewed:
    """The method applied to the network with new weights in some layers.

    Attributes:
        how: "cascading" (new weights from the output down to these layers) or "independent" (new
            weights in these layers alone).
        explain: maps of that network.
    """

    how: str
    layers: str
    explain: Explain


def steps(fills: Sequence[str], renewed: int, checks: int) -> int:
    """The number of steps in which a method is measured, with `renewed` networks of new weights."""
    return 1 + len(fills) + (renewed + 2 if checks else 0)


def measure(
    faces: ExplainedFaces,
    method: str,
    explain: Explain,
    renewed: Iterable[Renewed],
    fills: Sequence[str],
    tell: Tell,
) -> tuple[pd.DataFrame, float]:
    """Measure a method of explaining, or one of `BLIND`.

    The networks with new weights are used only if faces are checked. `fills` are names of
    `region_perturbation.FILLS`. `tell` is called with the number and the name of each step.

    Returns:
        Rows as in `map_scores.COLUMNS`; the time of the method for a face, in forward passes.
    """
    tell(0, "relevance")
    one_pass = faces.pass_seconds
    start = time.perf_counter()
    maps = explain(faces.images, faces.target)
    passes = (time.perf_counter() - start) / len(maps) / one_pass
    tables = [*_sums(faces, method, maps), *_places(faces, method, maps)]
    for number, fill in enumerate(fills, start=1):
        tell(number, f"regions taken away, {fill}")
        path = curves(
            faces.score, faces.images, maps, faces.target, fill, faces.ends(fill), faces.rng("ties")
        )
        tables += curve_rows(method, faces.names, fill, path)
    if faces.checks:
        tables += _checks(
            faces, method, explain, renewed, maps, lambda k, note: tell(k + len(fills), note)
        )
    return pd.concat(tables, ignore_index=True), passes


def _sums(faces: ExplainedFaces, method: str, maps: Maps) -> Iterator[pd.DataFrame]:
    """The distance of a map's sum from the logit that it explains; blind maps explain no logit."""
    if method in BLIND:
        return
    logits, sums = faces.target_logits, maps.sum(axis=(1, 2))
    yield rows(method, faces.names, "gap", np.abs(ratio(logits - sums, logits)))


def _places(faces: ExplainedFaces, method: str, maps: Maps) -> Iterator[pd.DataFrame]:
    """Where on the face the relevance lies; NaN if no face was found."""
    if not faces.regions:
        return
    pairs = list(zip(maps, faces.masks, strict=True))
    nowhere = dict.fromkeys(faces.regions, float("nan"))
    shares = [mass(one, masks) if masks else nowhere for one, masks in pairs]
    for region in faces.regions:
        yield rows(method, faces.names, "mass", [share[region] for share in shares], region)
    accuracy = [
        rank_accuracy(one, features(masks)) if masks else float("nan") for one, masks in pairs
    ]
    yield rows(method, faces.names, "rank accuracy", accuracy)


def _checks(
    faces: ExplainedFaces,
    method: str,
    explain: Explain,
    renewed: Iterable[Renewed],
    maps: Maps,
    tell: Tell,
) -> Iterator[pd.DataFrame]:
    """How maps change with noise, a shift, another class and new weights."""
    few = slice(faces.checks)
    images, target, maps = faces.images[few], faces.target[few], maps[few]
    names = faces.names[few]
    tell(1, "noise")

    def same_class(changed: Images) -> Maps:
        return explain(changed, target)

    worst = max_sensitivity(same_class, images, maps, faces.rng("noise"))
    yield rows(method, names, "noise", worst)
    yield rows(method, names, "shift", shift_sensitivity(same_class, images, maps))
    tell(2, "another class")
    if faces.classes > 1:
        step = faces.rng("class").integers(1, faces.classes, len(target))
        other = (target + step) % faces.classes
        yield rows(method, names, "spearman other class", spearman(maps, explain(images, other)))
    for number, one in enumerate(renewed, start=3):
        tell(number, f"new weights, {one.how}, {one.layers}")
        changed = one.explain(images, target)
        yield rows(method, names, f"spearman {one.how}", spearman(maps, changed), one.layers)
        yield rows(method, names, f"ssim {one.how}", ssim(maps, changed), one.layers)
