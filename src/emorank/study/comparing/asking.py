"""Asking an estimator or a rank for its levels, once, and keeping what it said."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from emorank import __version__
from emorank.baselines import ESTIMATORS, Entry
from emorank.study.comparing.folds import KEEP, fold_study, learn_again
from emorank.study.comparing.task import Task, faces_of
from emorank.study.folder import Study, fingerprint
from emorank.study.framing import Framed
from emorank.study.ranks.calibrate import RESULT as CALIBRATION
from emorank.study.ranks.evidence import RESULT as EVIDENCE
from emorank.study.ranks.rankers import Ranker, ranker
from emorank.study.run import Watch
from emorank.vocabulary import LEVELS, Emotion


def kept(
    task: Task,
    fold: str,
    name: str,
    table: pd.DataFrame,
    watch: Watch,
    ask: Callable[[], pd.DataFrame],
) -> pd.DataFrame:
    """What an estimator said before, if it is kept, or says now: a row per tested image."""
    study, title = task.study, f"{name} {fold}".strip()
    entry = ESTIMATORS.get(name)
    columns = table[["image", "part", "digest"]].astype("string").fillna("").to_numpy().tolist()
    on = _learns_from(entry, table) if entry else _network_state(study)
    key = fingerprint(__version__, name, on, columns)
    path = study.path(KEEP) / f"{title.replace(' ', '-')}-{key}.parquet"
    if again := not path.exists():
        watch.start(title)
        said = ask().assign(estimator=name)
        for old in path.parent.glob(f"{title.replace(' ', '-')}-????????????????.parquet"):
            old.unlink()
        replace(study, folder=path.parent).write_table(path.stem, said)
    said = pd.read_parquet(path)
    right = said.merge(table[["image", "level"]].dropna(), on="image")
    share = (right["predicted"] == right["level"]).fillna(value=False).mean()
    watch.end(title, f"{share:.0%} of {len(right)} levels right", again)
    return said


def _learns_from(entry: Entry, table: pd.DataFrame) -> list[Any]:
    """Parameters, and the levels of the faces learnt from; those of the tested do not count."""
    levels = table["level"].mask(table["part"] == "test")
    return [entry.make().get_params(), [str(level) for level in levels]]


def _network_state(study: Study) -> list[Any]:
    """What our ranks depend on: the stages, what was calibrated, any network in the folder."""
    stages = [study.stamp("train"), study.stamp("rank")]
    networks = sorted(study.folder.glob("*.safetensors"))
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in networks]
    return [stages, files, study.result(CALIBRATION), study.result(EVIDENCE)]


def learnt(study: Study, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Train one of the estimators on all persons but the tested ones; what it says of those."""
    faces, entry = faces_of(table, study), ESTIMATORS[name]
    levels = table["level"]
    learn = np.flatnonzero((table["part"] != "test") & levels.notna())
    test = np.flatnonzero(table["part"] == "test")
    begin = time.perf_counter()
    fitted = entry.make().fit(faces.take(learn), levels.iloc[learn].to_numpy(np.int64))
    between = time.perf_counter()
    tested = faces.take(test).blind()
    predicted = fitted.predict(tested)
    end = time.perf_counter()
    return pd.DataFrame(
        {
            "image": table["image"].iloc[test].to_numpy(),
            "predicted": pd.array(predicted, dtype="Int64"),
            "score": fitted.intensity(tested),
            "fit_ms": 1000 * (between - begin) / len(learn),
            "predict_ms": 1000 * (end - between) / len(test),
        }
    )


def answered(found: pd.DataFrame) -> pd.Series:
    """The levels of a ranker's table; where it abstains, the most probable one.

    Nobody else in the table may abstain. `emorank audit` counts abstentions.
    """
    names = [f"p_{level.lower()}" for level in LEVELS]
    if not set(names) <= set(found):
        return found["level"]
    probable = pd.Series(found[names].to_numpy().argmax(1), index=found.index, dtype="Int64")
    return found["level"].fillna(probable)


class Network:
    """A fold's own network, trained when the first rank needs it."""

    def __init__(self, task: Task, fold: str, table: pd.DataFrame, watch: Watch) -> None:
        self.task, self.fold, self.table, self.watch = task, fold, table, watch
        self.study = None if fold else task.study

    def says(self, method: str) -> pd.DataFrame:
        """What a rank of the study says of the tested faces, trained on the others."""
        if self.study is None:
            title = f"network {self.fold}"
            split = self.table[["image", "part"]]
            progress = self.watch.start(title)
            self.study = fold_study(self.task.study, self.fold, split, progress)
            self.watch.end(title, "trained on the other persons", True)
        if self.fold:
            learn_again(self.task.study, self.study, method, self.watch.start(method))
        ranks = ranker(self.study, method)
        test = self.table[self.table["part"] == "test"].reset_index(drop=True)
        pixels = self._pixels(test)
        begin = time.perf_counter()
        found = ranks(pixels)
        seconds = time.perf_counter() - begin
        level = answered(found)
        if level.isna().all():
            level = self._thirds(ranks, found)
        training = self.study.table("training")["seconds"].sum()
        return pd.DataFrame(
            {
                "image": test["image"],
                "predicted": level.astype("Int64"),
                "score": found["score"].astype(np.float64),
                "fit_ms": 1000 * training / (self.table["part"] == "train").sum(),
                "predict_ms": 1000 * seconds / len(test),
            }
        )

    def _thirds(self, ranks: Ranker, found: pd.DataFrame) -> pd.Series:
        """A score without levels cut where the validation part has its thirds."""
        watched = self.table[self.table["part"] == "validation"]
        expressed = watched[watched["emotion"] != Emotion.NEUTRAL].reset_index(drop=True)
        edges = np.quantile(ranks(self._pixels(expressed))["score"], [1 / 3, 2 / 3])
        level = 1 + np.searchsorted(edges, found["score"], side="right")
        return pd.Series(level, dtype="Int64").mask(found["predicted"] == Emotion.NEUTRAL, 0)

    def _pixels(self, table: pd.DataFrame) -> list[np.ndarray[Any, Any]]:
        framed = Framed(self.task.study, table)
        return [framed(row) for row in range(len(table))]

    def forget(self) -> None:
        """Give back the half gigabyte of a fold's network, once all ranks have been asked."""
        if self.fold:
            shutil.rmtree(self.task.study.path(KEEP) / self.fold, ignore_errors=True)
