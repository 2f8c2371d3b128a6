"""Light on painted vertices, in plain numpy: soft diffuse light, gloss, dark cavities."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Light:
    """A room: one key light, a fill light, a rim light from behind, and light from all around.

    Attributes:
        key: direction towards the key light, unit length; +x is the image's right, +z the viewer.
        strength: of the key light.
        fill: of the fill light, which comes from the other side.
        ambient: of the light from all around.
        tint: linear colour of the key light.
        exposure: of the camera, as a photographer sets it for the skin in front of it.
    """

    key: np.ndarray
    strength: float
    fill: float
    ambient: float
    tint: np.ndarray
    exposure: float = 1.0


def corners(triangles: np.ndarray, count: int) -> sparse.csr_matrix:
    """Matrix (vertices, 3 · triangles) that sums over the triangles around each vertex."""
    number = triangles.size
    return sparse.csr_matrix(
        (np.ones(number), (triangles.T.ravel(), np.arange(number))), shape=(count, number)
    )


def normals(points: np.ndarray, triangles: np.ndarray, around: sparse.csr_matrix) -> np.ndarray:
    """Area-weighted unit normals (n, 3) of the vertices; `around` is `corners` of the triangles."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = around @ np.concatenate([face, face, face])
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def neighbours(triangles: np.ndarray, count: int) -> sparse.csr_matrix:
    """Row-normalised adjacency of the vertices: matrix @ values is the mean of the neighbours."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    matrix = sparse.csr_matrix((np.ones(len(pairs)), pairs.T), shape=(count, count))
    matrix.data[:] = 1.0
    return sparse.diags(1 / np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)) @ matrix


def cavities(points: np.ndarray, normal: np.ndarray, mean: sparse.csr_matrix) -> np.ndarray:
    """Openness of the surface in (0, 1]: dark in folds and creases at two scales."""
    openness = np.ones(len(points))
    smooth = points
    for rounds, strength in ((2, 3.0), (8, 1.2)):
        for _ in range(rounds):
            smooth = mean @ smooth
        hollow = np.clip(np.einsum("nk,nk->n", smooth - points, normal), 0, None)
        openness *= np.exp(-strength * 20 * hollow)
    return np.clip(openness, 0.25, 1)


def shade(
    colour: np.ndarray,
    gloss: np.ndarray,
    normal: np.ndarray,
    openness: np.ndarray,
    light: Light,
    power: float = 22.0,
) -> np.ndarray:
    """Light the surface: linear colours (n, 3); the viewer is at +z."""
    view = np.array([0.0, 0.0, 1.0])
    facing = normal @ light.key
    # Light wraps around skin, and red wraps furthest.
    wrap = np.array([0.34, 0.22, 0.18])
    diffuse = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, None) ** 1.15
    fill_direction = np.array([-light.key[0], 0.15, 0.75])
    fill_direction /= np.linalg.norm(fill_direction)
    fill = np.clip((normal @ fill_direction + 0.3) / 1.3, 0, None)
    sky = 0.5 + 0.5 * normal[:, 1]
    around = light.ambient * (0.55 + 0.45 * sky)[:, None] * [1.0, 0.99, 0.98]
    total = (
        light.strength * diffuse * light.tint
        + light.fill * fill[:, None] * [0.95, 1.0, 1.06]
        + around
    )
    half = light.key + view
    half /= np.linalg.norm(half)
    shine = gloss * np.clip(normal @ half, 0, None) ** power * 0.16 * light.strength
    edge = gloss * (1 - np.clip(normal[:, 2], 0, 1)) ** 4 * 0.10
    lit = colour * total * openness[:, None] + ((shine + edge) * openness)[:, None]
    return light.exposure * lit


def display(linear_colour: np.ndarray) -> np.ndarray:
    """Turn linear light into sRGB bytes, with a soft shoulder so that highlights do not clip."""
    x = np.clip(linear_colour, 0, None)
    x = np.where(x < 0.7, x, 0.7 + 0.3 * (1 - np.exp(-(x - 0.7) / 0.3)))
    return np.round(255 * x ** (1 / 2.2)).astype(np.uint8)
