"""The features of 1,000 faces, finding them included, against 40 seconds on two cores.

Portraits made of the sample's faces go the way of a study: read, find the face, frame it, then
the features of `expression+identity`, with an empty cache. Both stages are timed on fewer
pictures and scaled. Core-seconds do not depend on what else the machine does; on two cores a study
needs between half of them and all.
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
        core, wall = (scale * (a + b) for a, b in zip(finding, looking, strict=True))
        parts = [f"{scale * part[0]:.1f}" for part in (finding, looking)]
        verdict = "yes" if core < 2 * LIMIT else "no"
        rows.append([f"{width}×{height}", seen, *parts, f"{core:.1f}", f"{wall:.1f}", verdict])
    header = ["picture", "faces", "read, find, frame: core-s", "features: core-s", "both: core-s"]
    return table([*header, "both: s by the clock", f"below 2 × {LIMIT} core-s"], rows)


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


def _measured(folder: Path, faces: Path) -> tuple[tuple[float, float], tuple[float, float], int]:
    """Seconds of the processor and by the clock for each of the two stages; faces found."""
    plan = override(read_plan(plan_file("folder")), {"data.path": str(faces), "train.views": 1})
    study = create_study(folder, resolve(plan))
    begin = time.process_time(), time.perf_counter()
    run(study, last="prepare")
    between = time.process_time(), time.perf_counter()
    found = study.table("faces")
    net = training.fresh(found["emotion"].nunique(), {}, study.plan.train)
    examples(study, net, found, np.zeros(len(found), np.int64), 1)
    end = time.process_time(), time.perf_counter()
    finding = (between[0] - begin[0], between[1] - begin[1])
    return finding, (end[0] - between[0], end[1] - between[1]), len(found)


if __name__ == "__main__":
    print(main())
