"""Find faces, align them by five landmarks, and crop them all in the same way.

Because all data sets have the same crop, a model trained on one can be used on another.
`docs/faces.md` shows the crop and how many faces are found.

Coordinates are pixels of the upright image, x to the right and y down, with the corner of the
first pixel at (0, 0) and so its centre at (0.5, 0.5).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image

from emorank import images, retinaface
from emorank.given_pictures import Given, name_of, rgb_of

TEMPLATE: Float[np.ndarray, "5 2"] = np.array(
    [(0.300, 0.320), (0.700, 0.320), (0.500, 0.547), (0.336, 0.783), (0.664, 0.783)]
)
"""Where a crop of side 1 has the eyes, the nose tip and the corners of the mouth.

The eyes are 0.40 of the side apart, about as in the CK+48 release. The crop is wide enough for
raised brows and an open mouth, which show the expression, and narrow enough to leave out most of
hair and background, which show the person.
"""
TEMPLATE.setflags(write=False)
FOLLOWED = 0.5
"""The detector's confidence that is enough where a face was in the picture before."""

# The longest side of the image, in pixels, at each scale. At 256 px a face that fills the picture
# is found as one; at 1536 px faces of 1/60 of the side are found too.
_SIDES = (256, 640, 1536)
_FINER_FROM = 1.5  # times the last side: a smaller step finds no more faces
_SURE = 48  # px: a face whose box is so large at a scale is found at this scale
_PART = 0.5  # a box with this share or more inside a bigger face is a part of that face
# Landmarks are measured again in a frame where the face is upright and about 110 px wide: there
# they depend least on the scale of the image.
_FRAME, _SHRINK, _LOWER = 224, 0.5625, 0.01125
_AGREE = 0.5  # × distance of the eyes: greatest distance of the second measurement from the first
_MERGED = 3  # times the final size: to what a far larger cut is reduced before it is resized
_LARGEST_CUT = 20_000  # pixels a side; landmarks that need more are not of a face in the picture

Points = Float[np.ndarray, "5 2"]
Picture = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, eq=False)
class Face:
    """A face in an image.

    Attributes:
        box: left, top, right, bottom in pixels; may reach over the border of the image.
        score: the detector's confidence, 0 to 1.
        landmarks: float32 pixels; eye at the image's left, eye at its right, nose tip, mouth
            corner at the left, at the right.
        rough: the landmarks before they were measured a second time; None where they were not.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Float[np.ndarray, "5 2"]
    rough: Float[np.ndarray, "5 2"] | None = None

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


def find(picture: Given, *, threshold: float = 0.8, nearest: bool = False) -> tuple[Face, ...]:
    """Every face of an image, nearest first; empty where there is none.

    `nearest`: only the first of them. In a picture larger than 384 px this takes half of the time
    or less, because faces smaller than one that was found are not looked for.

    The face with the largest box counts as the nearest, because a photograph does not show
    distance. The detector is RetinaFace (Deng et al., CVPR 2020) with a MobileNet of 0.25 width, in
    one thread. The picture is in any form of `given_pictures`.

    Raises:
        ImageError: it is no picture, or cannot be read.
        EmorankError: the detector cannot be loaded; the message says what to install.
    """
    rgb = rgb_of(picture, name_of(picture, 0))
    longest = max(rgb.shape[:2])
    faces = _search(rgb, _scales(longest), threshold, nearest)
    if not faces:
        faces = _search_bordered(rgb, threshold, nearest)
    found = tuple(sorted(faces, key=lambda face: -face.area))
    return found[:1] if nearest else found


def follow(rgb: Picture, face: Face, threshold: float = FOLLOWED) -> Face | None:
    """The same face in the next picture of a film; None where it is not seen any longer.

    Its landmarks are measured again as `find` measures them, in a frame around the place where
    they were, so it costs a small part of a search. The box moves and grows with the landmarks.
    The face may move by half of the distance between its eyes from one picture to the next.

    Args:
        rgb: the next picture.
        face: as it was found or followed before.
        threshold: what the detector's confidence has to exceed; lower than that of `find`, because
            it is known that a face was there.
    """
    # What the second measurement finds depends a little on where it begins. Begun from its own last
    # result it would wander off from what a search finds; so it begins where a search would.
    begun = face if face.rough is None else replace(face, landmarks=face.rough)
    if (moved := _refine(rgb, begun, threshold)) is None:
        return None
    matrix = similarity(face.landmarks, moved.landmarks)
    box = np.reshape(face.box, (2, 2))
    centre, reach = box.mean(axis=0), np.diff(box, axis=0)[0] / 2
    centre, reach = _mapped(centre, matrix), reach * np.sqrt(np.linalg.det(matrix[:, :2]))
    (left, top), (right, bottom) = (centre - reach).tolist(), (centre + reach).tolist()
    rough = _mapped(begun.landmarks, matrix).astype(np.float32)
    return Face((left, top, right, bottom), face.score, moved.landmarks, rough)


def frame_of(landmarks: Points, size: int, width: float = 1.0) -> Float[np.ndarray, "2 3"]:
    """[A b] of x' = A x + b, from pixels of the image to those of the crop that `crop` makes.

    Raises:
        ValueError: the landmarks are not five distinct finite points.
    """
    return similarity(landmarks, (0.5 + (TEMPLATE - 0.5) / width) * size)


def crop(
    rgb: Picture, landmarks: Points, size: int = 224, *, width: float = 1.0
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """The square in which the landmarks lie nearest to `TEMPLATE`, in least squares.

    `width` is that of the square in usual crops: at 1.3 more around the face is seen.

    The image is only shifted, turned and scaled, so proportions stay the same. It is antialiased.
    Beyond the border of the image its outermost pixels are repeated.

    Raises:
        ValueError: the landmarks are not five distinct finite points near the image.
    """
    return _warp(rgb, frame_of(landmarks, size, width), size)


def similarity(source: Points, target: Points) -> Float[np.ndarray, "2 3"]:
    """The shift, turn and scale that bring source nearest to target; [A b] of x' = A x + b.

    Least squares without reflection: Umeyama, IEEE TPAMI 13 (1991), equations 40 to 43, which in
    two dimensions is one division of complex numbers.

    Raises:
        ValueError: there are not five finite points, or all are in one place.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != (5, 2) or target.shape != (5, 2) or not np.isfinite(source).all():
        raise ValueError(f"expected five finite landmarks (5, 2), got {source.tolist()}")
    z, w = source @ (1, 1j), target @ (1, 1j)
    spread = z - z.mean()
    variance = float((np.abs(spread) ** 2).sum())
    if variance < 1e-6:
        raise ValueError("the five landmarks lie in one place: no face can be aligned by them")
    turn = complex((spread.conj() * (w - w.mean())).sum() / variance)
    if abs(turn) < 1e-9:
        raise ValueError("the landmarks have no orientation: they are not in the order of a face")
    shift = complex(w.mean() - turn * z.mean())
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _mapped(
    points: Float[np.ndarray, "*some 2"], matrix: Float[np.ndarray, "2 3"]
) -> Float[np.ndarray, "*some 2"]:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _scales(longest: int) -> tuple[int, ...]:
    """Longest sides at which to search an image, ascending, none much above its own."""
    sides = [_SIDES[0]]
    for side in _SIDES[1:]:
        if longest > _FINER_FROM * sides[-1]:
            sides.append(min(side, longest))
    return tuple(sides)


def _search(rgb: Picture, sides: tuple[int, ...], threshold: float, nearest: bool) -> list[Face]:
    """Faces, as they were found; if `nearest`, only the largest has measured landmarks."""
    faces: list[Face] = []
    largest = 0.0  # area
    for side in sides:
        seen = _detect(rgb, side, threshold)
        for face in sorted(seen, key=lambda face: -face.area) if nearest else seen:
            if not all(_distinct(face, other) for other in faces):
                continue
            smaller = nearest and face.area < largest
            if kept := face if smaller else _refine(rgb, face, threshold):
                faces.append(kept)
                largest = max(largest, kept.area)
        if nearest and largest >= (_SURE * max(rgb.shape[:2]) / side) ** 2:
            break  # a face that only a finer scale shows is smaller
    return faces


def _search_bordered(rgb: Picture, threshold: float, nearest: bool) -> list[Face]:
    """A face that is cut off at brow and chin is found if it has a border.

    It fills the picture, so it is large enough after a large picture was shrunk.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, _SIDES[-1] / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = rgb if factor == 1 else images.shrink(rgb, size)
    edge = max(small.shape[:2]) // 2
    wider = np.pad(small, ((edge, edge), (edge, edge), (0, 0)), constant_values=128)
    scale = (width / small.shape[1], height / small.shape[0])
    return [_moved(face, -edge, scale) for face in _search(wider, _SIDES[:1], threshold, nearest)]


def _moved(face: Face, by: int, scale: tuple[float, float]) -> Face:
    """The face after a shift, then a scale across and down."""
    left, top, right, bottom = (np.array(face.box) + by) * (*scale, *scale)
    landmarks, rough = (
        None if points is None else ((points + by) * scale).astype(np.float32)
        for points in (face.landmarks, face.rough)
    )
    assert landmarks is not None  # noqa: S101 - for the type checker
    return Face(
        (float(left), float(top), float(right), float(bottom)), face.score, landmarks, rough
    )


def _distinct(face: Face, other: Face) -> bool:
    """Whether a face is neither the same as another one nor a part of it."""
    left, top = max(face.box[0], other.box[0]), max(face.box[1], other.box[1])
    right, bottom = min(face.box[2], other.box[2]), min(face.box[3], other.box[3])
    shared = max(right - left, 0) * max(bottom - top, 0)
    union = face.area + other.area - shared
    return shared < retinaface.SAME * union and shared < _PART * face.area


def _refine(rgb: Picture, face: Face, threshold: float) -> Face | None:
    """Measure the landmarks again, upright and at one scale; None if no face is found then.

    The result is the mean of the frame and its mirror image, so left and right are treated alike.
    """
    centre = np.array([0.5, 0.5])
    target = (centre + (TEMPLATE - centre) * _SHRINK + (0, _LOWER)) * _FRAME
    try:
        matrix = similarity(face.landmarks, target)
        frame = _warp(rgb, matrix, _FRAME)
    except ValueError:
        return None
    expected = _mapped(face.landmarks, matrix)
    tolerance = _AGREE * float(np.linalg.norm(target[1] - target[0]))
    views = retinaface.detect(np.stack([frame, frame[:, ::-1]]), threshold)
    mirrored = (views[1].landmarks * (-1, 1) + (_FRAME, 0))[:, [1, 0, 2, 4, 3]]
    measured = []
    for found in (views[0].landmarks, mirrored):
        off = np.linalg.norm(found - expected, axis=2).mean(axis=1)
        measured.extend(found[off < tolerance][:1])  # the best score first
    if not measured:
        return None
    points = (np.mean(measured, axis=0) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return Face(face.box, face.score, points.astype(np.float32), face.landmarks)


def _warp(
    rgb: Picture, matrix: Float[np.ndarray, "2 3"], size: int
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """Square of `size` pixels into which `matrix` maps the image, antialiased."""
    height, width = rgb.shape[:2]
    inverse = np.linalg.inv(matrix[:, :2])
    corners = (np.array([(0, 0), (size, 0), (0, size), (size, size)]) - matrix[:, 2]) @ inverse.T
    margin = 3 + 2 / np.sqrt(np.linalg.det(matrix[:, :2]))  # reach of the filters below
    low = np.floor(corners.min(axis=0) - margin)
    high = np.ceil(corners.max(axis=0) + margin)
    if (high - low).max() > _LARGEST_CUT or (high < 0).any() or (low > (width, height)).any():
        raise ValueError(
            f"the landmarks span a square from {low.tolist()} to {high.tolist()}, which is not in "
            f"the image of {width}×{height} px"
        )
    zoom = min(1.0, float(np.sqrt(np.linalg.det(matrix[:, :2]))))
    if (step := int(1 / (_MERGED * zoom))) > 1:
        # The cut of a big face in a big picture would have more pixels than the picture.
        matrix = np.column_stack([matrix[:, :2] * step, matrix[:, 2]])
        return _warp(images.reduce(rgb, step, step), matrix, size)
    cut = Image.fromarray(_cut(rgb, low.astype(int), high.astype(int)))
    # Pillow's resize filters over all pixels that it merges; its transform does not. So the cut is
    # first reduced to about the final scale, then turned.
    before = np.array(cut.size, dtype=np.float64)
    if zoom < 1:
        new_width, new_height = np.ceil(before * zoom).astype(int)
        cut = cut.resize((new_width, new_height), Image.Resampling.BICUBIC)
    scale = np.array(cut.size) / before
    back = np.column_stack([inverse, -inverse @ matrix[:, 2] - low]) * scale[:, None]
    warped = cut.transform(
        (size, size), Image.Transform.AFFINE, tuple(back.ravel()), Image.Resampling.BICUBIC
    )
    return np.array(warped)


def _cut(
    rgb: Picture, low: Int[np.ndarray, "2"], high: Int[np.ndarray, "2"]
) -> UInt8[np.ndarray, "cut_height cut_width 3"]:
    """The pixels from (x, y) `low` to before `high`; beyond the border the outermost again."""
    size = np.array(rgb.shape[1::-1])
    left, top = np.clip(low, 0, size - 1)
    right, bottom = np.clip(high, (left + 1, top + 1), size)
    inside = rgb[top:bottom, left:right]
    missing = high - low - (right - left, bottom - top)
    if not missing.any():
        return inside
    before = np.clip((left, top) - low, 0, missing)
    after = missing - before
    return np.pad(inside, ((before[1], after[1]), (before[0], after[0]), (0, 0)), mode="edge")


def _detect(rgb: Picture, side: int, threshold: float) -> tuple[Face, ...]:
    """Faces in the image when its longest side has `side` pixels, best score first."""
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor != 1:
        small = (max(1, round(width * factor)), max(1, round(height * factor)))
        rgb = images.shrink(rgb, small)
    (seen,) = retinaface.detect(rgb[None], threshold)
    scale = np.array([width / rgb.shape[1], height / rgb.shape[0]])
    corners = seen.boxes * np.tile(scale, 2)
    landmarks = (seen.landmarks * scale).astype(np.float32)
    return tuple(
        Face((box[0], box[1], box[2], box[3]), score, points)
        for box, score, points in zip(
            corners.tolist(), seen.scores.tolist(), landmarks, strict=True
        )
    )
