"""Faces ranked by any of a study's ranks: new images, or the study's own test part."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from emorank.errors import ImageError, PlanError
from emorank.evaluation.laboratory.validity import Correlations, correlations
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.framing import Views
from emorank.networks import checkpoint
from emorank.progress import Progress, silent
from emorank.study.apply import about
from emorank.study.folder import Study
from emorank.study.framing import Framed
from emorank.study.ground_truth import ground_truth
from emorank.study.ranks.rankers import RANKS, Ranker, ranker
from emorank.vocabulary import LEVELS, Emotion

BATCH = 16


@dataclass(frozen=True)
class RankedFace:
    """One face of an image: what the network saw, and its row of the table.

    Attributes:
        pixels: framed.
        row: image, face, box, predicted, p_…, expressed, what the rank is made of, `rank` (a word
            of `LEVELS`; None where the rank abstains), `abstained`, `score`.
    """

    pixels: UInt8[np.ndarray, "side side 3"]
    row: dict[str, Any]


@dataclass
class RankedFaces:
    """One of a study's ranks at work: iterate over it once; `excluded` fills on the way.

    Args:
        study: trained, and calibrated where the rank needs it.
        method: a name of `rankers.RANKS`.
        paths: image files.
        crop: "face" or "none"; None for the framing that the model was trained on.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.
        emotion: rank this one, whatever the network names; None for the one that it names.

    Raises:
        PlanError: there is no such rank, or the model does not know the emotion.
        StudyError: the study lacks what the rank needs.
        ImageError: an image cannot be used, if `strict`.
        WeightsError: the study has no model.
    """

    study: Study
    method: str
    paths: Iterable[Path]
    crop: str | None = None
    nearest: bool = False
    strict: bool = False
    emotion: str | None = None
    excluded: list[ImageError] = field(default_factory=list)

    def __iter__(self) -> Iterator[RankedFace]:
        rank = _of(self.study, self.method, self.emotion)
        model = checkpoint.known(self.study.path("model.safetensors"))
        crop = self.crop or model.crop
        views = Views(self.paths, model.size, crop, self.excluded, self.nearest, self.strict)
        for batch in views.batches(BATCH):
            table = worded(rank([view.pixels for view in batch]))
            for view, row in zip(batch, table.to_dict("records"), strict=True):
                named = {str(key): None if value is pd.NA else value for key, value in row.items()}
                yield RankedFace(view.pixels, about(view) | named)


def worded(table: pd.DataFrame) -> pd.DataFrame:
    """A ranker's table with its level in words: `rank`, <NA> where it `abstained`."""
    words = table["level"].map(lambda level: LEVELS[int(level)], na_action="ignore")
    rank = words.astype("string")
    return table.drop(columns="level").assign(rank=rank, abstained=table["level"].isna())


def rank_test_part(
    study: Study, method: str, progress: Progress = silent
) -> tuple[pd.DataFrame, Correlations, LevelAgreement]:
    """Rank the test faces, write `ranks_METHOD.parquet`, and hold it against what is known.

    Returns:
        The table written, and the agreement with the known intensity (or else with the mean of the
        votes) and with the majority of the votes, neutral faces counting as None.

    Raises:
        PlanError: there is no such rank.
        StudyError: the study is not prepared, or lacks what the rank needs.
        WeightsError: the study has no model.
    """
    rank, truth = _of(study, method), ground_truth(study)
    truth = truth[truth["part"] == "test"].reset_index(drop=True)
    framed, found = Framed(study, truth), []
    for start in range(0, len(truth), BATCH):
        progress(start, len(truth), "faces")
        found.append(rank([framed(i) for i in range(start, min(start + BATCH, len(truth)))]))
    progress(len(truth), len(truth), "faces")
    table = pd.concat([truth[["image"]], pd.concat(found, ignore_index=True)], axis=1)
    study.write_table(f"ranks_{method}", worded(table))
    return table, *agreement(table, truth, study.plan.validate.resamples)


def agreement(
    table: pd.DataFrame, truth: pd.DataFrame, resamples: int
) -> tuple[Correlations, LevelAgreement]:
    """A ranker's table against what is known of the same faces, in the same order."""
    options = Options(resamples=resamples)
    known = truth["intensity"] if truth["intensity"].notna().any() else truth["mean"]
    shown = truth["emotion"].where(truth["emotion"] != Emotion.NEUTRAL)
    return (
        correlations(table["score"], known, shown, truth["person"], options),
        level_agreement(table["level"], truth["level"], truth["person"], options),
    )


def _of(study: Study, method: str, emotion: str | None = None) -> Ranker:
    if method not in RANKS:
        raise PlanError(f"'{method}' is no rank; expected one of {', '.join(RANKS)}")
    return ranker(study, method, emotion)
