"""Measures which preset explains the shipped network most faithfully, on photographs.

    python studies/ready/heatmaps.py studies/ready/heatmaps.csv NAME=FOLDER [NAME=FOLDER …]

What is explained is the contrast of the expression to neutral, of faces whose contrast is above 0.
The measure is the area between the curves when the least and the most relevant of 14×14 regions
are removed first (`emorank.evaluation.maps.region_perturbation`), for four ways to fill them, in
units of the contrast; 0 is a map that knows nothing. `between` is the mean over the fills, with a
95 % interval over faces by bootstrap.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from emorank.datasets import folder_walk
from emorank.evaluation.maps.blind import BLIND, blind_map
from emorank.evaluation.maps.region_perturbation import FILLS, curves, ends
from emorank.framing import Views
from emorank.networks.normalisation import to_batch
from emorank.reading.measured import Measured, expressed
from emorank.reading.ready import ready_network
from emorank.relevance import PRESETS, prepare

RESAMPLES = 2000


def measured(name: str, folder: Path) -> pd.DataFrame:
    """A row for each preset and blind map."""
    network = ready_network()
    paths, _ = folder_walk.paths((folder,))
    pixels = [view.pixels for view in Views(paths, network.size, "face")]
    contrast = Measured(network, pixels).contrast
    pixels = [face for face, score in zip(pixels, contrast, strict=True) if score > 0]
    faces, measure = np.stack(pixels), Measured(network, pixels)
    target = expressed(measure.logits, network.classes)
    low, high = network.normalisation.bounds()
    maps = {}
    for preset in PRESETS:
        explain = prepare(network.net, preset, low=low, high=high)
        record = explain(to_batch(pixels, network.normalisation), measure._contrast)
        maps[preset] = record.pixels.sum(1).double().numpy()
    maps |= {blind: blind_map(blind, faces, np.random.default_rng(0)) for blind in BLIND}

    def score(images: np.ndarray) -> np.ndarray:
        logits = Measured(network, list(images)).logits
        return logits - logits[:, :1]  # neutral is the first class

    rows, rng = [], np.random.default_rng(0)
    whole = {fill: ends(score, faces, fill, np.random.default_rng(1)) for fill in FILLS}
    for method, values in maps.items():
        each = {
            fill: curves(
                score, faces, values, target, fill, whole[fill], np.random.default_rng(2)
            ).between()
            for fill in FILLS
        }
        mean = np.mean(list(each.values()), axis=0)
        drawn = mean[rng.integers(0, len(mean), (RESAMPLES, len(mean)))].mean(1)
        low_end, high_end = np.percentile(drawn, [2.5, 97.5])
        row = {"faces": name, "count": len(faces), "method": method, "between": mean.mean()}
        row |= {"low": low_end, "high": high_end}
        rows.append(row | {fill: value.mean() for fill, value in each.items()})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    parts = [
        measured(name, Path(folder)) for name, folder in (a.split("=", 1) for a in sys.argv[2:])
    ]
    pd.concat(parts).round(3).to_csv(sys.argv[1], index=False)
    print(pd.concat(parts).round(2).to_string())
