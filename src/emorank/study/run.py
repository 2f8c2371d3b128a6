"""The stages of a study in their order; what is done and still valid is not done again."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emorank import __version__
from emorank.answers.formats import read_answers
from emorank.answers.votes import is_project
from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.study.folder import Study, alone, fingerprint, sweep, write_json
from emorank.study.stages.explain import explain
from emorank.study.stages.prepare import prepare
from emorank.study.stages.rank import rank
from emorank.study.stages.report import report
from emorank.study.stages.test import test
from emorank.study.stages.train import train
from emorank.study.stages.validate import validate


@dataclass(frozen=True)
class Stage:
    """One step: what does it, which tables of the plan it depends on, which files it writes."""

    name: str
    do: Callable[[Study, Progress], str]
    settings: tuple[str, ...]
    files: tuple[str, ...]


STAGES = (
    Stage(
        "prepare",
        prepare,
        ("data", "split", "network"),
        ("faces.parquet", "excluded.parquet", "split.parquet", "prepare.partial.jsonl"),
    ),
    Stage(
        "train",
        train,
        ("model", "train"),
        ("model.safetensors", "training.parquet", "training.partial.safetensors"),
    ),
    Stage("test", test, (), ("predictions.parquet", "logits.partial")),
    Stage("explain", explain, ("explain",), ("relevance",)),
    Stage("rank", rank, ("rank",), ("ranks.parquet",)),
    Stage("validate", validate, ("validate",), ("votes.parquet",)),
    Stage("report", report, ("title", "report"), ("report", "MODEL_CARD.md")),
)


class Watch(Protocol):
    """Told when a stage starts and ends; hands out its progress."""

    def start(self, stage: str) -> Progress:
        """A stage begins."""

    def end(self, stage: str, outcome: str, again: bool) -> None:
        """A stage ended with this outcome; `again` is false where it had been done before."""


class Quiet:
    """Watches nothing."""

    def start(self, stage: str) -> Progress:
        """Hand out a progress that goes nowhere."""
        return silent

    def end(self, stage: str, outcome: str, again: bool) -> None:
        """Take no notice."""


def run(study: Study, watch: Watch | None = None, *, first: str = "", last: str = "report") -> None:
    """Bring a study to its last stage, doing what is missing or no longer fits the plan.

    Args:
        study: from `create_study` or `open_study`.
        watch: told of the stages.
        first: start here and refuse if an earlier stage is not done; empty for the beginning.
        last: stop after this stage.

    Raises:
        StudyError: a stage before `first` is not done, or another process works on the study.
        EmorankError: what the stages raise.
    """
    watch = watch or Quiet()
    names = [stage.name for stage in STAGES]
    begin = names.index(first) if first else 0
    with alone(study):
        sweep(study)
        for number, stage in enumerate(STAGES[: names.index(last) + 1]):
            key = _key(study, number)
            done, outcome = _done(study, stage, key)
            if number < begin:
                if not done:
                    raise StudyError(
                        f"{study.folder}: the stage '{stage.name}' is not done for this plan; "
                        f"do that stage first, or all in order with: emorank run"
                    )
                continue
            # A stage that is asked for by name is done again, unless it was cut short.
            if not done or stage.name == first:
                outcome = _do(study, stage, key, watch.start(stage.name), afresh=done)
            watch.end(stage.name, outcome, not done or stage.name == first)


def is_done(study: Study, name: str) -> bool:
    """Whether a stage is done for the study's present plan, and its files are there."""
    number = [stage.name for stage in STAGES].index(name)
    return _done(study, STAGES[number], _key(study, number))[0]


def _do(study: Study, stage: Stage, key: str, progress: Progress, *, afresh: bool) -> str:
    record = _records(study)
    if afresh or record.get(stage.name, {}).get("key") != key:
        for name in stage.files:
            _remove(study.path(name))
    record[stage.name] = {"key": key}
    write_json(study.path("stages.json"), record)
    outcome = stage.do(study, progress)
    record[stage.name] = {"key": key, "outcome": outcome, "version": __version__}
    write_json(study.path("stages.json"), record)
    return outcome


def _done(study: Study, stage: Stage, key: str) -> tuple[bool, str]:
    entry = _records(study).get(stage.name, {})
    written = all(study.path(name).exists() for name in stage.files if ".partial" not in name)
    outcome = entry.get("outcome", "")
    return entry.get("key") == key and bool(outcome) and written, outcome


def _key(study: Study, number: int) -> str:
    """Of a stage: changes when its settings, or those of any stage before it, change."""
    plan = study.plan
    settings = [getattr(plan, table) for stage in STAGES[: number + 1] for table in stage.settings]
    if number >= [stage.name for stage in STAGES].index("explain"):
        # The first rule that fits a layer counts, and a digest does not see the order of keys.
        settings.append(list(plan.explain.rules))
    votes = Path(plan.validate.votes)
    if STAGES[number].name in {"validate", "report"} and votes.is_file():
        settings.append(votes.read_text(errors="replace"))
    elif STAGES[number].name in {"validate", "report"} and is_project(votes):
        settings.append(read_answers(votes).to_csv())
    return fingerprint(*settings)


def _records(study: Study) -> dict[str, dict[str, str]]:
    path = study.path("stages.json")
    found: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
