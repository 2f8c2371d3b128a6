"""The stages of a study in their order; a stage that is done and still valid is skipped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from emorank import __version__
from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.room.sources import is_source, source_text
from emorank.study.folder import Study, alone, fingerprint, finish, sweep
from emorank.study.plan import AnswersPlan, Plan
from emorank.study.staged import METRICS, remove
from emorank.study.stages.explain import explain
from emorank.study.stages.prepare import prepare
from emorank.study.stages.rank import rank
from emorank.study.stages.report import report
from emorank.study.stages.test import test
from emorank.study.stages.train import train
from emorank.study.stages.validate import validate
from emorank.study.take_network import TAKEN


@dataclass(frozen=True)
class Stage:
    """One step of a study; its name is also the command that does it.

    Attributes:
        do: does the step; returns a line that says what came out.
        settings: the tables of the plan that the step depends on.
        files: what the step writes; those with ".partial" let it go on after it was stopped.
        contents: functions that give what else the step depends on, as plain values.
    """

    name: str
    do: Callable[[Study, Progress], str]
    settings: tuple[str, ...]
    files: tuple[str, ...]
    contents: tuple[Callable[[Plan], list[Any]], ...] = ()

    @property
    def lasting(self) -> tuple[str, ...]:
        """The files that are there when the step is done."""
        return tuple(name for name in self.files if ".partial" not in name)

    @property
    def partial(self) -> tuple[str, ...]:
        """The files that let a step go on which was stopped."""
        return tuple(name for name in self.files if ".partial" in name)


def rule_order(plan: Plan) -> list[Any]:
    """The rules in their order, which a digest does not see: the first that fits a layer counts."""
    return [list(plan.explain.rules)]


def votes_content(plan: Plan) -> list[Any]:
    """What is in the file or project of votes, and what the plan says of it if it says anything."""
    votes = Path(plan.validate.votes)
    content = [source_text(votes)] if plan.validate.votes and is_source(votes) else []
    return content + ([plan.answers] if plan.answers != AnswersPlan() else [])


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
    Stage("explain", explain, ("explain",), ("relevance",), (rule_order,)),
    Stage("rank", rank, ("rank",), ("ranks.parquet",)),
    Stage("validate", validate, ("validate",), ("votes.parquet",), (votes_content,)),
    Stage("report", report, ("title", "report"), ("report", "MODEL_CARD.md")),
)


class Watch(Protocol):
    """Is called when a stage starts and when it ends; gives the stage its progress."""

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
    """Do all stages of a study that are missing or do not fit its plan, up to `last`.

    With `first`, start there and refuse if an earlier stage is not done.

    Raises:
        StudyError: there is no such stage, a stage before `first` is not done, or another process
            works on the study.
        EmorankError: what the stages raise.
    """
    watch = watch or Quiet()
    begin = _number(first) if first else 0
    with alone(study):
        sweep(study)
        for number, stage in enumerate(STAGES[: _number(last) + 1]):
            key = _key(study.plan, number)
            done = _is_done(study, stage, key)
            if number < begin:
                if not done:
                    raise StudyError(
                        f"{study.folder}: the stage '{stage.name}' is not done for this plan; "
                        f"do that stage first, or all in order with: emorank run"
                    )
                continue
            # A stage that is asked for by name is done again, unless it was cut short.
            again = not done or stage.name == first
            if again:
                _do(study, stage, key, watch.start(stage.name))
            watch.end(stage.name, study.stages()[stage.name]["outcome"], again)


def is_done(study: Study, name: str) -> bool:
    """Whether a stage is done for the study's present plan, and its files are there."""
    number = _number(name)
    return _is_done(study, STAGES[number], _key(study.plan, number))


def _number(name: str) -> int:
    names = [stage.name for stage in STAGES]
    if name not in names:
        raise StudyError(f"'{name}' is no stage of a study; expected one of {', '.join(names)}")
    return names.index(name)


def _do(study: Study, stage: Stage, key: str, progress: Progress) -> None:
    """Do a stage; its earlier files stay until the new ones are whole.

    What an attempt for the same key has left is gone on with.

    Raises:
        StudyError: a file cannot be written, for instance because the disk is full.
    """
    record = study.stages().get(stage.name, {})
    files = stage.lasting + (TAKEN if stage.name == "train" and study.plan.network else ())
    making = replace(study, stage=stage.name, files=(*files, METRICS))
    try:
        # Earlier versions wrote the key of a stage that had begun where that of a done one stands.
        if record.get("begun", "" if "outcome" in record else record.get("key")) != key:
            for path in (making.parts, *map(study.path, stage.partial)):
                remove(path)
        study.write_stage(stage.name, record | {"begun": key})
        making.parts.mkdir(exist_ok=True)
        outcome = stage.do(making, progress)
        gone = [name for name in files if not making.path(name).exists()]
        made = {"key": key, "outcome": outcome, "version": __version__}
        finish(making, made, [*gone, *stage.partial])
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StudyError(
            f"{where}{error.strerror or error}; the stage '{stage.name}' stopped: nothing "
            "half-written was left, what was done before is kept, and the same command goes on"
        ) from error


def _is_done(study: Study, stage: Stage, key: str) -> bool:
    whole = all(study.path(name).exists() for name in stage.lasting)
    return study.stamp(stage.name) == key and whole


def _key(plan: Plan, number: int) -> str:
    """A digest of all that a stage and the stages before it depend on."""
    before = STAGES[: number + 1]
    settings = [getattr(plan, table) for stage in before for table in stage.settings]
    contents = [part for stage in before for content in stage.contents for part in content(plan)]
    return fingerprint(*settings, *contents)
