"""Stage 3: name the expressed emotion of every image of the test part, and score the names."""

import shutil

import numpy as np
import pandas as pd
import torch

from emorank.evaluation.classification import classification
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.progress import Progress, silent
from emorank.records import RecordStore
from emorank.study.folder import Study
from emorank.study.framing import Framed
from emorank.vocabulary import Emotion

LOGITS = "logits.partial"
BATCH = 8


def test(study: Study, progress: Progress = silent) -> str:  # noqa: PT028 - a stage
    """Write predictions and their scores; returns a line that says what came out.

    Raises:
        StudyError: the study is not prepared.
        WeightsError: the study has no model, or a damaged one.
    """
    model = checkpoint.load(study.path("model.safetensors"))
    parts = study.table("faces").merge(study.table("split"), on="image")
    table = parts[parts["part"] == "test"].reset_index(drop=True)
    logits = _logits(study, model, table, progress)
    predictions = predictions_table(table["image"], logits, model.classes)
    predictions.insert(1, "part", "test")
    predictions.insert(2, "emotion", table["emotion"])
    study.write_table("predictions", predictions)
    learnt = parts.loc[parts["part"] == "train", "emotion"]
    result = classification(
        predictions["emotion"],
        predictions["predicted"],
        [str(emotion) for emotion in model.classes],
        rng=np.random.default_rng(study.plan.split.seed),
        persons=table["person"],
        majority=str(learnt.mode().iloc[0]) if len(learnt) else None,
        resamples=study.plan.validate.resamples,
    )
    study.write_metrics("emotion", result)
    shutil.rmtree(study.path(LOGITS), ignore_errors=True)
    low, high = result.accuracy.low, result.accuracy.high
    return (
        f"accuracy {result.accuracy.value:.3f} ({low:.3f}–{high:.3f}) on {result.count} images of "
        f"{len(model.classes)} emotions"
    )


def _logits(
    study: Study, model: checkpoint.Checkpoint, table: pd.DataFrame, progress: Progress
) -> np.ndarray:
    """Of every image, from the store as far as an earlier attempt came."""
    store = RecordStore(study.path(LOGITS), (len(model.classes),), np.dtype(np.float32))
    framed = Framed(study, table)
    have = set(store.keys())
    wanted = [i for i, digest in enumerate(table["digest"]) if digest not in have]
    net = model.net.to(study.plan.model.device)
    with store.appending() as out, torch.inference_mode():
        for start in range(0, len(wanted), BATCH):
            rows = wanted[start : start + BATCH]
            progress(len(table) - len(wanted) + start, len(table), "test images")
            logits = net(to_batch([framed(i) for i in rows]).to(study.plan.model.device))
            out.append([table["digest"][i] for i in rows], logits.cpu().numpy())
    progress(len(table), len(table), "test images")
    row = {key: i for i, key in enumerate(store.keys())}
    return np.asarray(store.read()[[row[digest] for digest in table["digest"]]])


def predictions_table(
    images: pd.Series, logits: np.ndarray, classes: tuple[Emotion, ...]
) -> pd.DataFrame:
    """Predicted emotion, the probability of each, and the logit of the predicted."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = shifted / shifted.sum(1, keepdims=True)
    predicted = logits.argmax(1)
    table = pd.DataFrame({"image": images.to_numpy()})
    table["predicted"] = pd.array([str(classes[i]) for i in predicted], dtype="string")
    for i, emotion in enumerate(classes):
        table[f"p_{emotion}"] = probabilities[:, i].astype(np.float32)
    table["logit"] = logits.max(1).astype(np.float32)
    return table
