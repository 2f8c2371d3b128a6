"""The folder of a study: its tables, records and results, each written whole or not at all."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pandas as pd
from filelock import FileLock, Timeout

from emorank.errors import StudyError
from emorank.files import replacing, unfinished
from emorank.results.metrics import Metrics
from emorank.results.stored import Stored, plain, record_from
from emorank.study.plan import Plan, dump_plan, read_plan

Record = TypeVar("Record", bound=Stored)


@dataclass(frozen=True)
class Study:
    """The folder and the plan of a study."""

    folder: Path
    plan: Plan

    def path(self, name: str) -> Path:
        """The path of a file of the study, whether the file exists or not."""
        return self.folder / name

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
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise StudyError(f"{path} is damaged ({error}); delete it and run again") from error

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table, whole or not at all."""
        with replacing(self.path(f"{name}.parquet")) as partial:
            table.to_parquet(partial, index=False)

    def metrics(self) -> dict[str, Any]:
        """All measurements so far, by section (`metrics.json`)."""
        path = self.path("metrics.json")
        sections: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return sections

    def measured(self) -> Metrics:
        """The same as a record.

        Raises:
            StudyError: the file was written by something else.
        """
        return record_from(self.metrics(), Metrics, self.path("metrics.json"))

    def write_metrics(self, section: str, values: Any) -> None:
        """Replace one section of `metrics.json`."""
        metrics = self.metrics() | {section: plain(values)}
        write_json(self.path("metrics.json"), metrics)

    def stages(self) -> dict[str, dict[str, str]]:
        """The record of each stage that was begun (`stages.json`): key, and outcome if done."""
        path = self.path("stages.json")
        records: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        return records

    def write_stage(self, stage: str, record: dict[str, str]) -> None:
        """Replace the record of one stage."""
        write_json(self.path("stages.json"), self.stages() | {stage: record})

    def stamp(self, stage: str) -> str:
        """The key under which a stage was last done; empty if it was not, or was cut short."""
        record = self.stages().get(stage, {})
        return record["key"] if record.get("outcome") else ""

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
        result = json.loads(path.read_text())
        return result["values"] if result["stamp"] == self.stamp(result["after"]) else None

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
    return Study(folder, read_plan(folder / "study.toml"))


def create_study(folder: Path | str, plan: Plan) -> Study:
    """Make the folder of a study, or go on in it with a plan for the same images.

    Raises:
        StudyError: the folder holds something else, or a study of other images.
    """
    folder = Path(folder)
    if (folder / "study.toml").is_file():
        there = open_study(folder).plan.data
        if (there.dataset, there.path) != (plan.data.dataset, plan.data.path):
            raise StudyError(
                f"{folder} holds a study of {there.dataset} at '{there.path}', not of "
                f"{plan.data.dataset} at '{plan.data.path}'; choose another --out"
            )
    elif folder.is_dir() and any(not unfinished(path) for path in folder.iterdir()):
        raise StudyError(f"{folder} is not empty and holds no study; choose another --out")
    with replacing(folder / "study.toml") as partial:
        partial.write_text(dump_plan(plan), encoding="utf-8")
    return Study(folder, plan)


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


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def fingerprint(*parts: Any) -> str:
    """A short digest of plain values; equal values have equal digests."""
    text = json.dumps([msgspec.to_builtins(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
