"""What does it gain to average the logits of three crops of each face?

    python studies/ready/crops.py studies/ready/crops.csv london_faces [STUDY …]

The shipped network reads the sample and people who are neutral in one picture and smile in another
(`london_faces`: folders neutral/ and happiness/, one file per person and folder under the same
name); each STUDY, which learnt from the sample, reads the second alone. Rows: accuracy (all answers
allowed); area under the curve of the contrast for "happy", smiling against neutral; Spearman of the
contrast for the emotion that is shown with the known intensity, within emotion; with one crop, with
those of each set of widths, and the gain; 95 % intervals over persons.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emorank import images
from emorank.datasets import sample
from emorank.evaluation.statistics.correlation import auc, spearman
from emorank.evaluation.statistics.uncertainty import resampled
from emorank.framing import faces_in, framed
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.reader import BATCH
from emorank.reading.ready import ready_network
from emorank.study.folder import open_study
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

SETS = ((1.0,), (0.9, 1.0, 1.14), (0.95, 1.0, 1.07), (1.0, 1.07, 1.14), (1.0, 1.14))
"""Widths in usual crops; the second set is what `--crops 3` takes."""


def photographs(folder: Path) -> pd.DataFrame:
    """`path`, `person` and `emotion` of each."""
    words = {"neutral": "neutral", "happiness": "happy"}
    return pd.DataFrame(
        [
            {"path": path, "person": path.stem.split("_")[0], "emotion": emotion}
            for word, emotion in words.items()
            for path in sorted((folder / word).glob("*.jpg"))
        ]
    )


def rendered() -> pd.DataFrame:
    """The same of the sample, and `intensity`."""
    shipped = sample.load()
    path = shipped.table["image"].map(lambda image: shipped.root / image)
    return shipped.table.assign(path=path).reset_index(drop=True)


def logits(network: EmotionNetwork, faces: pd.DataFrame) -> dict[float, np.ndarray]:
    """Of each face in a crop of each width."""
    found: dict[float, list[np.ndarray]] = {width: [] for one in SETS for width in one}
    for start in range(0, len(faces), BATCH):
        pictures = [images.read(path) for path in faces["path"].iloc[start : start + BATCH]]
        marks = [faces_in(rgb, "a face", nearest=True)[0].landmarks for rgb in pictures]
        for width, parts in found.items():
            pixels = [
                framed(rgb, mark, network.size, network.width * width)
                for rgb, mark in zip(pictures, marks, strict=True)
            ]
            parts.append(Measured(network, pixels).logits)
    return {width: np.concatenate(parts) for width, parts in found.items()}


def rows(
    about: dict[str, object],
    faces: pd.DataFrame,
    classes: tuple[Emotion, ...],
    by_width: dict[float, np.ndarray],
) -> Iterator[dict[str, object]]:
    """What each set of crops gains."""
    person, size = pd.factorize(faces["person"])[0], faces["person"].nunique()
    emotion = faces["emotion"].to_numpy(str)
    words = [str(one) for one in classes]
    label, calm = np.array([words.index(word) for word in emotion]), words.index("neutral")
    asked = np.where(label == calm, words.index("happy"), label)

    def statistics(draws: np.ndarray) -> dict[str, np.ndarray]:
        weights, found = draws[:, person], {}
        for widths in SETS:
            mean = np.mean([by_width[width] for width in widths], axis=0)
            score = mean[np.arange(len(mean)), asked] - mean[:, calm]
            name = " ".join(map(str, widths))
            found["accuracy", name] = (weights * (mean.argmax(1) == label)).sum(1) / weights.sum(1)
            if "intensity" in faces:
                sums, mass = 0.0, 0.0
                for place in set(label) - {calm}:
                    of = label == place
                    known, share = faces["intensity"].to_numpy(float)[of], weights[:, of]
                    sums = sums + spearman(score[of], known, share) * share.sum(1)
                    mass = mass + share.sum(1)
                found["Spearman", name] = sums / mass
            else:
                smile = label != calm
                sides = (score[smile], score[~smile], person[smile], person[~smile])
                found["area", name] = np.asarray(auc(*sides, size)(draws))
        for measure, name in [key for key in found if key[1] != "1.0"]:
            found[f"{measure} gain", name] = found[measure, name] - found[measure, "1.0"]
        return found  # type: ignore[return-value]

    rng = np.random.default_rng(0)
    for (measure, name), value in resampled(statistics, np.ones(size, np.int64), rng).items():
        row = {"count": len(faces), "persons": size, "measure": measure, "widths": name}
        yield about | row | {"value": value.value, "low": value.low, "high": value.high}


def main() -> None:
    """Measure, write, print."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    london, shipped = photographs(Path(sys.argv[2])), ready_network()
    asked = [("ready", shipped, "London", london), ("ready", shipped, "sample", rendered())]
    for study in sys.argv[3:]:
        network = trained_network(open_study(study))
        asked.append((Path(study).name, network, "London", london))
    found = []
    for name, network, of, faces in asked:
        about: dict[str, object] = {"network": name, "faces": of}
        found += rows(about, faces, tuple(network.classes), logits(network, faces))
    table = pd.DataFrame(found).round(3)
    table.to_csv(sys.argv[1], index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
