"""Hair: where it begins, how far it stands off, how long it hangs, and its strands."""

import numpy as np

from anatomy import Part, texture
from persons import Person
from pigment import linear, noise, step


def line(at: np.ndarray, person: Person) -> np.ndarray:
    """How far inside the hair a point of the scalp lies, in decimetres; negative outside."""
    x, y, z = np.abs(at[:, 0]), at[:, 1], at[:, 2]
    front = 7.88 + person.hairline - 0.10 * step(x, 0.3, 0.6) + 0.05 * np.exp(-((x / 0.1) ** 2))
    # On the sides the edge runs from the temple down before the ear, then around it to the nape.
    burn = {"short": 7.02, "cap": 6.95, "long": 7.0}.get(person.cut, 7.0)
    side = burn + 1.0 * step(z, 0.50, 0.86)
    side = np.where(z < 0.34, 7.42, side)  # above the ear
    side = np.where(z < 0.0, 6.5 if person.cut == "short" else 6.2, side)
    edge = np.where(x > 0.55, np.minimum(front, side), front)
    return y - edge


def thickness(part: Part, person: Person, seed: int) -> np.ndarray | None:
    """How far the hair stands off the skin, in decimetres; negative where none grows."""
    if person.cut == "bald":
        return None
    at = part.base
    full = {"short": 0.12, "cap": 0.22, "long": 0.2}[person.cut]
    inside = line(at, person)
    wave = 1 + 0.10 * noise(at, 0.2, seed + 8)
    thick = full * step(inside, 0.0, 0.4) ** 0.7 * wave
    ears = step(texture("ears", part.uv), 0.1, 0.4)
    return np.where((inside > 0) & (ears < 0.5), thick * (1 - ears) + 0.004, -0.02)


def paint(part: Part, person: Person, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Strands that run backwards from the hairline."""
    at = part.base
    angle = np.stack([np.arctan2(at[:, 0], at[:, 1] - 7.0), at[:, 2] * 0.12, at[:, 1] * 0.1], 1)
    strands = 0.6 * noise(angle, (0.012, 0.05, 0.05), seed + 9) + 0.4 * noise(at, 0.05, seed + 10)
    tone = np.clip(1 + 0.28 * strands, 0.4, 1.8)
    return linear(person.hair) * tone[:, None], np.clip(0.5 + 0.3 * strands, 0.1, 1.2)


def curtain(seed: int, rows: int = 90, columns: int = 320) -> tuple[np.ndarray, np.ndarray]:
    """Long hair that hangs around the back of the head, over the ears, to the shoulders.

    Returns:
        points (n, 3) in the frame of the base mesh, and triangles (m, 3).
    """
    angle = np.radians(np.linspace(94, 266, columns))  # from the front, around the back
    height = np.linspace(7.75, 4.9, rows)
    a, y = np.meshgrid(angle, height)
    flat = np.stack([3 * a.ravel(), 0.12 * y.ravel(), np.zeros(a.size)], axis=1)
    wave = 1 + 0.022 * noise(flat, 0.16, seed) + 0.010 * noise(flat, 0.05, seed + 1)
    wave = wave.reshape(a.shape)
    wide = np.interp(y, [4.9, 5.6, 6.3, 7.0, 7.5, 7.75], [1.06, 1.0, 0.93, 0.90, 0.84, 0.70])
    deep = np.interp(y, [4.9, 5.6, 6.3, 7.75], [0.75, 0.8, 0.95, 0.8])
    points = np.stack([wide * wave * np.sin(a), y, 0.12 + deep * wave * np.cos(a)], axis=-1)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    corner = [first, first + columns, first + columns + 1, first + 1]
    triangles = np.concatenate(
        [np.stack([corner[i] for i in three], axis=1) for three in ((0, 1, 2), (0, 2, 3))]
    )
    return points.reshape(-1, 3), triangles


def paint_curtain(
    points: np.ndarray, person: Person, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hanging strands: linear colours, gloss, and how open they lie (darker near the neck)."""
    angle = np.arctan2(points[:, 0], points[:, 2])
    flat = np.stack([3 * angle, 0.15 * points[:, 1], np.zeros(len(points))], axis=1)
    strands = 0.6 * noise(flat, 0.035, seed + 9) + 0.4 * noise(flat, 0.12, seed + 10)
    tone = np.clip(1 + 0.26 * strands, 0.4, 1.8)
    return (
        linear(person.hair) * tone[:, None],
        np.clip(0.45 + 0.3 * strands, 0.1, 1.2),
        0.45 + 0.35 * step(np.abs(points[:, 0]), 0.5, 0.9),
    )
