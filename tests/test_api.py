"""The public names: each loads, says what it is, and costs nothing before it is asked for."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import emorank

HEAVY = {"torch", "numpy", "pandas", "PIL", "cv2", "onnxruntime", "matplotlib", "sklearn", "scipy"}


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", emorank.__all__)
def test_every_name_resolves_and_is_documented(name):
    """Each public name is there, can be imported by name, and has a docstring."""
    value = getattr(emorank, name)
    assert callable(value)
    assert inspect.getdoc(value)
    assert getattr(importlib.import_module("emorank"), name) is value


def test_names_are_listed_before_they_are_loaded():
    """`dir(emorank)` shows every public name in a fresh interpreter."""
    shown = python("import emorank; print(*dir(emorank))").split()
    assert set(emorank.__all__) <= set(shown)


def test_the_table_and_the_list_name_the_same():
    """What `__getattr__` finds is what `__all__` says."""
    assert set(emorank._PLACES) == set(emorank.__all__)
    assert emorank.__all__ == sorted(emorank.__all__)


def test_no_name_is_that_of_a_module():
    """Importing a module would put it in the place of a public name called alike."""
    modules = {module.name for module in pkgutil.iter_modules(emorank.__path__)}
    assert not modules & set(emorank.__all__)


def test_what_only_ranks_loads_nothing_that_fits():
    """scikit-learn and SciPy's statistics take a second, and every worker would load them too."""
    code = (
        "import sys, emorank.cli.rank, emorank.scale.worker, emorank.study.readers\n"
        "print(*{'sklearn', 'scipy.stats', 'scipy.optimize', 'matplotlib'} & {*sys.modules})"
    )
    assert python(code).split() == []


def test_names_survive_the_import_of_their_modules():
    """The order of imports does not change what a name means."""
    code = (
        "import emorank.relevance, emorank.ranking, emorank.study.run, emorank.images, emorank\n"
        "print(emorank.propagate_relevance is emorank.relevance.relevance)\n"
        "print(emorank.interval_rank is emorank.ranking.rank)\n"
        "print(emorank.run_study is emorank.study.run.run)\n"
        "print(emorank.read_image is emorank.images.read)\n"
    )
    assert python(code).split() == ["True"] * 4


def test_import_loads_nothing_heavy():
    """`import emorank` loads neither a library nor a module of emorank."""
    code = (
        "import sys; before = set(sys.modules); import emorank; print(*(set(sys.modules) - before))"
    )
    loaded = set(python(code).split())
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert {name for name in loaded if name.startswith("emorank")} == {"emorank"}


def test_words_load_without_pytorch():
    """Reading votes and words needs no PyTorch."""
    code = (
        "import sys, emorank; emorank.Rank.parse('Str'); emorank.Emotion.parse('joy')\n"
        "emorank.read_votes, emorank.majority, emorank.EmorankError\n"
        "print('torch' in sys.modules)"
    )
    assert python(code).strip() == "False"


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match="no attribute 'rank_image'"):
        _ = emorank.rank_image
    with pytest.raises(ImportError, match="rank_image"):
        from emorank import rank_image  # noqa: F401 - it is not there


@pytest.mark.weights
def test_rank_images_takes_paths_and_texts_and_lists_what_it_leaves_out(finished, drawn, tmp_path):
    """Every face is a record; a file that is no image is listed, and fatal only when strict."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    study = emorank.open_study(finished)
    images: list[Path | str] = [drawn / "happy" / "p3.png", broken, str(drawn / "anger" / "p3.png")]
    faces = emorank.rank_images(study, images)
    found = list(faces)
    assert [Path(face.row["image"]).parent.name for face in found] == ["happy", "anger"]
    assert {face.row["rank"] for face in found} <= {rank.label for rank in emorank.Rank}
    assert [error.file for error in faces.excluded] == [str(broken)]
    with pytest.raises(emorank.EmorankError, match=r"broken\.jpg"):
        list(emorank.rank_images(study, [broken], strict=True))


@pytest.mark.weights
def test_rank_images_reads_no_image_before_it_is_needed(finished, drawn):
    """Images are taken from the iterable a batch at a time."""
    taken: list[Path] = []

    def endless():
        while True:
            taken.append(drawn / "happy" / "p3.png")
            yield taken[-1]

    from emorank.reading.reader import BATCH

    study = emorank.open_study(finished)
    next(iter(emorank.rank_images(study, endless())))
    assert len(taken) <= BATCH


def test_read_image_is_the_reader_of_images(tmp_path):
    """A public name is the function of the module, not a copy of it."""
    Image.new("RGB", (20, 30), (10, 20, 30)).save(tmp_path / "a.png")
    rgb = emorank.read_image(tmp_path / "a.png")
    assert rgb.shape == (30, 20, 3)
    assert rgb[0, 0].tolist() == [10, 20, 30]
