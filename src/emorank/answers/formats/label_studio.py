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

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import msgspec
import pandas as pd

from emorank.answers.answers_table import SKIP, UNIT, answers_table, parse_answer
from emorank.answers.formats.json_file import records
from emorank.answers.formats.labeling_config import LabelingConfig
from emorank.errors import DatasetError, VotesError
from emorank.files import replacing
from emorank.vocabulary import Emotion

_UPLOAD = re.compile(r"/data/upload/\d+/[0-9a-f]{8}-(?P<name>.+)")


_TIMES = ("reaction_ms", "hidden_ms", "shortest_ms", "at")


class _Before(msgspec.Struct, omit_defaults=True):
    """An answer as it was before Label Studio."""

    id: int
    rater: str
    answer: str
    repeat: bool = False
    reaction_ms: int | None = None
    hidden_ms: int | None = None
    shortest_ms: int | None = None
    at: str | None = None


class _Origin(msgspec.Struct, omit_defaults=True):
    """`data.emorank`: a unit and its answers."""

    image: str
    answers: list[_Before]
    emotion: str | None = None


class _Result(msgspec.Struct):
    type: str = ""
    from_name: str = ""
    value: Any = None


class _Annotation(msgspec.Struct):
    result: list[_Result] = []
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


def read_label_studio(content: list[Any]) -> pd.DataFrame:
    """The answers of an export, Label Studio's "JSON", or of a file of `write_label_studio`.

    A skipped task is the answer Skip, and so is an annotation without a choice. The second
    annotation of the same person on a task is a repeat. Predictions and drafts are no answers.

    Raises:
        VotesError: a task or annotation is not as expected (which, and where), a choice is no
            answer, or an annotation does not name its rater.
    """
    try:
        tasks = msgspec.convert(content, list[_Task], strict=False)
    except msgspec.ValidationError as error:
        raise VotesError(f"no export of Label Studio: {error}") from None
    controls = sorted(
        {word for task in tasks for one in task.annotations for word, _ in _choices(one)},
        key=lambda word: word or "",
    )
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, task in enumerate(tasks):
        where = f"task {number + 1}"
        origin = _origin(task, where)
        for row in _rows(task, origin, controls, where):
            rows.append((row.pop("id", len(rows)), row))
    # Answers that all come from one file of emorank get back their order there.
    if len({number for number, _ in rows}) == len(rows):
        rows.sort(key=lambda pair: pair[0])
    return answers_table([row for _, row in rows])


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


def _rows(
    task: _Task, origin: _Origin | None, controls: list[str | None], where: str
) -> Iterator[dict[str, Any]]:
    by_id = {answer.id: answer for answer in origin.answers} if origin else {}
    emotion = origin.emotion if origin else task.data.get("emotion")
    if emotion is not None and not isinstance(emotion, str):
        raise VotesError(f"{where}: expected a word as data.emotion, came {emotion!r:.60}")
    image = origin.image if origin else _image(task.data, where)
    seen: dict[tuple[str | None, str], int] = {}
    for place, one in enumerate(task.annotations, start=1):
        there = f"{where}, annotation {place}"
        before = _before(one, by_id, ours=task.project is None)
        for word, answer in _answers(one, controls if emotion is None else [None], there):
            row: dict[str, Any] = {"image": image, "emotion": emotion or word, "answer": answer}
            if before is not None:
                row |= {"id": before.id, "rater": before.rater, "repeat": before.repeat}
            else:
                row["rater"] = _annotator(one, there)
                again = (row["emotion"], row["rater"])
                seen[again] = seen.get(again, 0) + 1
                row["repeat"] = seen[again] > 1
            if before is not None and before.answer == answer:
                row |= {name: getattr(before, name) for name in _TIMES}
            else:
                row["at"] = one.updated_at or one.created_at
                if one.lead_time is not None:
                    row["reaction_ms"] = round(one.lead_time * 1000)
            yield row


def _before(one: _Annotation, by_id: Mapping[int, _Before], ours: bool) -> _Before | None:
    """The answer that an annotation was before its import."""
    if one.import_id is not None:
        return by_id.get(one.import_id)
    return by_id.get(one.id) if ours and isinstance(one.id, int) else None


def _choices(one: _Annotation) -> list[tuple[str | None, Any]]:
    """The emotion word of each control that was used, and its choices."""
    return [
        (_emotion_of(result.from_name), result.value.get("choices"))
        for result in one.result
        if result.type == "choices" and isinstance(result.value, dict)
    ]


def _emotion_of(control: str) -> str | None:
    try:
        return Emotion.parse(control).value
    except DatasetError:
        return None


def _answers(
    one: _Annotation, controls: list[str | None], where: str
) -> Iterator[tuple[str | None, str]]:
    used = _choices(one)
    if one.was_cancelled or not used:
        # A skipped task does not name its questions; the other tasks do.
        yield from ((word, SKIP) for word in controls or [None])
        return
    for word, choices in used:
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], str):
            raise VotesError(f"{where}: expected one choice, came {choices!r:.60}")
        try:
            yield word, parse_answer(choices[0])
        except VotesError as error:
            raise VotesError(f"{where}: {error}") from None


def _annotator(one: _Annotation, where: str) -> str:
    by = one.completed_by
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    if by is None or by == "":
        raise VotesError(f"{where}: expected completed_by, the rater; there is none")
    return str(by)


def _image(data: Mapping[str, Any], where: str) -> str:
    """The name of an image: of an upload without what Label Studio put before it."""
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    texts.pop("emotion", None)
    address = texts.get("image") or (next(iter(texts.values())) if len(texts) == 1 else None)
    if address is None:
        raise VotesError(
            f"{where}: expected the image's address as data.image, came {', '.join(data)[:80]}"
        )
    upload = _UPLOAD.fullmatch(address)
    if upload:
        return unquote(upload["name"])
    local = parse_qs(urlsplit(address).query).get("d") if "/local-files/" in address else None
    return local[0] if local else address
