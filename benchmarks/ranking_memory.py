"""Peak memory of ranking 100 and 1000 images.

Two paths: the rank stage over stored relevance maps (3 × 224 × 224), and `emorank rank IMAGES`
on new images, with a small network so that it takes seconds. Each in a process of its own; the
figure is the kernel's peak resident size (VmHWM, which a new program starts from nothing).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import table

STORED = """
import sys
from pathlib import Path
import numpy as np
from emorank.ranking import rank
from emorank.records import RecordStore
store = RecordStore(Path(sys.argv[1]), (3, 224, 224), np.dtype(np.float32))
random = np.random.default_rng(0)
with store.appending() as out:
    for number in range(int(sys.argv[2])):
        out.append([str(number)], random.normal(size=(1, 3, 224, 224)).astype(np.float32))
ranks = [found for _, maps in store.chunks(16) for found in rank(maps).ranks]
assert len(ranks) == int(sys.argv[2])
print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
"""

NEW = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
from emorank.networks import checkpoint, training, weights
from emorank.networks.training import Recipe
from emorank import rank_images
from emorank.study.folder import create_study
from emorank.study.plan import Plan
from emorank.vocabulary import Emotion
study = create_study(Path(sys.argv[1]), Plan())
net = training.fresh(7, weights.load(), Recipe(hidden=16)).eval()
checkpoint.save(
    checkpoint.Checkpoint(net, tuple(Emotion)[:7], 64, "none"), study.path("model.safetensors")
)
image = study.path("face.png")
Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(image)
assert sum(1 for _ in rank_images(study, [image] * int(sys.argv[2]))) == int(sys.argv[2])
print(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
"""


def main() -> str:
    rows: list[list[object]] = []
    for name, script in (("stored relevance maps", STORED), ("new images", NEW)):
        few, many = (_peak(script, count) for count in (100, 1000))
        rows.append([name, f"{few / 1024:.0f}", f"{many / 1024:.0f}", f"{many / few:.2f}"])
    return table(["ranking", "100 images, MiB", "1000 images, MiB", "ratio"], rows)


def _peak(script: str, count: int) -> int:
    """Peak resident size in KiB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", script, str(Path(folder) / "work"), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    print(main())
