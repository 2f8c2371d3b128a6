"""The images of a study as they were when it was prepared, and how they differ now."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emorank import datasets
from emorank.datasets.table import Dataset
from emorank.study.plan import DataPlan

SAMPLE = "sample"  # the shipped faces, and the simulated votes shipped with them
NAMED = 3
"""So many images are named of each change; of more only the number."""
_FILE = ["bytes", "modified"]


def dataset_of(data: DataPlan) -> Dataset:
    """The data set that a plan names."""
    if data.dataset == SAMPLE:
        return datasets.load(None, SAMPLE)
    return datasets.load(Path(data.path), data.dataset, **data.options)


def inventory(dataset: Dataset) -> pd.DataFrame:
    """A row for each image: what the data set says of it, and its file.

    Returns:
        The columns of the data set's table; `bytes` and `modified` (int64, nanoseconds since 1970)
        of the file that holds the image, -1 where there is none.
    """
    # A data set of rows instead of files has one file for all of them.
    shared = getattr(dataset.read, "file", None)
    if shared is not None:
        files = np.tile(_stat(shared), (len(dataset.table), 1))
    else:
        root = f"{dataset.root}{os.sep}"
        files = np.array([_stat(root + image) for image in dataset.table["image"]], np.int64)
    return dataset.table.assign(bytes=files[:, 0], modified=files[:, 1])


def differences(known: pd.DataFrame, now: pd.DataFrame) -> dict[str, list[str]]:
    """What two inventories say differently, and the images that this is true of; no files."""
    before, after = known.set_index("image"), now.set_index("image")
    changes = {
        "gone": before.index.difference(after.index).to_list(),
        "new": after.index.difference(before.index).to_list(),
    }
    both = before.index.intersection(after.index)
    for name in before.columns.intersection(after.columns).difference(_FILE):
        one, other = (
            table.loc[both, name].astype("string").fillna("") for table in (before, after)
        )
        changes[f"of another {name}"] = both[one != other].to_list()
    return {kind: images for kind, images in changes.items() if images}


def touched(known: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The images whose file has another size or time: `image`, and `resized` (bool)."""
    both = known[["image", *_FILE]].merge(now[["image", *_FILE]], on="image", suffixes=("", "_now"))
    resized = both["bytes"] != both["bytes_now"]
    other = resized | (both["modified"] != both["modified_now"])
    return pd.DataFrame({"image": both["image"], "resized": resized})[other]


def in_words(changes: Mapping[str, Sequence[str]]) -> str:
    """The changes with their numbers and the first images: "2 gone (a.png, b.png)"."""
    return ", ".join(
        f"{len(images):,} {kind} ({', '.join(images[:NAMED])}{' …' * (len(images) > NAMED)})"
        for kind, images in changes.items()
    )


def _stat(file: str | Path) -> tuple[int, int]:
    try:
        about = os.stat(file)  # noqa: PTH116 - half the time of pathlib, a million times
    except OSError:
        return -1, -1
    return about.st_size, about.st_mtime_ns
