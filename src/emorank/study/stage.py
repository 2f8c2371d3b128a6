"""A stage of a study: what it does, and what has to be the same for it to be still valid."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from emorank.errors import StudyError
from emorank.progress import Progress
from emorank.seals import checksum
from emorank.study.folder import Study, fingerprint
from emorank.study.plan import Plan


@dataclass(frozen=True)
class Stage:
    """One step of a study; its name is also the command that does it.

    Attributes:
        do: does the step; returns a line that says what came out.
        settings: the tables of the plan that the step depends on.
        files: what the step writes; those with ".partial" let it go on after it was stopped.
        contents: functions that give what else the step depends on, as plain values.
        inputs: files outside the study that it depends on; their content counts, not their time.
        also: files that it writes too, and that may be missing.
        content: a digest of what it made, where that does not follow from what it depends on; the
            stages after it are done again if it is another.
        section: of `metrics.json`, which it writes.
    """

    name: str
    do: Callable[[Study, Progress], str]
    settings: tuple[str, ...]
    files: tuple[str, ...]
    contents: tuple[Callable[[Plan], list[Any]], ...] = ()
    inputs: Callable[[Plan], list[Path]] = lambda _: []
    also: Callable[[Plan], tuple[str, ...]] = lambda _: ()
    content: Callable[[Study], str] = lambda _: ""
    section: str = ""

    @property
    def lasting(self) -> tuple[str, ...]:
        """The files that are there when the step is done."""
        return tuple(name for name in self.files if ".partial" not in name)

    @property
    def partial(self) -> tuple[str, ...]:
        """The files that let a step go on which was stopped."""
        return tuple(name for name in self.files if ".partial" in name)


# Settings that earlier versions did not have, with what these did: studies made then stay done.
_LATER = {"backbone": "vgg16", "head": "auto", "width": 1.0, "products": "signal"}


def _settings(plan: Plan, table: str) -> Any:
    """A table of the plan as plain values."""
    values = msgspec.to_builtins(getattr(plan, table))
    if not isinstance(values, dict):
        return values
    return {key: value for key, value in values.items() if _LATER.get(key) != value}


def key_of(study: Study, stages: Sequence[Stage], *, afresh: bool = False) -> str:
    """A digest of all that the last of some stages and those before it depend on.

    Parts that earlier versions did not know are left out where the record does not have them. With
    `afresh`, the stage is about to be done, and depends on all.
    """
    plan, records = study.plan, study.stages()
    if path := records.get("prepare", {}).get("path"):  # the images were moved since
        plan = msgspec.structs.replace(plan, data=msgspec.structs.replace(plan.data, path=path))
    settings = [_settings(plan, table) for stage in stages for table in stage.settings]
    contents = [part for stage in stages for content in stage.contents for part in content(plan)]
    for stage in stages:
        inputs = inputs_of(study, stage, afresh=afresh and stage is stages[-1])
        contents += [digest for _, _, digest in inputs.values()]
    made = (records.get(stage.name, {}).get("content") for stage in stages[:-1])
    return fingerprint(*settings, *contents, *(content for content in made if content))


def inputs_of(study: Study, stage: Stage, *, afresh: bool) -> dict[str, list[Any]]:
    """Size, time and checksum of the files outside the study that a stage depends on.

    They are read again only if their size or time is another. A file that is gone counts as it was:
    the study has what it made of it.
    """
    record = study.stages().get(stage.name, {})
    known = record.get("inputs", {})
    if "outcome" in record and not known and not afresh:
        return {}
    inputs: dict[str, list[Any]] = dict(known)
    for path in stage.inputs(study.plan):
        if not path.is_file():
            continue
        about = path.stat()
        before = known.get(str(path), [])
        if before[:2] != [about.st_size, about.st_mtime_ns]:
            inputs[str(path)] = [about.st_size, about.st_mtime_ns, checksum(path)]
    names = {str(path) for path in stage.inputs(study.plan)}
    return {name: entry for name, entry in inputs.items() if name in names}


def record_of(study: Study, making: Study, stages: Sequence[Stage]) -> dict[str, Any]:
    """What the record of the last of some stages says beside its key, now that its files are whole.

    `making` sees the new files, `study` the earlier ones.
    """
    stage, record = stages[-1], study.stages().get(stages[-1].name, {})
    content = stage.content(making)
    if content and "outcome" in record and "content" not in record:
        # Done by an earlier version. What follows is still valid if it was made of the same.
        # The earlier files may be damaged or gone, which is why it is done again.
        with suppress(StudyError, OSError):
            content = "" if stage.content(study) == content else content
    kept = {
        "path": record.get("path"),
        "inputs": inputs_of(study, stage, afresh=True),
        "content": content,
        "on": study.identity(stages[-2].name) if len(stages) > 1 else "",
    }
    return {name: value for name, value in kept.items() if value}
