"""How the scores of a method follow those of raters: Spearman's rho with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.evaluation.statistics.correlation import spearman
from emorank.evaluation.statistics.uncertainty import RESAMPLES, Estimate, resampled

ALL = "all"


@dataclass(frozen=True)
class Against:
    """The comparison on the faces of one emotion, or of all.

    Attributes:
        faces: that have both scores.
    """

    emotion: str
    faces: int
    spearman: Estimate


def against_scores(
    raters: pd.DataFrame,
    scores: pd.DataFrame,
    rng: np.random.Generator,
    *,
    persons: Mapping[str, str] | None = None,
    together: bool = True,
    resamples: int = RESAMPLES,
) -> tuple[Against, ...]:
    """Compare scores of faces, for each emotion, and over all of them if `together`.

    `raters` is the table of `face_scores`, `scores` has `image` and `score` (NaN: none). Whole
    persons are drawn again; where the person of a face is not known, faces are. Bradley-Terry
    scores of two emotions cannot be compared, so for them `together` is False.
    """
    both = raters[["image", "emotion", "score"]].merge(
        scores[["image", "score"]], on="image", suffixes=("", "_method"), validate="many_to_one"
    )
    both = both[both["score"].notna() & both["score_method"].notna()]
    words = sorted(both["emotion"].unique())
    parts = {word: both[both["emotion"] == word] for word in words}
    if together and len(words) > 1:
        parts = {ALL: both} | parts
    known = persons or {}
    return tuple(
        Against(str(word), len(part), _rho(part, known, rng, resamples))
        for word, part in parts.items()
    )


def _rho(
    part: pd.DataFrame, persons: Mapping[str, str], rng: np.random.Generator, resamples: int
) -> Estimate:
    whose = [persons.get(image) for image in part["image"]]
    unit = "persons" if None not in whose else "images"
    cluster, who = pd.factorize(pd.Series(whose if unit == "persons" else part["image"].tolist()))
    x = part["score"].to_numpy(dtype=float).round(9)
    y = part["score_method"].to_numpy(dtype=float)
    return resampled(
        lambda draws: {"": spearman(x, y, draws[:, cluster])},
        np.ones(len(who), np.int64), rng, unit=unit, resamples=resamples,
    )[""]  # fmt: skip
