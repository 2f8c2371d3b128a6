"""Data sets: read a folder in one of several layouts as a table of faces.

One file per data set, each with `CARD`, `recognise(root)` and `load(root, **options)`; what they
return is in `table.py`. Beside them: `inspect.py` (what is in it), `splits.py` (training,
validation and test part), `leakage.py` (what the parts share).
"""

import logging
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from types import ModuleType

from emorank.datasets import (
    affectnet,
    ckplus,
    emotion_folders,
    fer2013,
    jaffe,
    kdef,
    manifest,
    rafdb,
    sample,
)
from emorank.datasets.table import Card, Dataset, Problem
from emorank.errors import DatasetError, PlanError

__all__ = ["ADAPTERS", "NAMES", "Card", "Dataset", "Problem", "load", "recognise"]

_LOG = logging.getLogger(__name__)

# A folder is compared with them in this order: first those that have a file or folder of a certain
# name, then those with image names of a certain pattern, then what fits almost any folder.
ADAPTERS: dict[str, ModuleType] = {
    "affectnet": affectnet,
    "fer2013": fer2013,
    "rafdb": rafdb,
    "ckplus": ckplus,
    "kdef": kdef,
    "jaffe": jaffe,
    "manifest": manifest,
    "folder": emotion_folders,
}
SAMPLE = "sample"  # inside the package: asked for by its name, without a folder
NAMES = (*ADAPTERS, SAMPLE)


def load(path: Path | str | None = None, name: str = "auto", **options: object) -> Dataset:
    """Read a data set; its name is given, or recognised by the layout of the folder.

    Args:
        path: the folder, or a manifest file; None for the shipped sample.
        name: one of `NAMES`, or "auto".
        options: of the adapter's own `load`.

    Raises:
        DatasetError: there is no such folder, it is empty, does not hold the named data set, or has
            no known layout.
        PlanError: there is no such name, or this data set has no such option.
    """
    if path is None and name != SAMPLE:
        raise PlanError(f"the data set '{name}' needs a folder; only '{SAMPLE}' comes without one")
    given = name != "auto"
    if path is not None and not given:
        name = recognise(path)
        _LOG.info("%s is read as the data set '%s'", path, name)
    if name not in NAMES:
        raise PlanError(
            f"'{name}' is not the name of a data set; expected auto or one of {', '.join(NAMES)}"
        )
    adapter = sample if name == SAMPLE else ADAPTERS[name]
    _check_options(adapter.load, name, options)
    if name == SAMPLE or path is None:
        return _load_sample(path)
    try:
        loaded: Dataset = adapter.load(Path(path), **options)
    except DatasetError as error:
        other = _other(path, name) if given else None
        if other is None:
            raise
        raise DatasetError(
            f"{error}. The folder looks like '{other}': leave the name out or give that one"
        ) from error
    return loaded


def recognise(root: Path | str) -> str:
    """Return the name under which a folder or file can be loaded.

    Raises:
        DatasetError: there is no such folder, it is empty, or it has no known layout.
    """
    root = Path(root)
    if not root.exists():
        raise DatasetError(f"{root}: no such folder; expected a data set")
    if (root / "faces.csv").is_file() and (root / "votes.csv").is_file() and _is_sample(root):
        return SAMPLE
    for name, adapter in ({"manifest": manifest} if root.is_file() else ADAPTERS).items():
        if adapter.recognise(root):
            return name
    names = ", ".join(entry.name for entry in sorted(root.iterdir())[:6]) if root.is_dir() else ""
    raise DatasetError(
        f"{root}: no known data set; expected one of {', '.join(ADAPTERS)}: for your own images a "
        f"folder per emotion with images in it, or manifest.csv; found "
        f"{names or ('a file' if root.is_file() else 'an empty folder')}"
    )


def _load_sample(root: Path | str | None) -> Dataset:
    data = sample.load()
    if root is not None and Path(root).resolve() != data.root.resolve():
        raise PlanError(f"{root}: the sample is inside the package; give no folder with its name")
    return data


def _is_sample(root: Path) -> bool:
    try:
        return sample.load().root.resolve() == root.resolve()
    except DatasetError:
        return False


def _check_options(reader: Callable[..., Dataset], name: str, options: dict[str, object]) -> None:
    known = [option for option in signature(reader).parameters if option != "root"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise PlanError(
            f"the data set {name} has no option {', '.join(unknown)}; "
            f"it has {', '.join(known) or 'none'}"
        )


def _other(root: Path | str, name: str) -> str | None:
    """Return the name that fits the folder better than the given one, None if there is none."""
    try:
        other = recognise(root)
    except DatasetError:
        return None
    return None if name == other else other
