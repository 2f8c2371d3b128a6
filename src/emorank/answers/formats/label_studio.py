"""Label Studio: tasks with an `<Image>` and `<Choices>`, both ways.

When Label Studio imports a file (`tasks/serializers.py`, version 1.x), it keeps `data` whole, and
of an annotation `result`, `was_cancelled`, `lead_time`, `ground_truth` (true if it is missing!),
and `id` as `import_id`. It makes new ids and times, and refuses a `completed_by` that is no member
of its organisation. So a task here holds one unit, the values that would be replaced are also under
`data.emorank`, annotations are matched by `import_id`, and `completed_by` is not written.

Reading takes the answers from the annotations, because people may have changed them there. It takes
rater, time and showing from `data.emorank` or, where that is missing, from Label Studio's own
fields: `completed_by` (the e-mail address, or the number), `lead_time`, `created_at`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pandas as pd

from emorank.answers.answers_table import SKIP, TIMES, UNIT, answers_table
from emorank.answers.declared import UNSAID, Declared
from emorank.answers.formats.json_file import records
from emorank.answers.formats.label_studio_controls import (
    Controls,
    Result,
    answer_in,
    check_regions,
    emotion_in,
    find_controls,
)
from emorank.answers.formats.label_studio_rows import (
    Row,
    about_one_emotion,
    address_in,
    check_questions,
    check_uploads,
    emotions_in,
    image_at,
    in_showings,
)
from emorank.answers.formats.labeling_config import LabelingConfig
from emorank.errors import VotesError
from emorank.files import replacing
from emorank.vocabulary import emotion_of

_TIMES = (*TIMES, "at")


class _Before(msgspec.Struct, omit_defaults=True):
    """An answer as it was before Label Studio."""

    id: int
    rater: str
    answer: str
    repeat: bool = False
    reaction_ms: int | None = None
    hidden_ms: int | None = None
    shortest_ms: int | None = None
    exposure_ms: int | None = None
    shown_ms: int | None = None
    times_shown: int | None = None
    at: str | None = None


class _Origin(msgspec.Struct, omit_defaults=True):
    """`data.emorank`: a unit and its answers."""

    image: str
    answers: list[_Before]
    emotion: str | None = None


class _Annotation(msgspec.Struct):
    result: list[Result] = []
    was_cancelled: bool = False
    lead_time: float | None = None
    completed_by: int | str | dict[str, Any] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    id: int | str | None = None
    import_id: int | None = None


class _Task(msgspec.Struct):
    data: dict[str, Any]
    annotations: list[_Annotation] = []
    completions: Any = None  # what Label Studio called annotations before 1.0
    # Label Studio writes this field and emorank does not: without it, `id` is still emorank's.
    project: Any = None


def is_label_studio(content: Any) -> bool:
    """Whether JSON is a list of tasks."""
    return isinstance(_first(content).get("data"), dict)


def is_minimal(content: Any) -> bool:
    """Whether JSON is Label Studio's JSON-MIN, which lacks the skips."""
    return {"annotation_id", "annotator"} <= _first(content).keys()


def _first(content: Any) -> dict[str, Any]:
    """The first object of a list of objects, else an empty one."""
    one = content[0] if isinstance(content, list) and content else None
    return one if isinstance(one, dict) else {}


def write_label_studio(
    answers: pd.DataFrame, path: Path, *, prefix: str = "", config: LabelingConfig | None = None
) -> None:
    """Write answers for Label Studio's import.

    `prefix` comes before an image's percent-encoded name to make its address, such as
    "/data/local-files/?d=faces/". `config` is that of the project, None for our own.
    """
    config = config or LabelingConfig()
    numbered = answers.reset_index(drop=True)
    numbered["repeat"] = numbered["repeat"].astype(bool)
    rows = records(numbered)
    tasks = []
    for places in numbered.groupby(list(UNIT), dropna=False, sort=False).indices.values():
        first = rows[places[0]]
        before = [
            _Before(int(place) + 1, **{k: v for k, v in rows[place].items() if k not in UNIT})
            for place in places
        ]
        origin = _Origin(first["image"], before, first.get("emotion"))
        data = {config.key: prefix + quote(first["image"]), "emorank": msgspec.to_builtins(origin)}
        if "emotion" in first:
            data["emotion"] = first["emotion"]
        annotations = [_annotation(one, config) for one in before]
        tasks.append({"data": data, "annotations": annotations})
    with replacing(path) as partial:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(tasks), indent=1))


def read_label_studio(content: list[Any], declared: Declared = UNSAID) -> pd.DataFrame:
    """The answers of an export, Label Studio's "JSON", or of a file of `write_label_studio`.

    A skipped task is the answer Skip, and so is an annotation without a result. It does not count
    where the same person has answered. The second annotation of the same person on a task is a
    repeat. Predictions and drafts are no answers. `declared` says which control to read and what
    its words and numbers mean, where they are not ours.

    Raises:
        VotesError: a task or annotation is not as expected (which, and where), a result is no
            answer, an annotation does not name its rater, or there is no annotation.
    """
    try:
        tasks = msgspec.convert(content, list[_Task], strict=False)
    except msgspec.ValidationError as error:
        raise VotesError(f"no export of Label Studio: {error}") from None
    results = [
        (f"task {number}, annotation {place}", result)
        for number, task in enumerate(tasks, start=1)
        for place, one in enumerate(task.annotations, start=1)
        if not one.was_cancelled
        for result in one.result
    ]
    controls = find_controls(results, declared)
    rows: list[Row] = []
    for number, task in enumerate(tasks, start=1):
        rows += about_one_emotion([*_rows(task, f"task {number}", controls, declared)])
    if not rows:
        raise VotesError(f"holds {len(tasks)} tasks and no annotation, so there is no answer in it")
    check_uploads(rows)
    check_questions(rows)
    rows = in_showings(rows)
    # Answers that all come from one file of emorank get back their order there.
    numbers = {row.before for row in rows}
    if None not in numbers and len(numbers) == len(rows):
        rows.sort(key=lambda row: row.before or 0)
    return answers_table([row.cells for row in rows])


def _annotation(answer: _Before, config: LabelingConfig) -> dict[str, Any]:
    skipped = answer.answer == SKIP
    result = {
        "id": f"emorank-{answer.id}",
        "from_name": config.control,
        "to_name": config.object,
        "type": "choices",
        "value": {"choices": [answer.answer]},
    }
    annotation: dict[str, Any] = {
        "id": answer.id,
        "result": [] if skipped else [result],
        "was_cancelled": skipped,
        "ground_truth": False,
    }
    if answer.reaction_ms is not None:
        annotation["lead_time"] = answer.reaction_ms / 1000
    if answer.at is not None:
        annotation["created_at"] = answer.at
    return annotation


def _origin(task: _Task, where: str) -> _Origin | None:
    if "emorank" not in task.data:
        return None
    try:
        return msgspec.convert(task.data["emorank"], _Origin)
    except msgspec.ValidationError as error:
        raise VotesError(f"{where}: data.emorank is not as it was written: {error}") from None


def _rows(task: _Task, where: str, controls: Controls, declared: Declared) -> Iterator[Row]:
    """The answers of a task."""
    if task.completions:
        raise VotesError(
            f"{where}: has 'completions', as Label Studio wrote them before version 1.0, which do "
            "not say who answered; expected 'annotations'. Import the file into a present Label "
            "Studio and export 'JSON' from there"
        )
    origin = _origin(task, where)
    by_id = {answer.id: answer for answer in origin.answers} if origin else {}
    emotion = origin.emotion if origin else task.data.get("emotion")
    if emotion is not None and not isinstance(emotion, str):
        raise VotesError(f"{where}: expected a word as data.emotion, came {emotion!r:.60}")
    address = origin.image if origin else address_in(task.data, where)
    given = [result for one in task.annotations for result in one.result]
    check_regions(given, controls.answers, where)
    for place, one in enumerate(task.annotations, start=1):
        there = f"{where}, annotation {place}"
        before = _before(one, by_id, ours=task.project is None)
        for word, answer in _answers(one, emotion, controls, declared, there):
            cells: dict[str, Any] = {
                "image": origin.image if origin else image_at(address),
                "emotion": word,
                "answer": answer,
                "rater": before.rater if before else _annotator(one, there),
            }
            if before is not None:
                cells["repeat"] = before.repeat
            if before is not None and before.answer == answer:
                cells |= {name: getattr(before, name) for name in _TIMES}
            else:
                cells["at"] = one.updated_at or one.created_at
                if one.lead_time is not None:
                    cells["reaction_ms"] = round(one.lead_time * 1000)
            number, created = before.id if before else None, one.created_at or ""
            yield Row(there, address, cells, number, created, emotions_in(task.data))


def _before(one: _Annotation, by_id: Mapping[int, _Before], ours: bool) -> _Before | None:
    """The answer that an annotation was before its import."""
    if one.import_id is not None:
        return by_id.get(one.import_id)
    return by_id.get(one.id) if ours and isinstance(one.id, int) else None


def _answers(
    one: _Annotation, emotion: str | None, controls: Controls, declared: Declared, where: str
) -> Iterator[tuple[str | None, str]]:
    """The emotion and the answer of each question of an annotation."""
    questions = {name: emotion or emotion_of(name) for name in controls.answers}
    used = [result for result in one.result if result.from_name in questions]
    if one.was_cancelled or not one.result or (declared.control and not used):
        # A skipped task does not name its questions; the other tasks do.
        yield from ((word, SKIP) for word in dict.fromkeys(questions.values() or [emotion]))
        return
    if not used:
        first = one.result[0]
        raise VotesError(
            f"{where}: has a result of the control '{first.from_name}' ({first.type}) and none of "
            f"'{', '.join(questions)}'; to read such an annotation as Skip: --control "
            f"{next(iter(questions))}"
        )
    if len({questions[result.from_name] for result in used}) < len(used):
        names = ", ".join(sorted({f"'{result.from_name}'" for result in used}))
        raise VotesError(
            f"{where}: {len(used)} results of the control {names} for one question. If they are of "
            "several regions, these are different faces: cut each out as an image of its own. Of "
            "several controls, choose one with --control"
        )
    said = [emotion_in(result) for result in one.result if result.from_name == controls.emotion]
    for result in used:
        word = questions[result.from_name] or (said[0] if said else None)
        yield word, answer_in(result, where, declared)


def _annotator(one: _Annotation, where: str) -> str:
    by = one.completed_by
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    if by is None or by == "":
        raise VotesError(f"{where}: expected completed_by, the rater; there is none")
    return str(by)
