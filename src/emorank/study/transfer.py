"""A study's model tested on another data set: does it carry over?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import UInt8

from emorank.datasets.table import Dataset
from emorank.errors import DatasetError, ImageError
from emorank.evaluation.classification import Classification, classification
from emorank.framing import faces_in, framed
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.progress import Progress, silent
from emorank.study.folder import Study
from emorank.study.stages.test import BATCH, predictions_table


@dataclass(frozen=True)
class Transfer:
    """What came out.

    Attributes:
        scores: over the images whose emotion the model knows; the majority baseline is that of the
            data set itself.
        predictions: image, emotion, predicted, probabilities, logit; one row per image used.
        excluded: file, reason.
    """

    scores: Classification
    predictions: pd.DataFrame
    excluded: pd.DataFrame


def transfer(
    study: Study, dataset: Dataset, *, crop: str | None = None, progress: Progress = silent
) -> Transfer:
    """Test a study's model on every image of a data set that it was not trained on.

    Args:
        study: trained.
        dataset: any; images of an emotion that the model does not know are left out.
        crop: "face" or "none"; None for the framing that the model was trained on.
        progress: told of images done.

    Raises:
        DatasetError: not one image can be used.
        WeightsError: the study has no model.
    """
    model = checkpoint.load(study.path("model.safetensors"))
    device = study.plan.model.device
    net = model.net.to(device)
    excluded = [(problem.file, problem.reason) for problem in dataset.problems]
    known = dataset.table["emotion"].isin([str(emotion) for emotion in model.classes]).fillna(False)
    for image, emotion in dataset.table.loc[~known, ["image", "emotion"]].to_numpy():
        unknown = f"the model does not know the emotion {emotion}"
        excluded.append((image, "no emotion is given" if pd.isna(emotion) else unknown))
    table = dataset.table[known].reset_index(drop=True)
    used, logits = [], []
    batches = _batches(dataset, table, crop or model.crop, model.size, excluded)
    with torch.inference_mode():
        for rows, pixels in batches:
            progress(rows[-1], len(table), dataset.card.name)
            logits.append(net(to_batch(pixels).to(device)).cpu().numpy())
            used += rows
    progress(len(table), len(table), dataset.card.name)
    if not used:
        raise DatasetError(f"{dataset.root}: no image can be used; the first reason: {excluded[0]}")
    table = table.iloc[used].reset_index(drop=True)
    predictions = predictions_table(table["image"], np.concatenate(logits), model.classes)
    predictions.insert(1, "emotion", table["emotion"])
    scores = classification(
        predictions["emotion"],
        predictions["predicted"],
        [str(emotion) for emotion in model.classes],
        rng=np.random.default_rng(study.plan.split.seed),
        persons=table["person"],
        resamples=study.plan.validate.resamples,
    )
    return Transfer(scores, predictions, pd.DataFrame(excluded, columns=["file", "reason"]))


def _batches(
    dataset: Dataset, table: pd.DataFrame, crop: str, size: int, excluded: list[tuple[str, str]]
) -> Iterator[tuple[list[int], list[UInt8[np.ndarray, "side side 3"]]]]:
    rows: list[int] = []
    pixels: list[UInt8[np.ndarray, "side side 3"]] = []
    for row, image in enumerate(table["image"]):
        try:
            pixels.append(_framed(dataset, image, crop, size))
        except ImageError as error:
            excluded.append((image, error.reason))
            continue
        rows.append(row)
        if len(rows) == BATCH:
            yield rows, pixels
            rows, pixels = [], []
    if rows:
        yield rows, pixels


def _framed(dataset: Dataset, image: str, crop: str, size: int) -> UInt8[np.ndarray, "side side 3"]:
    rgb = dataset.read(image)
    if crop == "none":
        return framed(rgb, None, size)
    return framed(rgb, faces_in(rgb, image)[0].landmarks, size)
