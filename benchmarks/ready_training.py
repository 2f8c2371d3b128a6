"""How many times faster training on the shipped networks is than VGG-16's, and how accurate.

The faces of the sample and their split by persons, one process, one thread. Features are timed in
turn, a batch of each candidate a round, the shipped networks' heads as a study fits them, from
cached features. Epochs of VGG-16 are timed on one batch and scaled to all faces and to the epochs
of its recipe; docs/results.md has its accuracy. What counts is the time of the processor, because
the machine may be busy.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import process_time

import msgspec
import numpy as np
import pandas as pd
import torch

from benchmarks.timing import table
from emorank.networks import training
from emorank.networks.normalisation import to_batch
from emorank.networks.vgg import Chain
from emorank.study.folder import Study, create_study
from emorank.study.framed_faces import Framed
from emorank.study.plan import convolutions_of, normalisation_of, override, read_plan
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.shipped_plans import plan_file
from emorank.study.train_network import examples, fit_network
from emorank.vocabulary import Emotion

ROUNDS, BATCH = 3, 8
FEW = 32  # faces, a batch, on which VGG-16 is trained here
FROZEN, BLOCK = "VGG-16, frozen", "VGG-16, last block"
# Epochs and accuracy on the sample: the plan `sample` and docs/results.md.
VGG = {FROZEN: (30, 0.81), BLOCK: (40, 0.85)}
CANDIDATES = {
    FROZEN: {},
    BLOCK: {"train.unfreeze": "block5"},
    "expression": {"train.backbone": "expression", "train.views": 2},
    "expression+identity": {"train.backbone": "expression+identity", "train.views": 2},
}


@dataclass(frozen=True)
class Candidate:
    """A prepared study, its faces with their parts, and its network before training."""

    study: Study
    faces: pd.DataFrame
    net: Chain

    def part(self, name: str) -> pd.DataFrame:
        return self.faces[self.faces["part"] == name].reset_index(drop=True)


def main() -> str:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        candidates = {
            name: _candidate(Path(folder) / str(number), changes)
            for number, (name, changes) in enumerate(CANDIDATES.items())
        }
        features = _features(candidates)
        took, right = {}, {}
        for name, candidate in candidates.items():
            learnt = len(candidate.part("train")) * candidate.study.plan.train.views
            looked = learnt + len(candidate.part("validation"))
            if name in VGG:
                epochs, right[name] = VGG[name]
                seconds = epochs * _epoch(candidate)
            else:
                seconds, right[name] = _trained(candidate)
            took[name] = (looked * features[name], seconds)
    rows: list[list[object]] = []
    for name, (looking, learning) in took.items():
        ratios = [f"{sum(took[base]) / (looking + learning):.0f}" for base in VGG]
        seconds = [f"{1000 * features[name]:.1f}", f"{looking:.1f}", f"{learning:.1f}"]
        rows.append([name, *seconds, f"{right[name]:.2f}", *ratios])
    header = ["trained on", "features of a view, ms", "of all, s", "training, s", "accuracy"]
    return table([*header, *(f"times faster than {base}" for base in VGG)], rows)


def _candidate(folder: Path, changes: dict[str, object]) -> Candidate:
    study = create_study(
        folder,
        resolve(override(read_plan(plan_file("sample")), changes)),
    )
    run(study, last="prepare")
    faces = study.table("faces").merge(study.table("split"), on="image")
    classes = faces["emotion"].nunique()
    net = training.fresh(classes, convolutions_of(study.plan), study.plan.train)
    return Candidate(study, faces, net)


def _features(candidates: dict[str, Candidate]) -> dict[str, float]:
    """Median core-seconds of the frozen part for one view of a face."""
    inputs = {}
    for name, candidate in candidates.items():
        framed = Framed(candidate.study, candidate.faces)
        pixels = [framed(row) for row in range(BATCH)]
        inputs[name] = to_batch(pixels, normalisation_of(candidate.study.plan))
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(ROUNDS + 1):
        for name, candidate in candidates.items():
            start = process_time()
            with torch.inference_mode():
                candidate.net.trunk(inputs[name], candidate.study.plan.train.cut)
            if number:
                seconds[name].append((process_time() - start) / BATCH)
    return {name: median(values) for name, values in seconds.items()}


def _trained(candidate: Candidate) -> tuple[float, float]:
    """Core-seconds of training from cached features, and the accuracy on the test part."""
    study, recipe = candidate.study, candidate.study.plan.train
    classes = tuple(e for e in Emotion if e in set(candidate.faces["emotion"]))
    numbers = {str(emotion): number for number, emotion in enumerate(classes)}
    learning, watching, tested = (candidate.part(n) for n in ("train", "validation", "test"))

    def known(part: pd.DataFrame, views: int) -> training.Examples:
        labels = part["emotion"].map(numbers).to_numpy(np.int64)
        return examples(study, candidate.net, part, labels, views)

    for part, views in ((learning, recipe.views), (watching, 1)):
        known(part, views)  # fills the cache
    convolutions = convolutions_of(study.plan)
    start = process_time()
    net, _ = fit_network(study, classes, learning, watching, convolutions, recipe)
    seconds = process_time() - start
    test = known(tested, 1)
    with torch.inference_mode():
        logits = net.tail(test.features.batch(test.views[:, 0]), recipe.cut)
    return seconds, float((logits.argmax(1).numpy() == test.labels).mean())


def _epoch(candidate: Candidate) -> float:
    """Core-seconds of an epoch of VGG-16, from one of a few faces."""
    plan, learning = candidate.study.plan, candidate.part("train")
    some = learning.iloc[:FEW].reset_index(drop=True)
    labels = some["emotion"].factorize()[0].astype(np.int64)
    learnt = examples(candidate.study, candidate.net, some, labels, 1)
    watched = replace(learnt, views=learnt.views[:2], labels=learnt.labels[:2])
    seconds = []
    for epochs in (1, 1, 3):  # the first warms up
        recipe = msgspec.structs.replace(plan.train, epochs=epochs, batch=FEW)
        net = training.fresh(candidate.faces["emotion"].nunique(), convolutions_of(plan), recipe)
        start = process_time()
        training.train(net, learnt, watched, recipe)
        seconds.append(process_time() - start)
    # The difference is two epochs without what is done once.
    return (seconds[2] - seconds[1]) / 2 * len(learning) / FEW


if __name__ == "__main__":
    print(main())
