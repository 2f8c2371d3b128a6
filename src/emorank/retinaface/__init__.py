"""RetinaFace with a MobileNet of 0.25 width: boxes, scores and five landmarks of faces.

The network looks at a picture in cells of 8, 16 and 32 pixels. Each cell has two anchors, squares
about its middle, and says for each whether a face is there, and where its box and landmarks lie
relative to the anchor. Source: Deng et al., CVPR 2020; `NOTICE` says where the weights are from.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from emorank.errors import EmorankError

WEIGHTS = Path(__file__).with_name("mobilenet_025.onnx")
SHA256 = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"

# What the weights were trained with.
_CELLS = np.array([8, 16, 32])  # pixels
_ANCHORS = np.array([(16, 32), (64, 128), (256, 512)])  # pixels, the two of each cell
_CENTRE, _SIZE = 0.1, 0.2  # how the outputs for places and for sizes are scaled
_MEAN = (127, 117, 104)  # red, green, blue

SAME = 0.4  # boxes with more than this intersection over union are of one face
# Runs of at most so many pixels keep their working memory, about 60 MB, for the next run: they are
# a quarter faster for it. Larger runs give it back.
_KEPT = 640 * 640


@dataclass(frozen=True, eq=False)
class Detections:
    """Faces of one picture, best score first; pixels, the corner of the picture at (0, 0).

    Attributes:
        boxes: left, top, right, bottom.
        scores: 0 to 1.
        landmarks: eye at the left, eye at the right, nose tip, mouth corners left and right.
    """

    boxes: Float[np.ndarray, "faces 4"]
    scores: Float[np.ndarray, " faces"]
    landmarks: Float[np.ndarray, "faces 5 2"]


def detect(rgb: UInt8[np.ndarray, "batch height width 3"], threshold: float) -> list[Detections]:
    """The faces of each picture whose score exceeds the threshold.

    Raises:
        EmorankError: onnxruntime cannot be loaded, or the weights are not those that were shipped.
    """
    batch, height, width = rgb.shape[:3]
    pixels = np.empty((batch, 3, height, width), np.float32)
    for channel, mean in enumerate(_MEAN):
        np.subtract(rgb[..., channel], np.float32(mean), out=pixels[:, 2 - channel])  # blue first
    return [
        _decoded(boxes, scores[:, 1], points, (width, height), threshold)
        for boxes, scores, points in zip(*_network()(pixels), strict=True)
    ]


def anchors(
    numbers: Int[np.ndarray, " n"], size: tuple[int, int]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Middles and sides in pixels of anchors of a picture of (width, height), by their numbers.

    They are counted by size of cell, row, column, and place in the cell.
    """
    columns, rows = (-(-length // _CELLS) for length in size)
    ends = np.cumsum(2 * columns * rows)
    level = np.searchsorted(ends, numbers, side="right")
    cell, place = np.divmod(numbers - np.concatenate([[0], ends])[level], 2)
    row, column = np.divmod(cell, columns[level])
    middles = (np.stack([column, row], axis=1) + 0.5) * _CELLS[level, None]
    return middles, _ANCHORS[level, place].astype(float)


def distinct(
    boxes: Float[np.ndarray, "faces 4"], scores: Float[np.ndarray, " faces"], most: float
) -> Int[np.ndarray, " kept"]:
    """Which boxes to keep, best score first: none overlaps a better one by more than `most`.

    The overlap is intersection over union; the procedure is greedy non-maximum suppression.
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        left = left[shared <= most * (areas[best] + areas[left] - shared)]
    return np.array(kept, dtype=np.int64)


def _decoded(
    boxes: Float32[np.ndarray, "anchors 4"],
    scores: Float32[np.ndarray, " anchors"],
    points: Float32[np.ndarray, "anchors 10"],
    size: tuple[int, int],
    threshold: float,
) -> Detections:
    """Pixels from the outputs of the network, which are relative to the anchors."""
    numbers = np.flatnonzero(scores > threshold)
    middles, sides = anchors(numbers, size)
    places, lengths = np.split(boxes[numbers].astype(float), 2, axis=1)
    centres = middles + _CENTRE * sides[:, None] * places
    half = sides[:, None] * np.exp(_SIZE * lengths) / 2
    corners = np.concatenate([centres - half, centres + half], axis=1)
    offsets = points[numbers].astype(float).reshape(-1, 5, 2)
    landmarks = middles[:, None] + _CENTRE * sides[:, None, None] * offsets
    kept = distinct(corners, scores[numbers], SAME)
    return Detections(corners[kept], scores[numbers][kept], landmarks[kept])


@cache
def _network() -> Callable[[Float32[np.ndarray, "batch 3 height width"]], Any]:
    """The network in one thread: pixels to boxes, scores and points of all anchors."""
    try:
        import onnxruntime
    except ImportError as error:
        raise EmorankError(
            f"finding faces needs onnxruntime, which cannot be loaded: {error}. "
            "Install it again: pip install --force-reinstall onnxruntime"
        ) from error
    weights = WEIGHTS.read_bytes() if WEIGHTS.is_file() else b""
    if hashlib.sha256(weights).hexdigest() != SHA256:
        raise EmorankError(
            f"{WEIGHTS} is missing or not the file that was shipped (another SHA-256); "
            "install emorank again"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    shrinking = onnxruntime.RunOptions()
    shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(pixels: Float32[np.ndarray, "batch 3 height width"]) -> Any:
        large = pixels.size > 3 * _KEPT
        return session.run(None, {"input": pixels}, shrinking if large else None)

    return run
