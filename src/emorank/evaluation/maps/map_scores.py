"""Are the explanations faithful? Measurements of each face and explainer, and their means.

A long table has a row for each method, face and measure. The summary is a mean over the faces with
an interval over their persons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.maps.region_perturbation import Curves
from emorank.evaluation.statistics.columns import people
from emorank.evaluation.statistics.ratio import ratio
from emorank.evaluation.statistics.uncertainty import RESAMPLES, Estimate, bootstrap

COLUMNS = ("method", "image", "measure", "of", "at", "value")


@dataclass(frozen=True)
class MapScore:
    """The mean of one measure of one method over the faces that have a value.

    Attributes:
        method: of explaining, or a blind map.
        measure: what is measured ("between", "mass"), or a curve ("logit most", "logit least").
        of: the fill, region or layers that it is about; empty if it is about none.
        at: the fraction of the regions removed, for a point of a curve; else 0.
        faces: number of these faces.
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
        faces: number of recognised faces of the test part, spread over persons and emotions.
        checks: how many of them are used for the slow checks: new weights, another class, noise,
            shifts.
        fills: what replaces a region, names of `region_perturbation.FILLS`.
        seed: of the choice of faces and of everything drawn.
        half: whether images with removed regions go through the network in bfloat16: several times
            as fast on newer processors, with an error of about a hundredth in the logits.
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
    """Rows of the long table for one value of each face."""
    table = pd.DataFrame({"image": list(images), "value": np.asarray(values, np.float64)})
    return table.assign(method=method, measure=measure, of=of, at=at)[list(COLUMNS)]


def curve_rows(
    method: str, images: Sequence[str], fill: str, curves: Curves
) -> Iterator[pd.DataFrame]:
    """Rows of the long table for the curves of a method and the areas between and under them."""
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
    table: pd.DataFrame, persons: pd.Series, rng: np.random.Generator, resamples: int = RESAMPLES
) -> list[MapScore]:
    """The mean of each measure of each method, with an interval over persons.

    `table` has `COLUMNS`, NaN where a value is not defined. `persons` are by image; an image whose
    person is missing counts as one more person.
    """
    scores = []
    keys = ["measure", "of", "at"]
    for method, some in table.groupby("method", sort=False):
        # `pivot_table` would drop a measure without values, or add one that was not measured.
        wide = some.pivot(index="image", columns=keys, values="value")  # noqa: PD010
        values = wide.to_numpy(np.float64)
        defined = np.isfinite(values)
        who = people(persons.reindex(wide.index), np.ones(len(wide), bool))
        sums = np.zeros((who.size, values.shape[1], 2))
        np.add.at(sums, who.number, np.stack([np.where(defined, values, 0), defined], axis=-1))
        means = {
            str(k): lambda t, k=k: ratio(t[..., k, 0], t[..., k, 1]) for k in range(values.shape[1])
        }
        estimates = bootstrap(means, sums, rng, resamples=resamples)
        for k, name in enumerate(wide.columns):
            measure, of, at = tuple(name)
            count = int(defined[:, k].sum())
            scores.append(MapScore(str(method), measure, of, float(at), count, estimates[str(k)]))
    return scores
