"""What an estimator or a rank says of the tested faces; it is asked once, and its answer stored."""

import shutil
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from emorank import __version__
from emorank.baselines import ESTIMATORS
from emorank.reading.along_sequences import smooth_ranks
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.reader import Reader, in_words
from emorank.study.answer_store import AnswerStore, RankStates
from emorank.study.comparing.folds import KEEP, fold_study, learn_again
from emorank.study.comparing.task import Task, faces_of
from emorank.study.folder import Study, fingerprint
from emorank.study.framed_faces import Framed
from emorank.study.readers import reader_of
from emorank.study.run import Watch
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVEL_COLUMNS, LEVELS, Emotion

COLUMNS = ("predicted", "score", "fit_ms", "predict_ms")


def answers(
    study: Study,
    title: str,
    state: str,
    table: pd.DataFrame,
    watch: Watch,
    ask: Callable[[], pd.DataFrame],
) -> pd.DataFrame:
    """`image` and `COLUMNS` of the tested faces, from the store or else asked now.

    `title` names the estimator or rank, and the fold; `state` is what the answer depends on. The
    table of faces has `part` and `level`.
    """
    store = AnswerStore(study.path(KEEP), title.replace(" ", "-"), state, COLUMNS)
    tested = table[table["part"] == "test"].reset_index(drop=True)
    images = tested["image"].to_list()
    if again := bool(store.lacking(images)):
        watch.start(title)
        answer = ask()
        store.add(answer["image"].to_list(), answer)
    answer = store.table(images).astype({"predicted": "Int64"})
    known = tested["level"].notna()
    share = (answer["predicted"] == tested["level"])[known].fillna(value=False).mean()
    watch.end(title, f"{share:.0%} of {known.sum()} levels right", again)
    return pd.concat([tested[["image"]], answer], axis=1)


def estimator_state(name: str, table: pd.DataFrame) -> str:
    """What the answer of an estimator of the paper's Table 10 depends on.

    It is the parameters, the faces, and the levels of those learnt from.
    """
    parameters = ESTIMATORS[name].make().get_params()
    return fingerprint(__version__, parameters, faces_state(table), _levels_learnt(table))


def rank_state(states: RankStates, name: str, fold: str, table: pd.DataFrame) -> str:
    """What the answer of a rank depends on: in a fold also what is learnt anew there."""
    anew = [states.stamp, _levels_learnt(table)] if fold else []
    return states.of(name, faces_state(table), anew)


def faces_state(table: pd.DataFrame) -> list[list[str]]:
    """The faces, and who is learnt from and who is tested."""
    columns = table[["image", "part", "digest"]].astype("string").fillna("")
    return [[str(value) for value in row] for row in columns.to_numpy()]


def _levels_learnt(table: pd.DataFrame) -> list[str]:
    """The levels of the faces learnt from; those of the tested ones do not count."""
    return [str(level) for level in table["level"].mask(table["part"] == "test")]


def estimate(study: Study, name: str, table: pd.DataFrame) -> pd.DataFrame:
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


def pressed_levels(table: pd.DataFrame) -> pd.Series:
    """The levels that a rank gives; where it abstains, the most probable one.

    No other estimator may abstain. `emorank audit` counts abstentions.
    """
    if not set(LEVEL_COLUMNS) <= set(table):
        return table["level"]
    probable = pd.Series(
        table[list(LEVEL_COLUMNS)].to_numpy().argmax(1), index=table.index, dtype="Int64"
    )
    return table["level"].fillna(probable)


def said_by(
    reader: Reader, table: pd.DataFrame, study: Study, fit_ms: float, *, smooth: bool = False
) -> pd.DataFrame:
    """What the first rank of a reader says of the tested faces, framed as the study's plan says.

    A score without levels is cut where the validation part has its thirds. With `smooth` the rank
    is the contrast, and frames are ranked by what all of their sequence show.
    """
    test = table[table["part"] == "test"].reset_index(drop=True)
    pixels = _pixels(study, test)
    begin = time.perf_counter()
    said = reader.levels(pixels)
    if smooth:
        about = test[["sequence", "frame", "person"]]
        said = smooth_ranks(pd.concat([in_words(said), about], axis=1))
        level = said["rank"].map(LEVELS.index, na_action="ignore")
        said = said.assign(level=level.astype("Int64"))
    seconds = time.perf_counter() - begin
    level = pressed_levels(said)
    if level.isna().all():
        level = _thirds(reader, table, study, said)
    return pd.DataFrame(
        {
            "image": test["image"],
            "predicted": level.astype("Int64"),
            "score": said["score"].astype(np.float64),
            "fit_ms": fit_ms,
            "predict_ms": 1000 * seconds / len(test),
        }
    )


def _thirds(reader: Reader, table: pd.DataFrame, study: Study, said: pd.DataFrame) -> pd.Series:
    validation = table[table["part"] == "validation"]
    expressed = validation[validation["emotion"] != Emotion.NEUTRAL].reset_index(drop=True)
    scores = reader.levels(_pixels(study, expressed))["score"]
    level = 1 + np.searchsorted(np.quantile(scores, [1 / 3, 2 / 3]), said["score"], side="right")
    return pd.Series(level, dtype="Int64").mask(said["predicted"] == Emotion.NEUTRAL, 0)


def _pixels(study: Study, table: pd.DataFrame) -> list[np.ndarray[Any, Any]]:
    framed = Framed(study, table)
    return [framed(row) for row in range(len(table))]


class FoldNetwork:
    """The network of a fold, which is trained when the first rank needs it."""

    def __init__(self, task: Task, fold: str, table: pd.DataFrame, watch: Watch) -> None:
        self.task, self.fold, self.table, self.watch = task, fold, table, watch

    def answer(self, rank: str) -> pd.DataFrame:
        """What a rank of the study says of the tested faces, trained on the others."""
        study = self.study
        if self.fold:
            learn_again(self.task.study, study, rank, self.watch.start(rank))
        reader = reader_of(study, (rank,), network=self.network)
        training = study.table("training")["seconds"].sum()
        spent = 1000 * training / (self.table["part"] == "train").sum()
        return said_by(reader, self.table, self.task.study, spent)

    @cached_property
    def study(self) -> Study:
        """The study itself, or that of the fold, trained."""
        if not self.fold:
            return self.task.study
        title = f"network {self.fold}"
        split = self.table[["image", "part"]]
        study = fold_study(self.task.study, self.fold, split, self.watch.start(title))
        self.watch.end(title, "trained on the other persons", True)
        return study

    @cached_property
    def network(self) -> EmotionNetwork:
        """Its classifier, for all ranks."""
        return trained_network(self.study)

    def remove(self) -> None:
        """Delete the hundreds of megabytes of a fold's network, once all ranks have been asked."""
        if self.fold:
            shutil.rmtree(self.task.study.path(KEEP) / self.fold, ignore_errors=True)
