"""What ranks and estimators answered, stored so that nothing is asked twice.

An audit and a comparison ask every rank about hundreds of pictures. What was answered is written
at once, so a process that was stopped goes on where it was. Stored answers are used again only if
everything that they depend on is the same, and there is one rule for that: `fingerprint` of plain
values and of the SHA-256 of files.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emorank import __version__
from emorank.networks.ready import READY
from emorank.records import RecordStore
from emorank.study.folder import Study, fingerprint
from emorank.study.trained_network import MODEL

FILES = {
    "evidence": ("evidence.json",),
    "calibrated": ("calibration.json",),
    "ordinal": ("ordinal.json", "ordinal.safetensors"),
}
"""What a rank reads of the study besides the classifier."""


@dataclass(frozen=True)
class AnswerStore:
    """The numbers that a rank or estimator (`title`) answered, by key; <NA> is stored as NaN.

    Attributes:
        folder: of the answers of all ranks and estimators.
        state: what its answers depend on, but the key; from `fingerprint`.
    """

    folder: Path
    title: str
    state: str
    columns: tuple[str, ...]

    @cached_property
    def records(self) -> RecordStore:
        """Where the answers of this state are."""
        folder = self.folder / f"{self.title}-{self.state}"
        return RecordStore(folder, (len(self.columns),), np.dtype("<f8"))

    def lacking(self, keys: Sequence[str]) -> list[int]:
        """The places of the keys that have no answer yet, each key once."""
        return list(self.records.lacking(keys).values())

    def add(self, keys: Sequence[str], answers: pd.DataFrame) -> None:
        """Store a row for each key; columns that the table lacks are missing numbers.

        Answers of an earlier state are removed.

        Raises:
            StudyError: another process writes here.
        """
        columns = list(self.columns)
        values = answers.reindex(columns=columns).astype("Float64")
        with self.records.appending() as out:
            out.append(keys, values.to_numpy(np.float64, na_value=np.nan))
        for old in self.folder.glob(f"{self.title}-{'?' * len(self.state)}"):
            if old != self.records.folder:
                shutil.rmtree(old, ignore_errors=True)

    def table(self, keys: Sequence[str]) -> pd.DataFrame:
        """A row for each key.

        Raises:
            StudyError: a key has no answer, or a damaged one.
        """
        rows = self.records.of(keys).astype(np.float64)
        return pd.DataFrame(rows, columns=list(self.columns))


class RankStates:
    """What the ranks of a study depend on, as it is now; each file is read once.

    It is the plan's way of explaining and ranking, the program's version, and the files of the
    network and of what it has learnt from votes. Without a study it is the shipped network's file.
    """

    def __init__(self, study: Study | None) -> None:
        self.study = study
        self.digests: dict[str, str] = {}

    @property
    def stamp(self) -> str:
        """Of the training of the study's network."""
        return self.study.stamp("train") if self.study else ""

    def of(self, rank: str, *more: Any) -> str:
        """The state of a rank; `more` are further plain values that its answers depend on."""
        if self.study is None:
            return fingerprint([about.sha256 for about in READY.values()], __version__, list(more))
        plan = self.study.plan
        names = (MODEL, *FILES.get(rank, ()))
        digests = [[name, self._digest(name)] for name in names]
        rules = list(plan.explain.rules)  # their order counts, and JSON of a dictionary is sorted
        return fingerprint(plan.explain, rules, plan.rank, digests, __version__, list(more))

    def _digest(self, name: str) -> str:
        if name not in self.digests and self.study and self.study.path(name).is_file():
            self.digests[name] = self.study.digest(name)
        return self.digests.get(name, "")
