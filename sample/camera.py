"""From a head in space to pixels: pose, perspective, and the crop that emorank uses everywhere."""

from dataclasses import dataclass

import numpy as np

# The template of emorank's crop in units of the square: eyes, nose tip, corners of the mouth.
TEMPLATE = np.array([[0.30, 0.32], [0.70, 0.32], [0.50, 0.547], [0.336, 0.783], [0.664, 0.783]])
DISTANCE = 13.0  # of the camera from the middle of the head, decimetres


@dataclass(frozen=True)
class View:
    """How one image looks at the head.

    Attributes:
        yaw, pitch, roll: of the head, in degrees.
        scale: of the face against the template, about 1.
        shift: of the face, in units of the square (x right, y down).
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift: tuple[float, float]


def rotation(view: View) -> np.ndarray:
    """Return the 3×3 rotation of the head."""
    yaw, pitch, roll = np.radians([view.yaw, view.pitch, view.roll])
    cy, sy, cp, sp, cr, sr = (
        np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll),
    )  # fmt: skip
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def perspective(points: np.ndarray) -> np.ndarray:
    """Project posed points: x to the right, y down, and the depth kept (larger is nearer)."""
    factor = DISTANCE / (DISTANCE - points[:, 2])
    return np.stack([points[:, 0] * factor, -points[:, 1] * factor, points[:, 2]], axis=1)


def framing(landmarks: np.ndarray, view: View, size: int) -> np.ndarray:
    """Find the similarity transform that lays five projected landmarks on the template.

    Args:
        landmarks: (5, 2) projected landmarks of the neutral face in the same pose.
        view: its scale and shift are added on top; its roll is kept in the picture.
        size: of the square, in pixels.

    Returns:
        (2, 3) matrix from projected coordinates to pixels.
    """
    target = (TEMPLATE - 0.5) * view.scale + 0.5 + np.asarray(view.shift)
    source = landmarks[:, 0] + 1j * landmarks[:, 1]
    goal = (target[:, 0] + 1j * target[:, 1]) * size
    centred = source - source.mean()
    # A rotation by the roll stays: the fitted part of it is replaced by its length alone.
    factor = abs(np.vdot(centred, goal - goal.mean()) / np.vdot(centred, centred).real)
    offset = goal.mean() - factor * source.mean()
    return np.array([[factor, 0.0, offset.real], [0.0, factor, offset.imag]])
