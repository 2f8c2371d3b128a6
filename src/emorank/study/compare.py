"""The ranks of a study beside the intensity estimators of Table 10, on the same faces."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from emorank import __version__
from emorank.annotations.votes import read_votes
from emorank.baselines import ESTIMATORS, Entry, Faces
from emorank.baselines.descriptors import DESCRIPTORS
from emorank.baselines.references import random_rater
from emorank.errors import EmorankError, PlanError, StudyError
from emorank.evaluation.comparison import COLUMNS, Compared, comparison
from emorank.model import weights
from emorank.model.features import to_batch
from emorank.model.vgg16 import CUT_BLOCK5, CUT_HEAD, VGG16, channels_last
from emorank.study.calibrate import RESULT as CALIBRATION
from emorank.study.evidence import RESULT as EVIDENCE
from emorank.study.folder import Study, fingerprint
from emorank.study.folds import fold_study, parts
from emorank.study.framing import Framed
from emorank.study.ground_truth import ground_truth
from emorank.study.plan import override
from emorank.study.rankers import METHODS, ranker
from emorank.study.run import Quiet, Watch
from emorank.vocabulary import LEVELS, Emotion, Rank

LABELS = "labels"  # in the place of a votes file: neutral against any expression
RATER = "rater"
KEEP = "comparison"  # folder of what each estimator said
# From the best founded: learnt to be in order, then measured against known levels, then a rule.
FOUNDED = ("ordinal", "calibrated", "evidence", "paper")
TIMED = 8  # faces on which descriptors are timed


@dataclass(frozen=True)
class Task:
    """What is compared, on which faces.

    Attributes:
        study: with the votes in its plan.
        truth: from `ground_truth`, or of the labels.
        labels: whether the levels are neutral against any expression only.
        folds: how many times persons are parted anew; 0 for the study's own split.
    """

    study: Study
    truth: pd.DataFrame
    labels: bool
    folds: int

    def splits(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Names and tables of faces with their part; what is tested in each."""
        if not self.folds:
            yield "", self.truth
            return
        for number, split in enumerate(parts(self.truth, self.folds)):
            name = f"fold{number + 1}of{self.folds}"
            yield name, self.truth.drop(columns="part").merge(split, on="image")


def compare(
    study: Study,
    votes: Path | str | None = None,
    *,
    folds: int = 0,
    against: str = "",
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Run every estimator, keep what each said, and write `comparison.json` and `.parquet`.

    Args:
        study: trained.
        votes: a votes file or rating project, "labels" for neutral against any expression, None
            for the votes of the plan.
        folds: train and test anew in so many folds of persons; 0 for the study's own split.
        against: the rank that the others are tested against; the best founded if unsaid.
        watch: told of each estimator.

    Returns:
        What `comparison.json` holds: `expressive` and `all` (from `Compared.to_dict`; `all` has the
        neutral faces too), `timing` of each estimator in milliseconds per image, `left_out` with
        reasons, `about` in words.

    Raises:
        StudyError: the study is not trained, or nobody voted.
        PlanError: there is no rank `against`.
        VotesError: the votes cannot be read.
    """
    watch = watch or Quiet()
    task = _task(study, votes, folds)
    said, timing, left_out = _predictions(task, watch)
    if not task.labels:
        said = pd.concat([said, _rater(task)], ignore_index=True)
    reference = _reference(said, against, left_out)
    tested = said.dropna(subset="level")
    # Nobody rated neutral faces; their place on the raters' scale is that of None.
    tested = tested.assign(mean=tested["mean"].mask(tested["level"] == 0, 0.0))
    express = tested[tested["emotion"] != Emotion.NEUTRAL]
    scored = partial(comparison, reference=reference, seed=study.plan.split.seed)
    scored = partial(scored, resamples=study.plan.validate.resamples)
    # The raters were not shown neutral faces, so that they have no level among all faces.
    everybody = tested[tested["estimator"] != RATER]
    values = {
        "expressive": None if task.labels else scored(express[list(COLUMNS)]).to_dict(),
        "all": scored(everybody[list(COLUMNS)]).to_dict()
        if task.labels or (tested["emotion"] == Emotion.NEUTRAL).any()
        else None,
        "timing": timing,
        "left_out": left_out,
        "about": _about(task, tested),
    }
    study.write_table("comparison", tested)
    study.write_result("comparison", values, after="rank")
    return values


def _task(study: Study, votes: Path | str | None, folds: int) -> Task:
    if not study.path("model.safetensors").exists():
        raise StudyError(f"{study.folder}: no model to compare; do that first: emorank run")
    labels = str(votes) == LABELS
    if votes and not labels:
        path = str(Path(votes).expanduser().resolve())
        study = replace(study, plan=override(study.plan, {"validate.votes": path}, "the options"))
    if labels:
        study = replace(study, plan=override(study.plan, {"validate.votes": ""}, "the options"))
        truth = _of_labels(ground_truth(study))
    elif not study.plan.validate.votes:
        raise StudyError(
            f"{study.folder}: nobody has said how strongly these faces express an emotion, so "
            f"that there is nothing to compare with; give --votes FILE (image, rater, rank) or a "
            f"rating project, or --votes labels for neutral against any expression"
        )
    else:
        truth = ground_truth(study)
    return Task(study, truth, labels, folds)


def _of_labels(truth: pd.DataFrame) -> pd.DataFrame:
    """Neutral is None; any expression is Strong, because nothing lies between."""
    if not (truth["level"] == 0).any():
        raise StudyError(
            "--votes labels: expected neutral faces and faces of other emotions; there is no "
            "neutral face"
        )
    level = truth["level"].fillna(int(Rank.STRONG))
    return truth.assign(level=level, mean=level.astype(np.float64))


def faces_of(table: pd.DataFrame, study: Study) -> Faces:
    """The rows of a table of faces as estimators see them."""

    def column(name: str) -> np.ndarray[Any, Any]:
        values = table[name].astype(object)
        return np.asarray(values.where(values.notna(), None).to_numpy(), object)

    return Faces(
        digest=column("digest"),
        pixels=Framed(study, table),
        rows=np.arange(len(table)),
        person=column("person"),
        emotion=column("emotion"),
        sequence=column("sequence"),
        frame=table["frame"].fillna(0).to_numpy(np.int64),
        weights=study.plan.model.weights,
    )


def _predictions(
    task: Task, watch: Watch
) -> tuple[pd.DataFrame, dict[str, dict[str, float | None]], dict[str, str]]:
    """What every estimator says of every tested face; times; and who could not be asked."""
    found: dict[str, list[pd.DataFrame]] = {}
    left_out: dict[str, str] = {}
    for fold, table in task.splits():
        _describe(task, table, watch)
        for name in ESTIMATORS:
            said = _kept(task, fold, name, table, watch, partial(_learnt, task.study, name, table))
            found.setdefault(name, []).append(said)
        trained = _Network(task, fold, table, watch)
        for name in METHODS:
            if name in left_out:
                continue
            try:
                said = _kept(task, fold, name, table, watch, partial(trained.says, name))
                found.setdefault(name, []).append(said)
            except EmorankError as error:
                left_out[name] = str(error)
                found.pop(name, None)
                watch.end(name, f"left out: {error}", True)
        trained.forget()
    described = _described_ms(task)
    timing = {name: _timing(pd.concat(tables), name, described) for name, tables in found.items()}
    said = pd.concat([t for tables in found.values() for t in tables], ignore_index=True)
    truth = task.truth[["image", "person", "emotion", "level", "mean"]]
    merged = said.merge(truth, on="image", validate="many_to_one")
    if task.labels:
        merged["predicted"] = merged["predicted"].mask(merged["predicted"] > 0, int(Rank.STRONG))
    return merged, timing, left_out


def _describe(task: Task, table: pd.DataFrame, watch: Watch) -> None:
    """Compute what estimators look at, once for all of them."""
    progress = watch.start("features")
    faces = faces_of(table, task.study)
    for name in DESCRIPTORS:
        faces.described(name, progress)
    net = _convolutions(faces)
    for cut in (CUT_HEAD, CUT_BLOCK5):
        faces.convolved(net, cut, progress)
    watch.end("features", f"{len(DESCRIPTORS)} descriptors of {len(faces)} faces", True)


def _convolutions(faces: Faces) -> VGG16:
    """The frozen network, its classifier of no account."""
    net = VGG16(2, hidden=1)
    net.load_state_dict(weights.load(faces.weights), strict=False)
    return channels_last(net)


def _kept(
    task: Task, fold: str, name: str, table: pd.DataFrame, watch: Watch, ask: Any
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


def _learnt(study: Study, name: str, table: pd.DataFrame) -> pd.DataFrame:
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


class _Network:
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
        ranks = ranker(self.study, method)
        test = self.table[self.table["part"] == "test"].reset_index(drop=True)
        pixels = self._pixels(test)
        begin = time.perf_counter()
        found = ranks(pixels)
        seconds = time.perf_counter() - begin
        level = found["level"]
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

    def _thirds(self, ranks: Any, found: pd.DataFrame) -> pd.Series:
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


def _rater(task: Task) -> pd.DataFrame:
    """A rater drawn at random for each tested face, against the majority of the others."""
    plan = task.study.plan.validate
    votes = read_votes(Path(plan.votes))
    tested = task.truth if task.folds else task.truth[task.truth["part"] == "test"]
    votes = votes[votes["image"].isin(tested["image"])].reset_index(drop=True)
    rng = np.random.default_rng(task.study.plan.split.seed)
    drawn = random_rater(votes, rng, plan.ties).assign(estimator=RATER)
    return drawn.merge(tested[["image", "person", "emotion"]], on="image")


def _reference(said: pd.DataFrame, against: str, left_out: dict[str, str]) -> str:
    there = set(said["estimator"])
    if against in left_out:
        raise StudyError(f"--against {against}: {left_out[against]}")
    if against and against not in there:
        raise PlanError(f"--against {against}: expected one of {', '.join(sorted(there))}")
    return against or next(name for name in FOUNDED if name in there)


def _described_ms(task: Task) -> dict[str, float]:
    """Milliseconds that each descriptor takes of one face, measured on a few."""
    faces = faces_of(task.truth.head(TIMED), task.study)
    pixels = [faces.pixels(row) for row in range(len(faces))]
    found = {}
    for name, describe in DESCRIPTORS.items():
        describe(pixels[0])  # the first call makes filters
        begin = time.perf_counter()
        for face in pixels:
            describe(face)
        found[name] = 1000 * (time.perf_counter() - begin) / len(pixels)
    net = _convolutions(faces)
    begin = time.perf_counter()
    with torch.inference_mode():
        net.trunk(to_batch(pixels), CUT_HEAD)
    found["convolutions"] = 1000 * (time.perf_counter() - begin) / len(pixels)
    return found


def _timing(said: pd.DataFrame, name: str, described: dict[str, float]) -> dict[str, float | None]:
    """Milliseconds per image to learn, to predict, and to compute what is looked at."""
    entry = ESTIMATORS.get(name)
    features = sum(described[need] for need in entry.make.needs) if entry else None
    times = {column: float(said[column].mean()) for column in ("fit_ms", "predict_ms")}
    return times | {"features_ms": features}


def _about(task: Task, tested: pd.DataFrame) -> dict[str, Any]:
    one = tested.drop_duplicates("image")
    neutral = int((one["emotion"] == Emotion.NEUTRAL).sum())
    return {
        "labels": task.labels,
        "folds": task.folds,
        "votes": LABELS if task.labels else Path(task.study.plan.validate.votes).name,
        "faces": len(one),
        "neutral": neutral,
        "levels": {word: int((one["level"] == k).sum()) for k, word in enumerate(LEVELS)},
        "seed": task.study.plan.split.seed,
    }


def compared(values: dict[str, Any], which: str) -> Compared | None:
    """The scores of a result of `compare`: "expressive" faces, or "all" of them."""
    return None if values[which] is None else Compared.from_dict(values[which])
