"""How a record becomes JSON and a record again: one way for all of them."""

import json
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from emorank.errors import StudyError
from emorank.files import replacing
from emorank.seals import UNSEALED, is_damaged, seal


class Stored(Protocol):
    """A record with a JSON file: `NAME` is "audit" for `audit.json`.

    When `AFTER`, the last stage that it depends on, is done anew, the record is out of date.
    """

    NAME: ClassVar[str]
    AFTER: ClassVar[str]


Record = TypeVar("Record")
_CHECKSUM = "checksum"
_VERBS = {
    "audit": "emorank audit",
    "calibration": "emorank calibrate --study",
    "comparison": "emorank compare",
    "evidence": "emorank calibrate --study",
    "faithfulness": "emorank faithfulness",
    "groups": "emorank groups",
    "ordinal": "emorank train --ordinal --study",
}
"""Which verb writes a file; the others are made by a run."""


def record_from(values: Any, kind: type[Record], path: Path) -> Record:
    """A record from plain values, such as JSON holds; keys that it does not have are ignored.

    Raises:
        StudyError: the values do not fit the record; it names the file.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise damaged(path, str(error)) from error


def plain(record: Any) -> Any:
    """Plain values of a record for JSON; what is undefined is None."""
    return msgspec.to_builtins(record)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write JSON with a checksum, whole or not at all."""
    text = json.dumps(values | {_CHECKSUM: UNSEALED}, indent=1, ensure_ascii=False)
    with replacing(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")
        seal(partial)


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote, or an earlier version without a checksum; nothing without the file.

    Raises:
        StudyError: the file is damaged, or cannot be read.
    """
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_bytes())
        reason = "its checksum does not fit" if is_damaged(path) else ""
    except (OSError, ValueError, RecursionError) as error:
        values, reason = None, str(error)
    if reason or not isinstance(values, dict):
        raise damaged(path, reason or "no table of JSON")
    return {key: value for key, value in values.items() if key != _CHECKSUM}


def damaged(path: Path, reason: str) -> StudyError:
    """The error for a file of a study that is not what was written, and how it is made again."""
    command = _VERBS.get(path.name.partition(".")[0], "emorank run --out")
    reason = " ".join(reason.split())[:200]  # libraries write several lines
    return StudyError(
        f"{path} is damaged ({reason}); delete it and run again: {command} {path.parent}"
    )
