"""The features of 1,000 faces, finding them included, against 40 seconds on two cores.

Portraits made of the sample's faces go the way of a study: read, find the face, frame it, then
the features of `expression+identity`, with an empty cache. Both stages are timed on fewer
pictures and scaled. Seconds of the processor hardly depend on what else the machine does, those by
the clock do. What two quiet cores need is computed: what the main thread does alone, and half of
the rest, which the threads share.
"""

import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from benchmarks.timing import table
from emorank import datasets, images
from emorank.networks import training
from emorank.study.folder import create_study
from emorank.study.plan import override, read_plan
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.shipped_plans import plan_file
from emorank.study.train_network import examples

PICTURES, THOUSAND, LIMIT = 100, 1000, 40
SIZES = ((256, 256), (640, 480), (1350, 1350))


def main() -> str:
    rows: list[list[object]] = []
    for width, height in SIZES:
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.dict("os.environ", {"EMORANK_CACHE": folder}),
        ):
            faces = Path(folder) / "faces"
            _portraits(faces, width, height)
            finding, looking, seen = _measured(Path(folder) / "study", faces)
        scale = THOUSAND / seen
        core, alone, wall = (scale * sum(pair) for pair in zip(finding, looking, strict=True))
        parts = [f"{scale * part[0]:.1f}" for part in (finding, looking)]
        two = alone + (core - alone) / 2
        rows.append(
            [f"{width}×{height}", seen, *parts]
            + [f"{seconds:.1f}" for seconds in (core, alone, two, wall)]
            + ["yes" if two < LIMIT else "no"]
        )
    header = ["picture", "faces", "read, find, frame: core-s", "features: core-s", "both: core-s"]
    clock = ["on two quiet cores: s", "here by the clock: s", f"below {LIMIT} s on two"]
    return table([*header, "of it the main thread alone", *clock], rows)


def _portraits(folder: Path, width: int, height: int) -> None:
    """A folder for each emotion, with JPEGs of rendered faces before a grey ground."""
    sample = datasets.load(None, "sample")
    side = min(width, height) * 3 // 5
    top, left = (height - side) // 2, (width - side) // 2
    chosen = sample.table.sample(PICTURES, random_state=0)
    for number, (name, emotion) in enumerate(zip(chosen["image"], chosen["emotion"], strict=True)):
        rgb = np.full((height, width, 3), 150, np.uint8)
        rgb[top : top + side, left : left + side] = images.resize(sample.read(name), side)
        place = folder / str(emotion)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(place / f"p{number:03}.jpg", quality=92)


Clocks = tuple[float, float, float]
"""Seconds of the processor in all, of it in the main thread, and by the clock."""


def _measured(folder: Path, faces: Path) -> tuple[Clocks, Clocks, int]:
    """What each of the two stages took; faces found."""
    plan = override(read_plan(plan_file("folder")), {"data.path": str(faces), "train.views": 1})
    study = create_study(folder, resolve(plan))
    begin = _clocks()
    run(study, last="prepare")
    between = _clocks()
    found = study.table("faces")
    net = training.fresh(found["emotion"].nunique(), {}, study.plan.train)
    examples(study, net, found, np.zeros(len(found), np.int64), 1)
    finding, looking = between - begin, _clocks() - between
    return tuple(finding), tuple(looking), len(found)


def _clocks() -> np.ndarray:
    return np.array([time.process_time(), time.thread_time(), time.perf_counter()])


if __name__ == "__main__":
    print(main())
