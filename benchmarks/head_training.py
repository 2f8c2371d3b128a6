"""Training on cached features against running the convolutions in every epoch.

The same training twice, on the same faces from the same start: once with the features computed
before and kept (`emorank.networks.features`), once with the frozen convolutions run for each batch.
Everything else is equal. The ratio at 30 epochs counts the one pass that fills the cache.
"""

import tempfile
import time
from dataclasses import dataclass
from functools import partial
from statistics import median
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from benchmarks.timing import table
from emorank import datasets
from emorank.networks import training, weights
from emorank.networks.features import Features, features
from emorank.networks.normalisation import to_batch
from emorank.networks.training import Examples, Recipe
from emorank.networks.vgg16 import CUT_HEAD, VGG16

FACES, EPOCHS, ROUNDS = 64, 30, 3
# Of each in a round, after a first epoch that makes the optimiser's state and isn't counted.
EPOCHS_A_ROUND = {"cached": 6, "recomputed": 1}


@dataclass(frozen=True)
class Recomputed(Features):
    """Features that are computed anew for every batch."""

    net: VGG16
    images: list[np.ndarray]

    def batch(self, images: np.ndarray) -> Tensor:
        with torch.inference_mode():
            maps = self.net.trunk(to_batch([self.images[i] for i in images]), CUT_HEAD)
        return maps.clone()


def main() -> str:
    sample = datasets.load(None, "sample")
    chosen = sample.table.sample(FACES, random_state=0)
    images = [sample.read(name) for name in chosen["image"]]
    labels = chosen["emotion"].factorize()[0].astype(np.int64)
    state = weights.load()
    rows: list[list[object]] = []
    for batch in (32, 64):
        cached, recomputed, filling = _measure(images, labels, state, batch)
        ratio = EPOCHS * recomputed / (filling + EPOCHS * cached)
        rows.append(
            [
                batch,
                f"{cached:.2f}",
                f"{recomputed:.2f}",
                f"{filling:.2f}",
                f"{recomputed / cached:.1f}",
                f"{ratio:.1f}",
            ]
        )
    header = ["batch", "cached, s an epoch", "recomputed, s an epoch", "filling the cache, s"]
    return table([*header, "ratio of an epoch", f"ratio at {EPOCHS} epochs"], rows)


def _measure(
    images: list[np.ndarray], labels: np.ndarray, state: dict[str, Tensor], batch: int
) -> tuple[float, float, float]:
    """Median seconds of an epoch with and without the cache, and of filling it."""
    keys = [str(i) for i in range(len(images))]
    views = np.arange(len(images)).reshape(-1, 1)
    seconds: dict[str, list[float]] = {"cached": [], "recomputed": [], "filling": []}
    for number in range(ROUNDS + 1):
        net = training.fresh(7, state, Recipe())
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict("os.environ", {"EMORANK_CACHE": folder}),
        ):
            start = time.perf_counter()
            kept = features(net, CUT_HEAD, 224, keys, partial(map, images.__getitem__))
            filling = time.perf_counter() - start
            again = Recomputed(kept.records, kept.rows, net, images)
            for name, source in (("cached", kept), ("recomputed", again)):
                recipe = Recipe(epochs=EPOCHS_A_ROUND[name] + 1, batch=batch)
                net = training.fresh(7, state, recipe)
                learnt = Examples(source, views, labels)
                # Two images: validation costs as good as nothing in both.
                watched = Examples(kept, views[:2], labels[:2])
                curves = training.train(net, learnt, watched, recipe)
                if number:
                    seconds[name] += [epoch.seconds for epoch in curves[1:]]
        if number:
            seconds["filling"].append(filling)
    cached, recomputed, filling = (median(values) for values in seconds.values())
    return cached, recomputed, filling


if __name__ == "__main__":
    print(main())
