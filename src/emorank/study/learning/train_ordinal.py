"""The ordinal network of a study: trained on rated faces, it gives each emotion an intensity."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank.errors import StudyError
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.files import room_for
from emorank.networks import checkpoint, ordinal, training
from emorank.networks.devices import device_of
from emorank.networks.packed import round_trained
from emorank.networks.training import Epoch, Examples
from emorank.networks.vgg import Chain
from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.ranks import ordinal as ordinal_rank
from emorank.results.ordinal import OrdinalTraining
from emorank.study.folder import Study, alone, fingerprint, require_own_network, together
from emorank.study.framed_faces import framing_of_others, open_dataset
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.measured_faces import measured_faces
from emorank.study.plan import convolutions_of, normalisation_of
from emorank.study.train_network import examples
from emorank.study.trained_network import MODEL as CLASSIFIER
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVELS, Emotion, Rank

NAME = "ordinal"  # of its files: the network, and what came out of the training
MODEL = f"{NAME}.safetensors"
SCORED = ("validation", "test")
STATE = f"{NAME}.partial.safetensors"


def train_ordinal(
    study: Study,
    votes: Path | str | None = None,
    *,
    progress: Progress = silent,
    loss: str = ordinal.LOSS,
    others: int = ordinal.ABSENT,
) -> OrdinalTraining:
    """Train an ordinal network on the rated faces of the training part, neutral ones as None.

    It has the recipe of the study's classifier and starts from the same convolutions; the rated
    faces of the validation part choose the epoch and place the thresholds. What was trained
    replaces an earlier one when it is whole; a training that was killed goes on.

    `votes` is a votes file or rating project, None for the votes that the plan names; `loss` is a
    name of `ordinal.LOSSES`; `others` says what faces are taught to have of emotions that they do
    not express, as in `ordinal.labels`.

    Raises:
        StudyError: the study is not trained, or its faces are not rated as they have to be.
        VotesError: the votes cannot be read, or are on images that the study does not have.
        WeightsError: the weights to start from cannot be had.
    """
    require_own_network(study)
    with alone(study):
        if not study.stamp("train"):
            raise StudyError(
                f"{study.folder}: its classifier, which names the emotions, is not trained; first: "
                f"emorank train --study {study.folder}"
            )
        parts = rated(study, votes)
        classes = checkpoint.load(study.path(CLASSIFIER)).classes
        emotions = tuple(emotion for emotion in classes if emotion != Emotion.NEUTRAL)
        recipe, outputs = study.plan.train, len(emotions) * (len(LEVELS) - 1)
        hidden = 0 if recipe.logistic else recipe.hidden
        size = checkpoint.size_of(outputs, hidden, recipe.backbone, recipe.unfreeze)
        with room_for(study.path(MODEL), size):
            net, watched, curves = learn(study, parts, emotions, loss, others, progress)
        ordinal.fit_thresholds(net, study.plan.train.cut, watched)
        plain, thresholds = ordinal.unfold_thresholds(net)
        round_trained(plain, study.plan.train.cut, watched)
        plain.to("cpu")
        crop = framing_of_others(study, open_dataset(study))
        model = checkpoint.Checkpoint(
            plain,
            emotions,
            study.plan.data.size,
            crop,
            LEVELS[1:],
            thresholds,
            normalisation_of(study.plan),
            study.plan.data.width,
            recipe.backbone,
            recipe.unfreeze,
        )
        scores = {part: _scores(study, parts[part], model) for part in SCORED if len(parts[part])}
        result = OrdinalTraining(
            votes=str(votes or study.plan.validate.votes),
            loss=loss,
            others=others,
            thresholds=tuple(thresholds),
            faces={part: _counts(table) for part, table in parts.items()},
            curves=tuple(asdict(epoch) for epoch in curves),
            scores=scores,
        )
        with together(study, NAME, MODEL, f"{NAME}.json") as making:
            checkpoint.save(model, making.path(MODEL))
            making.write(result)
        study.path(STATE).unlink(missing_ok=True)
    return result


def load_ordinal(study: Study, network: EmotionNetwork) -> checkpoint.Checkpoint:
    """The ordinal network of a study, on the device of its classifier.

    Raises:
        StudyError: it was never trained, or the study's classifier is another since.
        WeightsError: its file is damaged.
    """
    path = study.path(MODEL)
    command = f"emorank train --ordinal --study {study.folder}"
    if not path.exists():
        raise StudyError(
            f"{study.folder}: no ordinal network here; it learns from rated faces: "
            f"{command} --votes FILE"
        )
    if study.result(NAME) is None:
        raise StudyError(
            f"{path}: was trained for an earlier plan or model of this study; train it again: "
            f"{command}"
        )
    model = checkpoint.load(path, LEVELS[1:])
    model.net.to(network.device)
    return model


def rated(study: Study, votes: Path | str | None) -> dict[str, pd.DataFrame]:
    """The faces of each part whose level is known.

    Raises:
        StudyError: too few of them to learn from.
    """
    truth = ground_truth(study, votes)
    known = truth[truth["level"].notna() & truth["emotion"].notna()]
    parts = {
        part: known[known["part"] == part].reset_index(drop=True)
        for part in ("train", "validation", "test")
    }
    if not truth["voters"].sum():
        raise StudyError(
            f"{study.folder}: nobody has rated its faces, and an ordinal network learns from "
            f"ratings; give some: --votes FILE (columns image, rater, rank; or a rating project, "
            f"see: emorank rate new)"
        )
    missing = [rank.label for rank in Rank if not (parts["train"]["level"] == rank.value).any()]
    if missing:
        raise StudyError(
            f"{study.folder}: no face of its training part is {' or '.join(missing)} to the "
            f"majority of the raters, and a level that nobody was shown cannot be learnt; have "
            f"more faces rated"
        )
    if not (parts["validation"]["level"] > 0).any():
        raise StudyError(
            f"{study.folder}: no face of its validation part is rated, and these choose the epoch; "
            f"have some of them rated too"
        )
    return parts


def learn(
    study: Study,
    parts: dict[str, pd.DataFrame],
    emotions: tuple[Emotion, ...],
    loss: str = ordinal.LOSS,
    others: int = ordinal.ABSENT,
    progress: Progress = silent,
) -> tuple[Chain, Examples, list[Epoch]]:
    """A network with the weights of its best epoch, thresholds not yet placed.

    `parts` are from `rated`, `emotions` in the order of the scores; `loss` and `others` are as in
    `train_ordinal`.

    Returns:
        The network, the validation part that chose the epoch, the curves.
    """
    recipe = study.plan.train
    net = ordinal.fresh(len(emotions), convolutions_of(study.plan), recipe)
    net.to(device_of(study.plan.model.device))
    learnt, watched = (
        examples(study, net, table, _labels(table, emotions, others), views, progress)
        for table, views in ((parts["train"], recipe.views), (parts["validation"], 1))
    )
    seen = [
        parts[part][["digest", "level"]].to_numpy().tolist() for part in parts if part != "test"
    ]
    curves = training.train(
        net,
        learnt,
        watched,
        recipe,
        objective=ordinal.objective(loss),
        state=study.path(STATE),
        of=fingerprint(loss, others, emotions, seen),
        progress=progress,
    )
    return net, watched, curves


def _labels(table: pd.DataFrame, emotions: tuple[Emotion, ...], others: int) -> np.ndarray:
    words, levels = table["emotion"].to_list(), table["level"].to_list()
    return ordinal.labels(words, levels, emotions, others)


def _counts(table: pd.DataFrame) -> dict[str, Any]:
    """How many faces have each level, and of how many persons."""
    levels = table["level"].value_counts()
    counts = {word: int(levels.get(k, 0)) for k, word in enumerate(LEVELS)}
    return counts | {"persons": int(table["person"].nunique())}


def _scores(study: Study, table: pd.DataFrame, model: checkpoint.Checkpoint) -> LevelAgreement:
    """Levels of the emotion that the classifier names, against what is known."""
    network = trained_network(study)
    model.net.to(network.device)
    parts = [ordinal_rank(m, model) for m in measured_faces(study, network, table)]
    level = pd.concat(parts, ignore_index=True)["level"]
    options = Options(study.plan.validate.resamples, seed=study.plan.split.seed)
    persons = None if table["person"].isna().all() else table["person"]
    return level_agreement(level, table["level"], persons, options)
