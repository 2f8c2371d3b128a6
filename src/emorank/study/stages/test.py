"""Stage 3: name the expressed emotion of every image of the test part, and score the names."""

import numpy as np
import pandas as pd

from emorank.evaluation.classification import classification
from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured, prediction_table
from emorank.records import RecordStore
from emorank.report.words import estimate
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.trained_network import trained_network

LOGITS = "logits.partial"
BATCH = 8


def test(study: Study, progress: Progress = silent) -> str:  # noqa: PT028 - a stage
    """Write predictions and their scores; returns a line that says what came out.

    Raises:
        StudyError: the study is not prepared.
        WeightsError: the study has no model, or a damaged one.
    """
    network = trained_network(study)
    parts = study.table("faces").merge(study.table("split"), on="image")
    table = parts[parts["part"] == "test"].reset_index(drop=True)
    logits = _logits(study, network, table, progress)
    predictions = prediction_table(logits, network.classes)
    predictions.insert(0, "image", table["image"])
    predictions.insert(1, "part", "test")
    predictions.insert(2, "emotion", table["emotion"])
    study.write_table("predictions", predictions)
    learnt = parts.loc[parts["part"] == "train", "emotion"]
    result = classification(
        predictions["emotion"],
        predictions["predicted"],
        [str(emotion) for emotion in network.classes],
        rng=np.random.default_rng(study.plan.split.seed),
        persons=table["person"],
        majority=str(learnt.mode().iloc[0]) if len(learnt) else None,
        resamples=study.plan.validate.resamples,
    )
    study.write_metrics("emotion", result)
    return (
        f"accuracy {estimate(result.accuracy_over_persons, 3)} on {result.count} images of "
        f"{len(network.classes)} emotions"
    )


def _logits(
    study: Study, network: EmotionNetwork, table: pd.DataFrame, progress: Progress
) -> np.ndarray:
    """Of every image, from the store as far as an earlier attempt came."""
    store = RecordStore(study.path(LOGITS), (len(network.classes),), np.dtype(np.float32))
    framed = Framed(study, table)
    have = set(store.keys())
    wanted = [i for i, digest in enumerate(table["digest"]) if digest not in have]
    with store.appending() as out:
        for start in range(0, len(wanted), BATCH):
            rows = wanted[start : start + BATCH]
            progress(len(table) - len(wanted) + start, len(table), "test images")
            measured = Measured(network, [framed(i) for i in rows])
            out.append([table["digest"][i] for i in rows], measured.logits)
    progress(len(table), len(table), "test images")
    return store.of(table["digest"].to_list())
