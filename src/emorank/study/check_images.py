"""Before a study goes on: its images are still those that it was prepared with."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from emorank import images
from emorank.datasets.table import Dataset
from emorank.errors import ImageError, StudyError
from emorank.framing import framed
from emorank.progress import Progress
from emorank.study.folder import IMAGES, Study, known_images
from emorank.study.framed_faces import open_dataset
from emorank.study.inventory import SAMPLE, differences, in_words, inventory, touched


def check_images(study: Study, begin: Callable[[], Progress]) -> int:
    """Compare names, labels, sizes and times of the images with those that were prepared.

    Where the size or time of a file is another, its pixels are read and compared. If none of them
    changed, the new times are remembered. Nothing is compared if the data set is out of reach, as
    an unmounted disk; who needs an image then says so. `begin` gives the progress of the reading.

    Returns:
        How many files had to be read.

    Raises:
        StudyError: the images are others; it says what changed and what to do.
        DatasetError: the folder is no longer the data set.
    """
    data = study.plan.data
    if data.dataset == SAMPLE or not Path(data.path).exists():
        return 0
    dataset = open_dataset(study)
    now = inventory(dataset)
    known = known_images(study, now)
    changes = differences(known, now)
    files = touched(known, now)
    if altered := _altered(study, dataset, files, begin):
        changes["with other pixels"] = altered
    if changes:
        raise StudyError(
            f"{data.path}: the images are not those that {study.folder} was prepared with: "
            f"{in_words(changes)}; bring the earlier ones back, or do it all again with: "
            f"emorank prepare --again --out {study.folder}"
        )
    if len(files) or not study.path(f"{IMAGES}.parquet").exists():
        study.write_table(IMAGES, now)
    return len(files)


def _altered(
    study: Study, dataset: Dataset, files: pd.DataFrame, begin: Callable[[], Progress]
) -> list[str]:
    """Those of the touched images that look different to the network."""
    if files.empty:
        return []
    faces = study.table("faces").set_index("image")
    progress, altered = begin(), []
    for number, (image, resized) in enumerate(zip(files["image"], files["resized"], strict=True)):
        progress(number, len(files), "changed files")
        if image not in faces.index:  # nothing was made of it, so only its size is known
            differs = bool(resized)
        else:
            face = faces.loc[image]
            differs = _digest(study, dataset, image, face.get("landmarks")) != face["digest"]
        if differs:
            altered.append(str(image))
    progress(len(files), len(files), "changed files")
    return altered


def _digest(study: Study, dataset: Dataset, image: str, landmarks: object) -> str:
    try:
        return images.digest(framed(dataset.read(image), landmarks, study.plan.data.size))
    except ImageError:
        return ""
