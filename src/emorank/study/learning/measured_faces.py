"""A study's own faces measured by a network, from the features that its training has cached."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.reader import BATCH
from emorank.study.folder import Study
from emorank.study.train_network import examples


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
    """`image`, `person`, `part`, the emotions and the features of the evidence, a row a face."""
    parts = [
        pd.concat([measured.evidence, measured.table], axis=1)
        for measured in measured_faces(study, network, faces, progress)
    ]
    about = faces[["image", "person", "part"]].reset_index(drop=True)
    return pd.concat([about, pd.concat(parts, ignore_index=True)], axis=1)
