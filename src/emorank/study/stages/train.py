"""Stage 2: train the network on the training part, watch it on the validation part."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from emorank.networks import checkpoint, training, weights
from emorank.networks.augmentation import view
from emorank.networks.features import Features, features
from emorank.networks.training import Examples
from emorank.networks.vgg16 import VGG16
from emorank.progress import Progress, silent
from emorank.study.folder import Study
from emorank.study.framing import Framed, framing_of_others, open_dataset
from emorank.vocabulary import Emotion

STATE = "training.partial.safetensors"


def train(study: Study, progress: Progress = silent) -> str:
    """Write the model and its curves; returns a line that says what came out.

    Raises:
        StudyError: the study is not prepared.
        WeightsError: the weights to start from cannot be had.
    """
    plan, recipe = study.plan, study.plan.train
    table = study.table("faces").merge(study.table("split"), on="image")
    classes = tuple(emotion for emotion in Emotion if emotion in set(table["emotion"]))
    net = training.fresh(len(classes), weights.load(plan.model.weights), recipe)
    net.to(plan.model.device)
    learnt = table[table["part"] == "train"].reset_index(drop=True)
    watched = table[table["part"] == "validation"].reset_index(drop=True)
    curves = training.train(
        net,
        examples(study, net, learnt, _numbers(learnt, classes), recipe.views, progress),
        examples(study, net, watched, _numbers(watched, classes), 1, progress),
        recipe,
        state=study.path(STATE),
        progress=progress,
    )
    crop = framing_of_others(study, open_dataset(study))
    net.to("cpu")
    trained = checkpoint.Checkpoint(net, classes, plan.data.size, crop)
    checkpoint.save(trained, study.path("model.safetensors"))
    study.write_table("training", pd.DataFrame([asdict(epoch) for epoch in curves]))
    best = max(epoch.validation_accuracy for epoch in curves)
    return f"{len(curves)} epochs, best validation accuracy {best:.3f}"


def _numbers(table: pd.DataFrame, classes: tuple[Emotion, ...]) -> np.ndarray:
    return np.array([classes.index(Emotion(word)) for word in table["emotion"]], np.int64)


def examples(
    study: Study,
    net: VGG16,
    table: pd.DataFrame,
    labels: np.ndarray,
    views: int,
    progress: Progress = silent,
) -> Examples:
    """Features of some of a study's faces, with labels; every face has so many views.

    Args:
        study: prepared.
        net: its frozen part is what the features come from.
        table: rows of the study's table of faces, numbered from 0.
        labels: one row for each of them.
        views: per face.
        progress: told of the features that are not in the cache.
    """
    found = _features(study, net, table, views, progress)
    return Examples(found, np.arange(len(table) * views).reshape(len(table), views), labels)


def _features(
    study: Study, net: VGG16, table: pd.DataFrame, views: int, progress: Progress
) -> Features:
    """Of each image and each of its views, images first and views within an image."""
    framed = Framed(study, table)
    digests = table["digest"].to_list()
    keys = [f"{digest}.{number}" for digest in digests for number in range(views)]

    def pixels(i: int) -> np.ndarray:
        row, number = divmod(i, views)
        return view(framed(row), number, digests[row])

    recipe = study.plan.train
    return features(net, recipe.cut, study.plan.data.size, keys, pixels, progress=progress)
