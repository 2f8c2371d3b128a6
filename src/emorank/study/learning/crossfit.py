"""Classifiers trained anew without some persons, who are then strangers to them.

A network finds more evidence on persons that it has learnt from than on others. Cross-fitting
avoids that without setting persons aside: everybody is measured by a network that has not seen
them. The convolutions stay those of the study, and their features are cached; only the classifier
is trained.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd
from torch import Tensor

from emorank.datasets.splits import person_folds
from emorank.errors import PlanError
from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.study.folder import Study
from emorank.study.learning.measured_faces import evidence_of_faces
from emorank.study.plan import convolutions_of
from emorank.study.train_network import fit_network
from emorank.study.trained_network import network_by_plan
from emorank.vocabulary import Emotion


@dataclass(frozen=True)
class Fold:
    """A network whose classifier was trained without some persons.

    Attributes:
        held_out: faces that it has nothing to do with.
        watched: faces of other persons, on which its best epoch was chosen; not learnt from.
    """

    network: EmotionNetwork
    number: int
    held_out: pd.DataFrame
    watched: pd.DataFrame


def folds(
    study: Study, faces: pd.DataFrame, count: int, seed: int, progress: Progress = silent
) -> Iterator[Fold]:
    """Train a classifier for each fold of the persons, by the study's own recipe.

    Of the `count` folds one is held out, one watched, and the rest learnt from. `faces` are rows of
    the study's table with `part`; persons who are unknown stand alone. `seed` is that of the
    drawing of persons, and of the training.

    Raises:
        PlanError: fewer than three folds, or fewer persons than folds.
        WeightsError: the weights to start from cannot be had.
    """
    persons = faces["person"].nunique() + int(faces["person"].isna().sum())
    if not 3 <= count <= persons:
        raise PlanError(f"{count} folds of {persons} persons; expected 3 to {persons} folds")
    fold = person_folds(faces["person"], faces["image"], count, np.random.default_rng(seed))
    convolutions = convolutions_of(study.plan)
    for number in range(count):
        progress(number, count, "classifiers")
        is_held, is_watched = fold == number, fold == (number + 1) % count
        held, watched, learning = (
            faces[rows].reset_index(drop=True)
            for rows in (is_held, is_watched, ~(is_held | is_watched))
        )
        yield Fold(_trained(study, learning, watched, convolutions, seed), number, held, watched)
    progress(count, count, "classifiers")


def crossfitted(
    study: Study, faces: pd.DataFrame, count: int, seed: int, progress: Progress = silent
) -> pd.DataFrame:
    """The evidence that classifiers find in faces of persons unknown to them, in their order."""
    parts = [
        evidence_of_faces(study, fold.network, fold.held_out)
        for fold in folds(study, faces, count, seed, progress)
    ]
    return pd.concat(parts).set_index("image").loc[faces["image"]].reset_index()


def _trained(
    study: Study,
    learnt: pd.DataFrame,
    watched: pd.DataFrame,
    convolutions: dict[str, Tensor],
    seed: int,
) -> EmotionNetwork:
    recipe = msgspec.structs.replace(study.plan.train, seed=seed)
    classes = tuple(emotion for emotion in Emotion if emotion in set(learnt["emotion"]))
    watched = watched[watched["emotion"].isin(classes)].reset_index(drop=True)
    net, _ = fit_network(study, classes, learnt, watched, convolutions, recipe)
    return network_by_plan(study.plan, net, classes, study.plan.data.size, crop="none")
