"""A study's network learns from the faces of the study; their features are cached."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from emorank.files import room_for
from emorank.networks import checkpoint, training
from emorank.networks.augmentation import view
from emorank.networks.backbones import PAPERS
from emorank.networks.devices import device_of
from emorank.networks.features import features
from emorank.networks.fit_head import fit_head
from emorank.networks.packed import round_trained
from emorank.networks.training import Epoch, Examples, Recipe
from emorank.networks.vgg import Chain
from emorank.progress import Progress, silent
from emorank.ranking.contrast import temperature
from emorank.reading.reader import BATCH
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed, framing_of_others, open_dataset
from emorank.study.plan import convolutions_of, normalisation_of
from emorank.vocabulary import Emotion

STATE = "training.partial.safetensors"
ROW = 100  # bytes, more than an epoch takes in the table of curves


def train_network(study: Study, progress: Progress = silent) -> str:
    """Train on the training part and write the model and its curves; returns a line of results.

    Raises:
        StudyError: the study is not prepared.
        WeightsError: the weights to start from cannot be had.
    """
    path, plan = study.path("model.safetensors"), study.plan
    if study.stage and path.exists() and study.path("training.parquet").exists():
        return _words(
            study.table("training"), plan.train
        )  # trained, but the disk was full after that
    table = study.table("faces").merge(study.table("split"), on="image")
    classes = tuple(emotion for emotion in Emotion if emotion in set(table["emotion"]))
    train_part, validation_part = (
        table[table["part"] == part].reset_index(drop=True) for part in ("train", "validation")
    )
    # A training of hours must not be lost because its result of half a gigabyte finds no room.
    hidden = 0 if plan.train.logistic else plan.train.hidden
    size = checkpoint.size_of(len(classes), hidden, plan.train.backbone, plan.train.unfreeze)
    size += ROW * (plan.train.epochs + 1)
    with room_for(path, size):
        net, curves = fit_network(
            study,
            classes,
            train_part,
            validation_part,
            convolutions_of(plan, progress),
            plan.train,
            state=study.path(STATE),
            progress=progress,
        )
    crop = framing_of_others(study, open_dataset(study))
    net.to("cpu")
    model = checkpoint.Checkpoint(
        net,
        classes,
        plan.data.size,
        crop,
        normalisation=normalisation_of(plan),
        width=plan.data.width,
        backbone=plan.train.backbone,
        unfreeze=plan.train.unfreeze,
        temperature=contrast_temperature(study, net, classes, validation_part),
    )
    checkpoint.save(model, path)
    table = pd.DataFrame([asdict(epoch) for epoch in curves])
    study.write_table("training", table)
    return _words(table, plan.train)


def _words(curves: pd.DataFrame, recipe: Recipe) -> str:
    accuracy = f"validation accuracy {curves['validation_accuracy'].max():.3f}"
    if recipe.logistic and len(curves) == 1:
        return f"logistic regression, {accuracy}"
    return f"{len(curves)} epochs, best {accuracy}"


def fit_network(
    study: Study,
    classes: tuple[Emotion, ...],
    train_part: pd.DataFrame,
    validation_part: pd.DataFrame,
    convolutions: dict[str, Tensor],
    recipe: Recipe,
    *,
    state: Path | None = None,
    progress: Progress = silent,
) -> tuple[Chain, list[Epoch]]:
    """Train a classifier on some faces of a study, and choose its best epoch on others.

    A logistic head is fitted at once; with an unfrozen block, training goes on from there.

    Both parts are rows of the study's table of faces, numbered from 0; all emotions of the train
    part are in `classes`, the emotions of the outputs. `state` is a file that lets an interrupted
    training go on.

    Returns:
        The network on the device of the plan, with the weights of its best epoch; the curves.
    """
    net = training.fresh(len(classes), convolutions, recipe).to(device_of(study.plan.model.device))
    numbers = {str(emotion): number for number, emotion in enumerate(classes)}

    def parts(cut: int) -> Iterator[Examples]:
        for part, views in ((train_part, recipe.views), (validation_part, 1)):
            labels = part["emotion"].map(numbers).to_numpy(np.int64)
            yield examples(study, net, part, labels, views, progress, cut)

    start = None
    if recipe.logistic:
        persons = train_part["person"].fillna(train_part["image"])
        learning, watching = parts(net.end)
        start = fit_head(net, learning, watching, recipe, classes, persons, progress)
        if recipe.cut == net.end:
            return net, [start]
    learning, watching = parts(recipe.cut)
    curves = training.train(
        net, learning, watching, recipe, start=start, state=state, progress=progress
    )
    round_trained(net, recipe.cut, watching)
    return net, curves


def contrast_temperature(
    study: Study,
    net: Chain,
    classes: Sequence[Emotion],
    faces: pd.DataFrame,
    progress: Progress = silent,
) -> float:
    """The temperature of the contrast to neutral of a network of the study.

    Of a sequence the last frame is the full expression, and other faces are taken for full ones.

    Args:
        study: whose frozen layers the network has.
        net: the network.
        classes: the emotions of its outputs.
        faces: rows of the study's table, numbered from 0, of persons that it did not learn from.
        progress: told of features that are not in the cache.
    """
    peak = faces.groupby("sequence")["frame"].transform("max")
    full = (faces["sequence"].isna() | (faces["frame"] == peak)).fillna(value=True)
    counts = faces["emotion"].isin(list(classes)) & (full | (faces["emotion"] == Emotion.NEUTRAL))
    faces = faces[counts].reset_index(drop=True)
    if Emotion.NEUTRAL not in classes or faces.empty:
        return 1.0
    label = faces["emotion"].map(list(classes).index).to_numpy(np.int64)
    cached = examples(study, net, faces, label, 1, progress).features
    device = next(net.parameters()).device
    with torch.inference_mode():
        outputs = [
            net.tail(cached.batch(rows).to(device), study.plan.train.cut).cpu().numpy()
            for rows in np.array_split(np.arange(len(faces)), -(-len(faces) // BATCH))
        ]
    logits = np.concatenate(outputs)
    none = list(classes).index(Emotion.NEUTRAL)
    contrast = logits - logits[:, [none]]
    neutral, own = label == none, np.arange(len(label))
    return temperature(
        np.delete(contrast[neutral], none, axis=1).ravel(), contrast[own, label][~neutral]
    )


def examples(
    study: Study,
    net: Chain,
    table: pd.DataFrame,
    labels: np.ndarray,
    views: int,
    progress: Progress = silent,
    cut: int | None = None,
) -> Examples:
    """Features of some of a study's faces, with labels; every face has so many views.

    The features come from the part of `net` before `cut`, by default the frozen one. The rows of
    `table` are numbered from 0 and have a row of `labels` each.
    """
    framed = Framed(study, table)
    digests = table["digest"].to_list()
    keys = [f"{digest}.{number}" for digest in digests for number in range(views)]

    def seen(places: list[int]) -> Iterator[np.ndarray]:
        for row, same in groupby(places, lambda place: place // views):
            pixels = framed(row)
            for place in same:
                yield view(pixels, place % views, digests[row])

    def small(place: int) -> bool:
        return framed.is_small(place // views)

    size = study.plan.data.size
    cut = study.plan.train.cut if cut is None else cut
    rows = np.arange(len(table) * views).reshape(len(table), views)
    reads = normalisation_of(study.plan)
    cached = features(
        *(net, cut, size, keys, seen),
        normalisation=reads,
        beside=None if study.plan.train.backbone == PAPERS else small,
        progress=progress,
    )
    return Examples(cached, rows, labels)
