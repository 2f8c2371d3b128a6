"""The folder of a study: its tables, records and results, each written whole or not at all."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pandas as pd
from filelock import FileLock, Timeout

from emorank.errors import StudyError
from emorank.files import replacing, unfinished
from emorank.results.metrics import Metrics
from emorank.results.stored import Stored, damaged, plain, read_json, record_from, write_json
from emorank.seals import UNSEALED, is_damaged, seal
from emorank.study.inventory import dataset_of, differences, in_words, inventory
from emorank.study.plan import DataPlan, Plan, dump_plan, read_plan
from emorank.study.staged import METRICS, put_in_place, remove

Record = TypeVar("Record", bound=Stored)
_CHECKSUM = "checksum"
# What pyarrow and pandas raise on a file that is damaged in a place that they read first.
_UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError),
    *(NotImplementedError, MemoryError, OverflowError),
)
# Of a stage's record while its new files take the place of the earlier ones.
_MADE = "made"


@dataclass(frozen=True)
class _Result:
    """The JSON file of a verb: its values, and the stage and key that they depend on."""

    after: str
    stamp: str
    values: Any


STAGES = "stages.json"
IMAGES = "images"  # the table of the images as they were when the study was prepared


@dataclass(frozen=True)
class Study:
    """The folder and the plan of a study.

    Attributes:
        stage: the stage that is being done, if one is; its new `files` are in `parts` until all of
            them are whole, and the earlier ones stay where they are.
    """

    folder: Path
    plan: Plan
    stage: str = ""
    files: tuple[str, ...] = ()

    def path(self, name: str) -> Path:
        """The path of a file of the study, whether the file exists or not."""
        return (self.parts if name.partition("/")[0] in self.files else self.folder) / name

    @property
    def parts(self) -> Path:
        """The folder of the new files of the stage that is being done."""
        return self.folder / f"{self.stage}.partial"

    def digest(self, name: str) -> str:
        """The SHA-256 of a file of the study, in hexadecimal."""
        with self.path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def table(self, name: str) -> pd.DataFrame:
        """Read a table such as "faces".

        Raises:
            StudyError: the stage that writes it has not run, or the file is damaged.
        """
        path = self.path(f"{name}.parquet")
        if not path.exists():
            raise StudyError(f"{path} is missing: run the stage before this one, or: emorank run")
        try:
            if is_damaged(path):
                raise damaged(path, "its checksum does not fit")
            table = pd.read_parquet(path)
        except _UNREADABLE as error:
            raise damaged(path, str(error)) from error
        table.attrs.pop(_CHECKSUM, None)
        return table

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table with a checksum, whole or not at all."""
        table = table.copy(deep=False)
        table.attrs = table.attrs | {_CHECKSUM: UNSEALED}
        with replacing(self.path(f"{name}.parquet")) as partial:
            table.to_parquet(partial, index=False)
            seal(partial)

    def metrics(self) -> dict[str, Any]:
        """All measurements so far, by section (`metrics.json`).

        Raises:
            StudyError: the file is damaged; so do `measured` and `write_metrics`.
        """
        made = read_json(self.path(METRICS)) if self.stage else {}
        return read_json(self.folder / METRICS) | made

    def measured(self) -> Metrics:
        """The same as a record.

        Raises:
            StudyError: the file was written by something else.
        """
        return record_from(self.metrics(), Metrics, self.path(METRICS))

    def write_metrics(self, section: str, values: Any) -> None:
        """Replace one section of `metrics.json`."""
        path = self.path(METRICS)
        write_json(path, read_json(path) | {section: plain(values)})

    def stages(self) -> dict[str, dict[str, Any]]:
        """The record of each stage that was begun (`stages.json`): key, and outcome if done.

        Raises:
            StudyError: the file is damaged; so do all that ask which stages are done.
        """
        path = self.path(STAGES)
        return record_from(read_json(path), dict[str, dict[str, Any]], path)

    def write_stage(self, stage: str, record: dict[str, Any]) -> None:
        """Replace the record of one stage."""
        write_json(self.path(STAGES), self.stages() | {stage: record})

    def stamp(self, stage: str) -> str:
        """The key under which a stage was last done; empty if it was not, or was cut short."""
        record = self.stages().get(stage, {})
        return str(record.get("key", "")) if record.get("outcome") else ""

    def identity(self, stage: str) -> str:
        """What a stage was done for and what it made, in one word; empty if it is not done."""
        record = self.stages().get(stage, {})
        return ".".join(filter(None, (self.stamp(stage), record.get("content"))))

    def was_made_of(self, stage: str, before: str) -> bool:
        """Whether a stage was done after the present result of the one before it."""
        record, identity = self.stages().get(stage, {}), self.identity(before)
        return bool(identity) and record.get("on", self.stamp(stage)) == identity

    def write_result(self, name: str, values: Any, *, after: str) -> None:
        """Write the result of a verb (`NAME.json`), with the key of the stage that it depends on.

        `values` are plain, or records of msgspec; `after` is the last stage that they depend on.
        """
        stamped = {"after": after, "stamp": self.stamp(after)}
        write_json(self.path(f"{name}.json"), stamped | {"values": plain(values)})

    def result(self, name: str) -> Any:
        """The result of a verb; None if there is none, or its stage was done anew since."""
        path = self.path(f"{name}.json")
        if not path.exists():
            return None
        stored = record_from(read_json(path), _Result, path)
        if stored.stamp != self.stamp(stored.after):
            return None
        return stored.values  # noqa: PD011 - no table of pandas

    def read(self, kind: type[Record]) -> Record | None:
        """The record that a verb wrote; None if it never did, or the study is another since.

        Raises:
            StudyError: the file was written by something else.
        """
        values = self.result(kind.NAME)
        path = self.path(f"{kind.NAME}.json")
        return None if values is None else record_from(values, kind, path)

    def write(self, record: Stored, *, after: str = "") -> None:
        """Write a record; `after` is as in `write_result`, or else `record.AFTER`."""
        self.write_result(record.NAME, record, after=after or record.AFTER)


def open_study(folder: Path | str) -> Study:
    """Open an existing study.

    Raises:
        StudyError: the folder holds none.
    """
    folder = Path(folder)
    if not (folder / "study.toml").is_file():
        raise StudyError(f"{folder}: no study here (no study.toml); make one with: emorank run")
    study = Study(folder, read_plan(folder / "study.toml"))
    if any(_MADE in record for record in study.stages().values()):
        complete(study)
    return study


def complete(study: Study) -> None:
    """Put the new files of stages in place that were killed while they did this.

    Raises:
        StudyError: another process works on the study.
    """
    with alone(study):
        for stage, record in study.stages().items():
            if _MADE in record:
                _put(study, stage, record[_MADE])


def finish(making: Study, made: dict[str, Any], gone: Iterable[str]) -> None:
    """Let the new files of a stage that is being done take the place of the earlier ones.

    `made` becomes the record of the stage, if it has one; `gone` are earlier files that have no
    new one. To be called only under `alone`.
    """
    made = {"record": made, "gone": list(gone)}
    earlier = making.stages().get(making.stage, {})
    making.write_stage(making.stage, earlier | {_MADE: made})
    _put(making, making.stage, made)


def _put(study: Study, stage: str, made: dict[str, Any]) -> None:
    put_in_place(replace(study, stage=stage).parts, made["gone"])
    records = study.stages() | {stage: made["record"]}
    write_json(study.path(STAGES), {name: record for name, record in records.items() if record})


@contextmanager
def together(study: Study, name: str, *files: str) -> Iterator[Study]:
    """A study that writes some files so that they replace the earlier ones at the end, together.

    For verbs beside the stages, within a `with` statement and under `alone`.
    """
    making = replace(study, stage=name, files=files)
    remove(making.parts)
    making.parts.mkdir()
    yield making
    finish(making, {}, [])


def create_study(folder: Path | str, plan: Plan) -> Study:
    """Make the folder of a study, or go on in it with a plan for the same images.

    Raises:
        StudyError: the folder holds something else, or a study of other images.
    """
    folder = Path(folder)
    if (folder / "study.toml").is_file():
        _accept(open_study(folder), plan.data)
    elif folder.is_dir() and any(not unfinished(path) for path in folder.iterdir()):
        raise StudyError(f"{folder} is not empty and holds no study; choose another --out")
    with replacing(folder / "study.toml") as partial:
        partial.write_text(dump_plan(plan), encoding="utf-8")
    return Study(folder, plan)


def _accept(study: Study, data: DataPlan) -> None:
    """Refuse other images than a study has; the same ones may have been moved."""
    there = study.plan.data
    if (there.dataset, there.path) == (data.dataset, data.path):
        return
    differ = "nothing was prepared yet"
    if there.dataset == data.dataset and study.stamp("prepare"):
        now = inventory(dataset_of(data))
        differ = in_words(differences(known_images(study, now), now))
    if differ:
        raise StudyError(
            f"{study.folder} holds a study of {there.dataset} at '{there.path}', not of "
            f"{data.dataset} at '{data.path}' ({differ}); choose another --out"
        )
    # The keys of the stages that are done have the place in them where the images were then.
    record = study.stages()["prepare"]
    study.write_stage("prepare", {"path": there.path} | record)


def known_images(study: Study, now: pd.DataFrame) -> pd.DataFrame:
    """The inventory of a prepared study, in the columns of `inventory`.

    Earlier versions wrote none. Then it is that of `now`, as far as nothing is known of files that
    were left out, or that are older than the table of faces.
    """
    if study.path(f"{IMAGES}.parquet").exists():
        return study.table(IMAGES)
    faces = study.table("faces")
    left_out = ~now["image"].isin(faces["image"])
    prepared = study.path("faces.parquet").stat().st_mtime_ns
    files = now[["image", "bytes", "modified"]]
    files = files.assign(modified=files["modified"].where(files["modified"] <= prepared, -1))
    known = faces[faces.columns.intersection(now.columns)].merge(files, on="image", how="left")
    return pd.concat([known, now[left_out]], ignore_index=True)


def require_own_network(study: Study) -> None:
    """Refuse to learn from faces that are all to be tested.

    Raises:
        StudyError: the study has its network from another one.
    """
    if study.plan.network:
        raise StudyError(
            f"{study.folder}: its network is that of {study.plan.network} and all of its faces are "
            f"tested, so that none is left to learn from; do this with that study, or train one of "
            f"these images: emorank run --data"
        )


@contextmanager
def alone(study: Study) -> Iterator[None]:
    """Keep other processes from working on a study, within a `with` statement.

    Raises:
        StudyError: another process works on it already.
    """
    lock = FileLock(study.path(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StudyError(
            f"{study.folder}: another process works on this study; wait for it"
        ) from None
    try:
        yield
    finally:
        lock.release()


def sweep(study: Study) -> None:
    """Remove half-written files of killed processes; to be called only under `alone`."""
    for path in study.folder.rglob(".*"):
        if unfinished(path):
            path.unlink(missing_ok=True)


def fingerprint(*parts: Any) -> str:
    """A short digest of plain values; equal values have equal digests."""
    text = json.dumps([msgspec.to_builtins(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
