"""What the estimators look at, computed once for all of them, and what it costs."""

import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch

from emorank.baselines import ESTIMATORS, Faces
from emorank.baselines.descriptors import CONVOLUTIONS, DESCRIPTORS, Pixels
from emorank.networks.normalisation import to_batch
from emorank.networks.vgg16 import CUT_BLOCK5, CUT_HEAD, VGG16, channels_last
from emorank.results.comparison import Times
from emorank.study.comparing.task import Task, faces_of
from emorank.study.run import Watch

TIMED = 8  # faces on which descriptors are timed


def describe(task: Task, table: pd.DataFrame, watch: Watch) -> None:
    """Compute what estimators look at, once for all of them."""
    progress = watch.start("features")
    faces = faces_of(table, task.study)
    needed = looked_at()
    for name in needed:
        if name == CONVOLUTIONS:
            net = convolutions(faces)
            for cut in (CUT_HEAD, CUT_BLOCK5):
                faces.convolutions(net, cut, progress)
        else:
            faces.descriptor(name, progress)
    watch.end("features", f"{', '.join(needed)} of {len(faces)} faces", True)


def looked_at() -> list[str]:
    """The descriptors that any estimator looks at."""
    return sorted({need for entry in ESTIMATORS.values() for need in entry.make.needs})


def convolutions(faces: Faces) -> VGG16:
    """The frozen network, its classifier of no account."""
    net = VGG16(2, hidden=1)
    net.load_state_dict(faces.weights.load(), strict=False)
    return channels_last(net)


def described_ms(task: Task) -> dict[str, float]:
    """Milliseconds that each descriptor takes of one face, measured on a few."""
    faces = faces_of(task.truth.head(TIMED), task.study)
    pixels = [faces.pixels(row) for row in range(len(faces))]
    milliseconds = {}
    for name in looked_at():
        look = _forward(faces) if name == CONVOLUTIONS else DESCRIPTORS[name]
        look(pixels[0])  # the first call makes filters
        begin = time.perf_counter()
        for face in pixels:
            look(face)
        milliseconds[name] = 1000 * (time.perf_counter() - begin) / len(pixels)
    return milliseconds


def _forward(faces: Faces) -> Callable[[Pixels], Any]:
    """One face through the convolutions."""
    net, normalisation = convolutions(faces), faces.weights.normalisation
    return torch.inference_mode()(lambda face: net.trunk(to_batch([face], normalisation), CUT_HEAD))


def times(said: pd.DataFrame, name: str, described: dict[str, float]) -> Times:
    """Milliseconds per image to learn, to predict, and to compute what is looked at."""
    entry = ESTIMATORS.get(name)
    features = sum(described[need] for need in entry.make.needs) if entry else None
    return Times(float(said["fit_ms"].mean()), features, float(said["predict_ms"].mean()))
