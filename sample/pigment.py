"""What painting needs: linear colours, smooth noise, soft spots and soft steps."""

import numpy as np
from scipy.ndimage import map_coordinates


def linear(srgb: tuple[int, int, int] | np.ndarray) -> np.ndarray:
    """Turn sRGB 0–255 into linear light 0–1."""
    return (np.asarray(srgb, dtype=np.float64) / 255) ** 2.2


def noise(at: np.ndarray, scale: float | tuple[float, float, float], seed: int) -> np.ndarray:
    """Smooth noise, standard deviation about 1, at points (n, 3), with features of size `scale`."""
    field = np.random.default_rng(seed).normal(size=(32, 32, 32))
    value = map_coordinates(field, (at / np.asarray(scale)).T, order=1, mode="grid-wrap")
    return value / 0.55


def spot(at: np.ndarray, x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """Soft spots at (±x, y) on the front of the head, 1 in the middle."""
    front = np.clip((at[:, 2] - 0.3) / 0.4, 0, 1)
    dx = (np.abs(at[:, 0]) - x) / rx
    return front * np.exp(-0.5 * (dx**2 + ((at[:, 1] - y) / ry) ** 2))


def step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
