"""What is compared: a study with its votes, the faces, and how persons are parted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank.baselines import Faces
from emorank.errors import StudyError
from emorank.study.comparing.folds import parts
from emorank.study.folder import Study, require_own_network
from emorank.study.framed_faces import Framed
from emorank.study.ground_truth import ground_truth
from emorank.study.plan import override, starting_weights
from emorank.vocabulary import Rank

LABELS = "labels"  # in the place of a votes file: neutral against any expression


@dataclass(frozen=True)
class Task:
    """What is compared, on which faces.

    Attributes:
        study: with the votes in its plan.
        truth: from `ground_truth`, or of the labels.
        labels: whether the levels are neutral against any expression only.
        folds: how many times persons are parted anew; 0 for the study's own split.
    """

    study: Study
    truth: pd.DataFrame
    labels: bool
    folds: int

    def splits(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Names and tables of faces with their part; what is tested in each."""
        if not self.folds:
            yield "", self.truth
            return
        for number, split in enumerate(parts(self.truth, self.folds)):
            name = f"fold{number + 1}of{self.folds}"
            yield name, self.truth.drop(columns="part").merge(split, on="image")


def compare_task(study: Study, votes: Path | str | None, folds: int) -> Task:
    """What there is to compare on.

    Raises:
        StudyError: the study is not trained, or nobody voted on faces to learn from and to test.
        VotesError: the votes cannot be read.
    """
    require_own_network(study)
    if not study.path("model.safetensors").exists():
        raise StudyError(f"{study.folder}: no model to compare; do that first: emorank run")
    labels = str(votes) == LABELS
    if votes and not labels:
        path = str(Path(votes).expanduser().resolve())
        study = replace(
            study, plan=override(study.plan, {"validate.votes": path}, origin="the options")
        )
    if labels:
        study = replace(
            study, plan=override(study.plan, {"validate.votes": ""}, origin="the options")
        )
        truth = _of_labels(ground_truth(study))
    elif not study.plan.validate.votes:
        raise StudyError(
            f"{study.folder}: nobody has said how strongly these faces express an emotion, so "
            f"that there is nothing to compare with; give --votes FILE (image, rater, rank) or a "
            f"rating project, or --votes labels for neutral against any expression"
        )
    else:
        truth = ground_truth(study)
    _check_levels(study, truth)
    return Task(study, truth, labels, folds)


def _check_levels(study: Study, truth: pd.DataFrame) -> None:
    """Raise unless there are faces of a known level to learn from, and to be tested on."""
    expressed = truth["part"][(truth["level"] > 0).fillna(value=False)]
    tested = int((expressed == "test").sum())
    learnt = len(expressed) - tested
    if not (tested and learnt):
        raise StudyError(
            f"{study.folder}: expected votes on faces to learn from and on faces to test, but "
            f"{learnt} of the training and validation part have one and {tested} of the test "
            "part; give votes on both"
        )


def _of_labels(truth: pd.DataFrame) -> pd.DataFrame:
    """Neutral is None; any expression is Strong, because nothing lies between."""
    if not (truth["level"] == 0).any():
        raise StudyError(
            "--votes labels: expected neutral faces and faces of other emotions; there is no "
            "neutral face"
        )
    level = truth["level"].fillna(int(Rank.STRONG))
    return truth.assign(level=level, mean=level.astype(np.float64))


def faces_of(table: pd.DataFrame, study: Study) -> Faces:
    """The rows of a table of faces as estimators see them."""

    def column(name: str) -> np.ndarray[Any, Any]:
        values = table[name].astype(object)
        return np.asarray(values.where(values.notna(), None).to_numpy(), object)

    return Faces(
        digest=column("digest"),
        pixels=Framed(study, table),
        rows=np.arange(len(table)),
        person=column("person"),
        emotion=column("emotion"),
        sequence=column("sequence"),
        frame=table["frame"].fillna(0).to_numpy(np.int64),
        weights=starting_weights(study.plan),
    )
