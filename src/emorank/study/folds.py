"""A study's persons in folds: each fold a study of its own, with every person tested once."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.study.calibrate import RESULT, calibrate
from emorank.study.folder import Study
from emorank.study.intensity import MODEL as ORDINAL
from emorank.study.ordinal import train_ordinal
from emorank.study.train import train

KEEP = "comparison"  # folder in the study of what each estimator said, and of folds
LEAST = 3  # one fold to test, one to validate, one to learn from


def parts(table: pd.DataFrame, folds: int) -> Iterator[pd.DataFrame]:
    """Splits by person, `image` and `part`: each fold is the test part once, the next validates.

    Args:
        table: `image` and `person`; a face of nobody known is a person.
        folds: how many.

    Raises:
        StudyError: there are fewer persons than folds, or fewer than three folds.
    """
    persons = table["person"].astype(object).where(table["person"].notna(), table["image"])
    if not LEAST <= folds <= persons.nunique():
        raise StudyError(
            f"--folds {folds}: expected {LEAST} to {persons.nunique()}, the number of persons"
        )
    fold = np.empty(len(table), np.int64)
    for number, (_, tested) in enumerate(GroupKFold(folds).split(table, groups=persons)):
        fold[tested] = number
    for number in range(folds):
        words = np.where(fold == (number + 1) % folds, "validation", "train")
        words[fold == number] = "test"
        yield pd.DataFrame({"image": table["image"], "part": pd.array(words, dtype="string")})


def fold_study(study: Study, name: str, split: pd.DataFrame, progress: Progress = silent) -> Study:
    """The study with another split, in a folder inside its own, its network trained.

    It is calibrated, and has an ordinal network, if the study is and has.

    Raises:
        WeightsError: the weights to start from cannot be had.
    """
    fold = replace(study, folder=study.path(KEEP) / name)
    fold.folder.mkdir(parents=True, exist_ok=True)
    if not fold.path("model.safetensors").exists():
        for table in ("faces", "excluded"):
            fold.write_table(table, study.table(table))
        fold.write_table("split", split)
        train(fold, progress)
        if study.result(RESULT) is not None:  # on the persons that validate this fold
            calibrate(fold, progress=progress)
        if study.path(ORDINAL).exists():
            train_ordinal(fold, progress=progress)
    return fold
