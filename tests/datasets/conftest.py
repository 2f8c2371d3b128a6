"""Small data folders, written as each data set is distributed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

LONDON = Path(__file__).parents[3] / "shared" / "data" / "london_faces"


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Write a small picture of one grey (or of noise) and the folders above it."""

    def write(file: Path, grey: int = 128, size: int = 20) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        kind = {".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG"}.get(file.suffix.lower(), "JPEG")
        Image.fromarray(np.full((size, size, 3), grey, np.uint8)).save(file, kind)
        return file

    return write


@pytest.fixture
def london() -> Path:
    if not LONDON.is_dir():
        pytest.skip("the London faces are not beside this repository (../shared/data)")
    return LONDON
