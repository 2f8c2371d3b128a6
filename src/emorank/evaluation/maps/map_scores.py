"""Are the explanations faithful? Measurements of each face and explainer, and their means.

A long table holds everything that was measured: a row per method, face and measure. The summary is
a mean over the faces with an interval over their persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.maps.region_perturbation import Curves
from emorank.evaluation.statistics.uncertainty import RESAMPLES, Estimate, bootstrap, clusters

COLUMNS = ("method", "image", "measure", "of", "at", "value")
# What each measure is, which way is better, and what a map that says nothing has.
MEASURES: dict[str, tuple[str, str, str]] = {
    "between": ("least less most relevant first, mean logit", "more", "0"),
    "aopc": ("fall of the logit, most relevant first", "more", "as random"),
    "deletion": ("area under the probability, most relevant first", "less", "as random"),
    "insertion": ("area under the probability, most relevant back first", "more", "as random"),
    "mass": ("share of the positive relevance in a region", "", "the region's area"),
    "rank accuracy": ("most relevant pixels on brows, eyes, nose, mouth", "", "their area"),
    "gap": ("logit less sum of the map, as a share of the logit", "less", ""),
    "noise": ("relative change of the map under ±5 grey levels", "less", ""),
    "shift": ("relative change of the map under a shift of 1 px", "less", ""),
    "spearman cascading": ("likeness after new weights from the output down", "less", "0"),
    "ssim cascading": ("structural likeness, likewise", "less", "0"),
    "spearman independent": ("likeness after new weights in these layers", "less", "0"),
    "ssim independent": ("structural likeness, likewise", "less", "0"),
    "spearman other class": ("likeness to the map of another class", "less", ""),
}


@dataclass(frozen=True)
class MapScore:
    """One measure of one method over the faces.

    Attributes:
        method: of explaining, or a blind map.
        measure: one of `MEASURES`, or a point of a curve ("logit most", "logit least").
        of: the fill, region or layers; empty where there is none.
        at: of a curve, the fraction gone; else 0.
        faces: that have a value.
        estimate: the mean over them.
    """

    method: str
    measure: str
    of: str
    at: float
    faces: int
    estimate: Estimate


@dataclass(frozen=True)
class Settings:
    """What is measured, and on how many faces.

    Attributes:
        faces: of the test part, rightly named, spread over persons and emotions.
        checks: how many of them the dearer checks see: new weights, another class, noise, shifts.
        fills: what is put in the place of a region, of `region_perturbation.FILLS`.
        seed: of the choice of faces and of everything drawn.
        half: images without their regions go through the network in bfloat16, which newer
            processors do several times as fast; logits are off by about a hundredth.
    """

    faces: int = 12
    checks: int = 2
    fills: tuple[str, ...] = ("mean", "blur")
    seed: int = 0
    half: bool = False


def rows(
    method: str,
    images: Sequence[str],
    measure: str,
    values: Sequence[float] | np.ndarray,
    of: str = "",
    at: float = 0.0,
) -> pd.DataFrame:
    """One value of each face as rows of the long table."""
    table = pd.DataFrame({"image": list(images), "value": np.asarray(values, np.float64)})
    return table.assign(method=method, measure=measure, of=of, at=at)[list(COLUMNS)]


def curve_rows(
    method: str, images: Sequence[str], fill: str, curves: Curves
) -> Iterator[pd.DataFrame]:
    """The curves of a method and the areas between and under them, as rows."""
    for measure, values in (
        ("between", curves.between()),
        ("aopc", curves.aopc()),
        ("deletion", curves.deletion()),
        ("insertion", curves.insertion()),
    ):
        yield rows(method, images, measure, values, fill)
    for kind, by_order in (("logit", curves.logit), ("probability", curves.probability)):
        for order, values in by_order.items():
            for fraction, column in zip(curves.fractions, values.T, strict=True):
                yield rows(method, images, f"{kind} {order}", column, fill, fraction)


def summary(
    table: pd.DataFrame,
    persons: pd.Series,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> list[MapScore]:
    """The mean of each measure of each method, with an interval over persons.

    Args:
        table: long, with `COLUMNS`; NaN where a value is not defined.
        persons: by image; missing where unknown, which makes the image a person of its own.
        rng: draws the resamples.
        resamples: how many.
    """
    found = []
    keys = ["measure", "of", "at"]
    for method, some in table.groupby("method", sort=False):
        # `pivot_table` would drop what is defined for no face, or add what was not measured.
        wide = some.pivot(index="image", columns=keys, values="value")  # noqa: PD010
        values = wide.to_numpy(np.float64)
        known = np.isfinite(values)
        cluster = clusters(persons.reindex(wide.index), len(wide))
        sums = np.zeros((int(cluster.max()) + 1 if len(cluster) else 0, values.shape[1], 2))
        np.add.at(sums, cluster, np.stack([np.where(known, values, 0), known], axis=-1))
        means = {str(k): lambda t, k=k: t[..., k, 0] / t[..., k, 1] for k in range(values.shape[1])}
        estimates = bootstrap(means, sums, rng, resamples=resamples)
        for k, name in enumerate(wide.columns):
            measure, of, at = tuple(name)
            count = int(known[:, k].sum())
            found.append(MapScore(str(method), measure, of, float(at), count, estimates[str(k)]))
    return found
