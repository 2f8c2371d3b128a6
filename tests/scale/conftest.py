"""Many images: the sample's faces as small files, and a run over them."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

FACES = Path(str(files("emorank.datasets"))) / "sample_faces" / "faces"


@pytest.fixture
def some(tmp_path):
    """A folder with so many of the sample's faces, in a fixed order."""

    def make(count, name="photographs"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for face in sorted(FACES.iterdir())[:count]:
            shutil.copy(face, folder)
        return folder

    return make
