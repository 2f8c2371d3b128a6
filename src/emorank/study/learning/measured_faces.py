"""A study's own faces measured from the features that its training cached, and their scales."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emorank.progress import Progress, silent
from emorank.ranking.evidence import SCORE, Cuts, cuts
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.reader import BATCH
from emorank.study.folder import Study
from emorank.study.other_network import source_study
from emorank.study.train_network import contrast_temperature, examples
from emorank.vocabulary import Emotion

EVIDENCE = "evidence"  # the result that holds the cuts


def measured_faces(
    study: Study, network: EmotionNetwork, faces: pd.DataFrame, progress: Progress = silent
) -> Iterator[Measured]:
    """The faces a batch at a time, in their order; their pixels are read if they are not cached.

    The network is the study's own, or one with the same frozen layers; `progress` is told of the
    features that are not in the cache.
    """
    faces = faces.reset_index(drop=True)
    labels = np.zeros(len(faces), np.int64)  # nothing is learnt here
    cached = examples(study, network.net, faces, labels, 1, progress).features
    for start in range(0, len(faces), BATCH):
        rows = np.arange(start, min(start + BATCH, len(faces)))
        yield Measured(network, trunk=cached.batch(rows))


def evidence_of_faces(
    study: Study, network: EmotionNetwork, faces: pd.DataFrame, progress: Progress = silent
) -> pd.DataFrame:
    """The contrast to neutral and the features of the evidence, a row a face.

    Also `image`, `person`, `part` and the emotions.
    """
    parts = [
        pd.concat([measured.evidence.assign(contrast=measured.contrast), measured.table], axis=1)
        for measured in measured_faces(study, network, faces, progress)
    ]
    about = faces[["image", "person", "part"]].reset_index(drop=True)
    return pd.concat([about, pd.concat(parts, ignore_index=True)], axis=1)


def evidence_cuts(study: Study, network: EmotionNetwork, progress: Progress = silent) -> Cuts:
    """Those that `calibrate` wrote into the study, or else worked out from its faces.

    Only the faces of the validation part count: a network finds more evidence on persons that it
    has learnt from than on others, so thirds of theirs would call everybody else Minimal.

    Raises:
        StudyError: the study is not prepared, or too few faces are left.
    """
    stored = study.result(EVIDENCE)
    if stored is not None:
        return {word: (low, high) for word, (low, high) in stored.items()}
    faces = study.table("faces").merge(study.table("split"), on="image")
    validation = faces[faces["part"] == "validation"]
    if validation.empty:
        return cuts(np.empty(0), ())  # which says that there are too few
    return cuts_of(evidence_of_faces(study, network, validation, progress))


def temperature_of(study: Study, network: EmotionNetwork, progress: Progress = silent) -> float:
    """The temperature of the contrast to neutral that was learnt with the network.

    Networks of earlier versions come without it: then it is worked out from the validation part of
    the study that trained the network.

    Raises:
        StudyError: that study is gone, or not prepared.
    """
    if network.temperature is not None:
        return network.temperature
    source = source_study(study.plan.network) if study.plan.network else study
    faces = source.table("faces").merge(source.table("split"), on="image")
    validation = faces[faces["part"] == "validation"].reset_index(drop=True)
    return contrast_temperature(source, network.net, network.classes, validation, progress)


def cuts_of(evidence: pd.DataFrame) -> Cuts:
    """The cuts, without any votes, of faces with `predicted` and the features of the evidence."""
    shown = evidence[evidence["predicted"] != Emotion.NEUTRAL]
    return cuts(shown[SCORE].to_numpy(), shown["predicted"].to_list())
