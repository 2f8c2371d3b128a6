"""The images of a study as the network sees them."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from emorank import datasets
from emorank.datasets.table import Dataset
from emorank.errors import ImageError, StudyError
from emorank.framing import framed
from emorank.study.folder import Study

SAMPLE = "sample"  # the shipped faces, and the simulated votes shipped with them


def open_dataset(study: Study) -> Dataset:
    """The data set that the plan names."""
    data = study.plan.data
    if data.dataset == SAMPLE:
        return datasets.load(None, SAMPLE)
    return datasets.load(Path(data.path), data.dataset, **data.options)


def framing(study: Study, dataset: Dataset) -> str:
    """How faces are framed, "none" or "face": by the plan, or else by the data set's card."""
    crop = study.plan.data.crop
    if crop != "auto":
        return crop
    return "none" if dataset.card.cropped else "face"


def framing_of_others(study: Study, dataset: Dataset) -> str:
    """How to frame other images for a network that learns from the images of this study."""
    return "face" if dataset.card.aligned else framing(study, dataset)


class Framed:
    """The framed images of a study; each is read when it is asked for."""

    def __init__(self, study: Study, table: pd.DataFrame) -> None:
        self.read = open_dataset(study).read
        self.size = study.plan.data.size
        self.images = table["image"].to_list()
        self.landmarks = (
            table["landmarks"].to_list() if "landmarks" in table else [None] * len(table)
        )

    def __call__(self, row: int) -> UInt8[np.ndarray, "side side 3"]:
        """The image of a row of the table.

        Raises:
            StudyError: the image could be read when the study was prepared, and can't be now.
        """
        try:
            return framed(self.read(self.images[row]), self.landmarks[row], self.size)
        except ImageError as error:
            raise StudyError(
                f"{error}; it could be read when the study was prepared: bring the image back, "
                f"or start a new study"
            ) from error
