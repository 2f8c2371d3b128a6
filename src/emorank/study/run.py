"""The stages of a study in their order; a stage that is done and still valid is skipped."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from emorank import __version__
from emorank.errors import StudyError
from emorank.networks.ready import READY
from emorank.networks.weights import IMAGENET
from emorank.progress import Progress, silent
from emorank.reading.ready import NAME
from emorank.room.sources import is_source, source_text
from emorank.seals import checksum
from emorank.study.check_images import check_images
from emorank.study.folder import IMAGES, Study, alone, fingerprint, finish, sweep
from emorank.study.other_network import READY_NETWORK
from emorank.study.plan import AnswersPlan, InputPlan, Plan
from emorank.study.stage import Stage, key_of, record_of
from emorank.study.staged import METRICS, remove
from emorank.study.stages.explain import explain
from emorank.study.stages.prepare import prepare
from emorank.study.stages.rank import rank
from emorank.study.stages.report import report
from emorank.study.stages.test import test
from emorank.study.stages.train import train
from emorank.study.stages.validate import validate
from emorank.study.take_network import TAKEN
from emorank.study.test_part_ranks import DEFAULTS, table_of
from emorank.study.trained_network import MODEL

_LOG = logging.getLogger(__name__)


def rule_order(plan: Plan) -> list[Any]:
    """The rules in their order, which a digest does not see: the first that fits a layer counts."""
    return [list(plan.explain.rules)]


def way_of_reading(plan: Plan) -> list[Any]:
    """How the starting weights read images, if the plan says anything of it."""
    return [plan.input] if plan.input != InputPlan() else []


def votes_content(plan: Plan) -> list[Any]:
    """What is in the file or project of votes, and what the plan says of it if it says anything."""
    votes = Path(plan.validate.votes)
    content = [source_text(votes)] if plan.validate.votes and is_source(votes) else []
    return content + ([plan.answers] if plan.answers != AnswersPlan() else [])


def other_split(plan: Plan) -> list[Path]:
    """The table that says whom the network of another study has learnt from."""
    return [Path(plan.network) / "split.parquet"] if plan.network not in ("", READY_NETWORK) else []


def weights_file(plan: Plan) -> list[Path]:
    """The network of another study, or a file of weights to start from."""
    if plan.network:
        ready = plan.network == READY_NETWORK
        return [READY[NAME].path if ready else Path(plan.network) / MODEL]
    return [] if plan.model.weights == IMAGENET else [Path(plan.model.weights)]


def faces_content(study: Study) -> str:
    """A digest of who the faces are, what they express and look like, and of their parts."""
    faces = study.table("faces").merge(study.table("split"), on="image")
    columns = ["image", "emotion", "person", "sequence", "frame", "intensity", "digest", "part"]
    return fingerprint(faces[columns].astype("string").fillna("").to_numpy().tolist())


STAGES = (
    Stage(
        "prepare",
        prepare,
        ("data", "split", "network"),
        ("faces.parquet", "excluded.parquet", "split.parquet", "prepare.partial.jsonl"),
        inputs=other_split,
        also=lambda _: (f"{IMAGES}.parquet",),
        content=faces_content,
        section="leakage",
    ),
    Stage(
        "train",
        train,
        ("model", "train"),
        (MODEL, "training.parquet", "training.partial.safetensors"),
        (way_of_reading,),
        inputs=weights_file,
        also=lambda plan: TAKEN if plan.network else (),
        content=lambda study: checksum(study.path(MODEL)),
    ),
    Stage("test", test, (), ("predictions.parquet", "logits.partial"), section="emotion"),
    Stage("explain", explain, ("explain",), ("relevance",), (rule_order,), section="conservation"),
    Stage(
        "rank",
        rank,
        ("rank",),
        ("ranks.parquet",),
        also=lambda _: tuple(f"{table_of(name)}.parquet" for name in DEFAULTS),
    ),
    Stage(
        "validate", validate, ("validate",), ("votes.parquet",), (votes_content,), section="rank"
    ),
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


def run(
    study: Study, *, watch: Watch | None = None, first: str | None = None, last: str = "report"
) -> None:
    """Do all stages of a study that are missing or do not fit its plan, up to `last`.

    With `first`, do that one again, and refuse if an earlier stage is not done.

    Raises:
        StudyError: there is no such stage, a stage before `first` is not done, the images are not
            those that were prepared, or another process works on the study.
        EmorankError: what the stages raise.
    """
    watch = watch or Quiet()
    begin = _number(first) if first else 0
    with alone(study):
        sweep(study)
        for number, stage in enumerate(STAGES[: _number(last) + 1]):
            done = is_done(study, stage.name)
            if done and number == 0 and stage.name != first:
                _check_images(study, watch)
            if number < begin:
                if not done:
                    raise StudyError(
                        f"{study.folder}: the stage '{stage.name}' is not done for this plan; "
                        f"do that stage first, or all in order with: emorank run"
                    )
                continue
            # A stage that is asked for by name is done again, unless it was cut short.
            again = not done or stage.name == first
            _LOG.info("stage %s: %s", stage.name, "begins" if again else "is done for this plan")
            if again:
                _do(study, STAGES[: number + 1], watch.start(stage.name))
            watch.end(stage.name, study.stages()[stage.name]["outcome"], again)


def is_done(study: Study, name: str) -> bool:
    """Whether a stage is done for the study's present plan, and its files are there."""
    number = _number(name)
    stage = STAGES[number]
    whole = all(study.path(file).exists() for file in stage.lasting)
    if stage.section and stage.section not in study.metrics():
        return False
    return whole and study.stamp(name) == key_of(study, STAGES[: number + 1])


def last_done(study: Study) -> str:
    """The last stage that was ever done; the first, if none was."""
    return max((s.name for s in STAGES if study.stamp(s.name)), key=_number, default="prepare")


def _check_images(study: Study, watch: Watch) -> None:
    if read := check_images(study, lambda: watch.start(IMAGES)):
        watch.end(IMAGES, f"{read:,} files were touched; their pixels are the same", True)


def _number(name: str) -> int:
    names = [stage.name for stage in STAGES]
    if name not in names:
        raise StudyError(f"'{name}' is no stage of a study; expected one of {', '.join(names)}")
    return names.index(name)


def _do(study: Study, stages: Sequence[Stage], progress: Progress) -> None:
    """Do the last of some stages; its earlier files stay until the new ones are whole.

    What an attempt for the same key has left is gone on with.

    Raises:
        StudyError: a file cannot be written, for instance because the disk is full.
    """
    stage, key = stages[-1], key_of(study, stages, afresh=True)
    record = study.stages().get(stage.name, {})
    files = (*stage.lasting, *stage.also(study.plan))
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
        made |= record_of(study, making, stages)
        finish(making, made, [*gone, *stage.partial])
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StudyError(
            f"{where}{error.strerror or error}; the stage '{stage.name}' stopped: nothing "
            "half-written was left, what was done before is kept, and the same command goes on"
        ) from error
