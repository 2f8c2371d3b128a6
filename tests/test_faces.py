"""Alignment against closed forms and synthetic pictures; detection on real photographs."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from emorank import faces, images

DATA = Path(__file__).parents[2] / "shared" / "data"

needs_london = pytest.mark.skipif(
    not (DATA / "london_faces").is_dir(), reason="photographs not present: ../shared/data"
)
needs_full = pytest.mark.skipif(
    not (DATA / "london_faces_full").is_dir(), reason="photographs not present: ../shared/data"
)
needs_plates = pytest.mark.skipif(
    not (DATA / "darwin_1872_plates").is_dir(), reason="plates not present: ../shared/data"
)

# Counted by eye; number 3 of plate 2 is a forehead, and number 4 of plate 1 shows two children.
FACES_ON_PLATES = {1: 7, 2: 6, 3: 6, 4: 2, 5: 3, 6: 4, 7: 2}


def _turn(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _painted(matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """A smooth pattern, defined on the unit square, as it looks after a similarity transform."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    inverse = np.linalg.inv(matrix[:, :2])
    u, v = np.moveaxis((np.stack([x, y], axis=-1) - matrix[:, 2]) @ inverse.T, -1, 0)
    waves = [np.sin(5 * u + v), np.cos(4 * v - u), np.sin(3 * u * 1.5 + 2 * v)]
    return (127.5 + 120 * np.stack(waves, axis=-1)).round().astype(np.uint8)


def _umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The slow way: Umeyama's singular value decomposition (1991), any number of dimensions."""
    centre, goal = source.mean(0), target.mean(0)
    covariance = (target - goal).T @ (source - centre) / len(source)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / ((source - centre) ** 2).sum(1).mean()
    return np.column_stack([scale * rotation, goal - scale * rotation @ centre])


similarities = st.builds(
    _turn,
    st.floats(60, 500),
    st.floats(-180, 180),
    st.tuples(st.floats(-50, 300), st.floats(-50, 300)),
)


@given(noise=st.integers(0, 2**32 - 1), size=st.floats(1, 300))
def test_similarity_agrees_with_umeyama(noise: int, size: float) -> None:
    """The complex closed form is Umeyama's solution, also for points that fit badly."""
    generator = np.random.default_rng(noise)
    source = faces.TEMPLATE * size + generator.normal(0, 0.05 * size, (5, 2))
    target = faces.TEMPLATE * 224 + generator.normal(0, 10, (5, 2))
    matrix = faces.similarity(source, target)
    assert_allclose(matrix, _umeyama(source, target), rtol=1e-8, atol=1e-8)
    assert np.linalg.det(matrix[:, :2]) > 0


@given(matrix=similarities)
def test_similarity_recovers_an_exact_transform(matrix: np.ndarray) -> None:
    """Points moved by a similarity give that similarity."""
    moved = _apply(matrix, faces.TEMPLATE)
    assert_allclose(faces.similarity(faces.TEMPLATE, moved), matrix, rtol=1e-9, atol=1e-7)


def test_crop_of_a_crop_is_itself() -> None:
    """Landmarks that lie on the template already leave the picture as it is, within rounding."""
    rgb = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    # One grey level: Pillow's transform rounds down.
    assert_allclose(faces.crop(rgb, faces.TEMPLATE * 224).astype(int), rgb, atol=1)


@settings(max_examples=40)
@given(
    scale=st.floats(80, 400),
    degrees=st.floats(-180, 180),
    shift=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
)
def test_crop_does_not_depend_on_how_the_face_lies(
    scale: float, degrees: float, shift: tuple[float, float]
) -> None:
    """Turn, scale and shift picture and landmarks alike: the crop stays, within rounding."""
    side = 700
    middle = _turn(scale, degrees, (0, 0))[:, :2] @ (0.5, 0.5)
    offset = (side / 2 - middle[0] + shift[0], side / 2 - middle[1] + shift[1])
    matrix = _turn(scale, degrees, offset)
    rgb = _painted(matrix, side, side)
    crop = faces.crop(rgb, _apply(matrix, faces.TEMPLATE), 96)
    expected = _painted(_turn(96, 0, (0, 0)), 96, 96)
    assert crop.flags.writeable
    assert_allclose(crop.astype(float), expected, atol=4)


def test_crop_is_antialiased() -> None:
    """A fine chequerboard, twelve times reduced and slightly turned, is grey and not an alias."""
    board = np.repeat((np.indices((800, 800)).sum(axis=0) % 2 * 255)[:, :, None], 3, axis=2)
    landmarks = _apply(_turn(600, 5, (100, 80)), faces.TEMPLATE)
    crop = faces.crop(board.astype(np.uint8), landmarks, 50)
    assert_allclose(crop.astype(float), 127.5, atol=3)


def test_crop_repeats_the_border() -> None:
    """Beyond the picture its outermost pixels go on, so that no black corner is learnt."""
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[:, :50], rgb[:, 50:] = (200, 30, 60), (10, 90, 160)
    landmarks = faces.TEMPLATE * 200 - 50  # a square from -50 to 150
    crop = faces.crop(rgb, landmarks, 200)
    assert_array_equal(crop[:, :90], np.broadcast_to(rgb[:1, :1], (200, 90, 3)))
    assert_array_equal(crop[:, 110:], np.broadcast_to(rgb[:1, -1:], (200, 90, 3)))


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    low=st.tuples(st.integers(-12, 12), st.integers(-12, 12)),
    extent=st.tuples(st.integers(1, 25), st.integers(1, 25)),
)
def test_cut_repeats_the_outermost_pixels(
    size: tuple[int, int], low: tuple[int, int], extent: tuple[int, int]
) -> None:
    """Inside, across a border or wholly beyond it: each pixel is the nearest one of the picture."""
    width, height = size
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    columns = np.arange(low[0], low[0] + extent[0]).clip(0, width - 1)
    rows = np.arange(low[1], low[1] + extent[1]).clip(0, height - 1)
    cut = faces._cut(rgb, np.array(low), np.add(low, extent))
    assert_array_equal(cut, rgb[rows[:, None], columns])


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [
        (np.full((5, 2), 30.0), "one place"),
        (np.full((5, 2), np.nan), "finite"),
        (faces.TEMPLATE * 50 + 1000, "not in the image"),
        (faces.TEMPLATE * 1e6 - 5e5, "not in the image"),
    ],
)
def test_impossible_landmarks_are_refused(landmarks: np.ndarray, reason: str) -> None:
    """Landmarks that no face has say so instead of giving a picture of nothing."""
    with pytest.raises(ValueError, match=reason):
        faces.crop(np.zeros((100, 100, 3), np.uint8), landmarks)


def test_template_is_symmetric_and_fixed() -> None:
    """Left mirrors right about the middle, and nobody moves it by accident."""
    mirrored = (faces.TEMPLATE * (-1, 1) + (1, 0))[[1, 0, 2, 4, 3]]
    assert_allclose(mirrored, faces.TEMPLATE, atol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        faces.TEMPLATE[0] = 0


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (300, 400), (16, 2000)])
def test_no_face_where_there_is_none(shape: tuple[int, int]) -> None:
    """Blank, noisy and striped pictures have no face."""
    blank = np.full((*shape, 3), 200, np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    stripes = blank.copy()
    stripes[::7] = 20
    for rgb in (blank, noise, stripes):
        assert faces.find(rgb) == ()


@pytest.mark.parametrize(
    ("longest", "sides"),
    [
        (48, (256,)),
        (384, (256,)),
        (762, (256, 640)),
        (1000, (256, 640, 1000)),
        (6000, (256, 640, 1536)),
    ],
)
def test_looks_grow_with_the_picture(longest: int, sides: tuple[int, ...]) -> None:
    """Small pictures are looked at once, large ones up to three times, none enlarged but once."""
    assert faces._scales(longest) == sides


def test_import_is_light() -> None:
    """Importing the module loads neither onnxruntime nor PyTorch."""
    code = (
        "import sys, emorank.faces; "
        "print([m for m in ('onnxruntime', 'torch') if m in sys.modules])"
    )
    path = Path(faces.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path
    )
    assert done.stdout.strip() == "[]"


@cache
def _london(number: str, folder: str = "neutral") -> np.ndarray:
    return images.read(next((DATA / "london_faces" / folder).glob(f"{number}*")))


@needs_london
@pytest.mark.parametrize("number", ["002", "033", "082", "141"])
@pytest.mark.parametrize("side", [48, 256, 900, 1536])
def test_one_face_at_any_size(number: str, side: int) -> None:
    """From 48 px, as in CK+48, to a close-up that fills 1536 px there is one face, alike placed."""
    rgb = _london(number)
    (expected,) = faces.find(rgb)
    (face,) = faces.find(images.resize(rgb, side))
    eyes = np.linalg.norm(expected.landmarks[1] - expected.landmarks[0])
    assert face.landmarks.dtype == np.float32
    assert_allclose(
        face.landmarks * 256 / side, expected.landmarks, atol=eyes * (0.1 if side < 100 else 0.04)
    )


@needs_london
def test_landmarks_are_in_the_order_of_the_template() -> None:
    """Eyes left and right in the image, nose between, mouth corners left and right below."""
    (face,) = faces.find(_london("033"))
    left, right, nose, mouth_left, mouth_right = face.landmarks
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert face.box[0] < left[0] < right[0] < face.box[2]
    assert face.box[1] < left[1] < mouth_left[1] < face.box[3]


@needs_london
@pytest.mark.parametrize("degrees", [-40, -15, 15, 40])
def test_crop_of_a_tilted_head_is_upright(degrees: float) -> None:
    """A photograph turned by some degrees gives the crop of the upright one."""
    rgb = _london("033")
    around = _turn(1, degrees, (0, 0))
    around[:, 2] = 128 - around[:, :2] @ (128, 128)
    tilted = faces._warp(rgb, around, 256)
    straight = faces.crop(rgb, faces.find(rgb)[0].landmarks)
    turned = faces.crop(tilted, faces.find(tilted)[0].landmarks)
    middle = slice(50, 174)
    difference = straight[middle, middle].astype(float) - turned[middle, middle]
    assert np.abs(difference).mean() < 8


@needs_london
@pytest.mark.parametrize("number", ["002", "033", "141"])
@pytest.mark.parametrize("part", [0.85, 0.6])
def test_face_that_fills_the_picture(number: str, part: float) -> None:
    """A picture cut inside the outline of the face still has its face, in its coordinates."""
    rgb = _london(number)
    (expected,) = faces.find(rgb)
    left, top, right, bottom = expected.box
    half_width, half_height = part * (right - left) / 2, part * (bottom - top) / 2
    x, y = int((left + right) / 2 - half_width), int((top + bottom) / 2 - half_height)
    cut = rgb[y : y + int(2 * half_height), x : x + int(2 * half_width)]
    (face,) = faces.find(cut)
    eyes = np.linalg.norm(expected.landmarks[1] - expected.landmarks[0])
    tolerance = eyes * (0.05 if part > 0.8 else 0.15)  # no outline helps at 0.6
    assert_allclose(face.landmarks + np.array([x, y]), expected.landmarks, atol=tolerance)


@needs_london
def test_faces_come_nearest_first() -> None:
    """Of three persons the one with the largest box comes first, and nobody comes twice."""
    group = np.full((420, 760, 3), 190, np.uint8)
    for x, side, number in ((0, 128, "002"), (140, 400, "033"), (550, 200, "141")):
        group[10 : 10 + side, x : x + side] = images.resize(_london(number), side)
    found = faces.find(group)
    assert len(found) == 3
    areas = [face.area for face in found]
    assert areas == sorted(areas, reverse=True)
    assert found[0].box[0] > 140
    assert found[1].box[0] > 540
    assert found[2].box[2] < 140


@needs_london
@pytest.mark.parametrize("side", [60, 120, 240, 400])
def test_nearest_alone_is_the_first_of_all(side: int) -> None:
    """Alone among smaller ones, whichever scale shows it: the same box, the same landmarks."""
    group = np.full((800, 1200, 3), 150, np.uint8)
    for place, number in enumerate(("002", "033", "141")):
        size, left = (side, int(0.8 * side), side // 2)[place], 10 + 410 * place
        group[20 : 20 + size, left : left + size] = images.resize(_london(number), size)
    every = faces.find(group)
    assert every
    (nearest,) = faces.find(group, nearest=True)
    assert nearest.box == every[0].box
    assert_array_equal(nearest.landmarks, every[0].landmarks)


@needs_full
def test_search_for_the_nearest_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a face is large at one scale, finer scales, which take most of the time, are left."""
    sides: list[int] = []
    detect = faces._detect
    monkeypatch.setattr(
        faces, "_detect", lambda rgb, side, t: sides.append(side) or detect(rgb, side, t)
    )
    rgb = images.read(next((DATA / "london_faces_full").glob("*_front.jpg")))
    assert len(faces.find(rgb, nearest=True)) == 1
    assert sides == [256]
    assert faces.find(np.full((480, 640, 3), 9, np.uint8), nearest=True) == ()


@needs_full
def test_photographs_with_background() -> None:
    """Hair, shoulders and wall around it: one face, and its crop fills the template."""
    for file in sorted((DATA / "london_faces_full").glob("*_front.jpg"))[::3]:
        rgb = images.read(file)
        (face,) = faces.find(rgb)
        crop = faces.crop(rgb, face.landmarks)
        (again,) = faces.find(crop)
        assert_allclose(again.landmarks / 224, faces.TEMPLATE, atol=0.08)


@needs_plates
@pytest.mark.parametrize("number", FACES_ON_PLATES)
def test_every_portrait_on_darwins_plates(number: int) -> None:
    """Screened prints of 1872, some in profile: all 30 faces, nothing else, no face twice."""
    rgb = images.read(DATA / "darwin_1872_plates" / f"plate-{number}.jpg")
    found = faces.find(rgb)
    assert len(found) == FACES_ON_PLATES[number]
    for place, face in enumerate(found):
        assert all(faces._distinct(face, other) for other in found[:place])
    (nearest,) = faces.find(rgb, nearest=True)
    assert nearest.box == found[0].box
    assert_array_equal(nearest.landmarks, found[0].landmarks)
