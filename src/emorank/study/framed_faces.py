"""The images of a study as the network sees them, as long as they are the same."""

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from emorank import images
from emorank.datasets.table import Dataset
from emorank.errors import ImageError, StudyError
from emorank.framing import framed
from emorank.study.folder import Study
from emorank.study.inventory import dataset_of


def open_dataset(study: Study) -> Dataset:
    """The data set that the plan names."""
    return dataset_of(study.plan.data)


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
        self.dataset = open_dataset(study)
        self.study = study
        self.size, self.width = study.plan.data.size, study.plan.data.width
        self.digests = table["digest"].to_list() if "digest" in table else None
        self.images = table["image"].to_list()
        self.landmarks = (
            table["landmarks"].to_list() if "landmarks" in table else [None] * len(table)
        )

    def __call__(self, row: int) -> UInt8[np.ndarray, "side side 3"]:
        """The image of a row of the table.

        Raises:
            StudyError: the image could be read when the study was prepared, and can't be now; or
                its pixels are others.
        """
        again = f"bring it back, or: emorank prepare --again --out {self.study.folder}"
        try:
            rgb = self.dataset.read(self.images[row])
            pixels = framed(rgb, self.landmarks[row], self.size, self.width)
        except ImageError as error:
            raise StudyError(
                f"{error}; it could be read when the study was prepared: {again}"
            ) from error
        if self.digests is not None and images.digest(pixels) != self.digests[row]:
            raise StudyError(
                f"{self.images[row]}: its pixels were others when the study was prepared: {again}"
            )
        return pixels

    def is_small(self, row: int) -> bool:
        """Whether the image of a row may be read beside others: `Dataset.is_small`."""
        return self.dataset.is_small(self.images[row])
