"""A study's persons in folds: each fold a study of its own, with every person tested once."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from emorank.datasets.splits import person_folds
from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.study.folder import Study, fingerprint
from emorank.study.learning.calibrate import RESULT as CALIBRATION
from emorank.study.learning.calibrate import calibrate
from emorank.study.learning.train_ordinal import MODEL as ORDINAL
from emorank.study.learning.train_ordinal import train_ordinal
from emorank.study.train_network import STATE, train_network

KEEP = "comparison"  # folder in the study of what each estimator said, and of folds
LEAST = 3  # one fold to test, one to validate, one to learn from


def parts(table: pd.DataFrame, folds: int) -> Iterator[pd.DataFrame]:
    """Splits by person, `image` and `part`: each fold is the test part once, the next validates.

    `table` has `image` and `person`; a face whose person is unknown counts as a person.

    Raises:
        StudyError: there are fewer persons than folds, or fewer than three folds.
    """
    persons = table["person"].nunique() + int(table["person"].isna().sum())
    if not LEAST <= folds <= persons:
        raise StudyError(f"--folds {folds}: expected {LEAST} to {persons}, the number of persons")
    fold = person_folds(table["person"], table["image"], folds)
    for number in range(folds):
        words = np.where(fold == (number + 1) % folds, "validation", "train")
        words[fold == number] = "test"
        yield pd.DataFrame({"image": table["image"], "part": pd.array(words, dtype="string")})


def fold_study(study: Study, name: str, split: pd.DataFrame, progress: Progress = silent) -> Study:
    """The study with another split, in a folder inside its own, its network trained.

    Raises:
        WeightsError: the weights to start from cannot be had.
    """
    fold = replace(study, folder=study.path(KEEP) / name)
    if not fold.stamp("train"):
        fold.folder.mkdir(parents=True, exist_ok=True)
        for table in ("faces", "excluded"):
            fold.write_table(table, study.table(table))
        fold.write_table("split", split)
        outcome = train_network(fold, progress)
        fold.path(STATE).unlink(missing_ok=True)
        key = fingerprint(study.stamp("train"), split.to_csv())
        fold.write_stage("train", {"key": key, "outcome": outcome})
    return fold


def learn_again(study: Study, fold: Study, method: str, progress: Progress = silent) -> None:
    """What a rank of the study has learnt from votes, learnt again on the persons of a fold.

    Raises:
        StudyError: the fold has too few rated faces for it.
    """
    calibrated = study.result(CALIBRATION) if method == "calibrated" else None
    if calibrated is not None and fold.result(CALIBRATION) is None:
        calibrate(fold, crossfit=calibrated["crossfit"], progress=progress)
    if method == "ordinal" and study.path(ORDINAL).exists() and not fold.path(ORDINAL).exists():
        train_ordinal(fold, progress=progress)
