"""Scattering coefficients by kymatio 0.3.0 (BSD), which no longer installs beside a new SciPy.

`stored()` reads those that are kept. They were made by `python tests/reference/scattering.py` with
numpy 2.4, scipy 1.17 and `pip install kymatio==0.3.0`; each third position of each of 217 maps.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".npy")


def picture() -> np.ndarray:
    """64×64 pixels in [0, 1): rings, an edge and noise."""
    down, right = np.indices((64, 64))
    rings = np.cos(np.hypot(down - 20, right - 30) / 2)
    noise = np.random.default_rng(0).random((64, 64))
    return ((rings + 1) / 6 + (right > 40) / 3 + noise / 3).astype(np.float32)


def stored() -> np.ndarray:
    """(217, 3, 3) float32."""
    return np.load(FILE)


def main() -> None:
    # `from kymatio import Scattering2D` fails with scipy 1.17.
    from kymatio.scattering2d.frontend.numpy_frontend import ScatteringNumPy2D

    maps = ScatteringNumPy2D(J=3, shape=(64, 64), L=8)(picture())
    np.save(FILE, maps[:, ::3, ::3].astype(np.float32))


if __name__ == "__main__":
    main()
