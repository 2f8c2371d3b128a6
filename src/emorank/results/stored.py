"""How a record becomes JSON and a record again: one way for all of them."""

from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from emorank.errors import StudyError


class Stored(Protocol):
    """A record with a JSON file: `NAME` is "audit" for `audit.json`.

    When `AFTER`, the last stage that it depends on, is done anew, the record is out of date.
    """

    NAME: ClassVar[str]
    AFTER: ClassVar[str]


Record = TypeVar("Record")


def record_from(values: Any, kind: type[Record], path: Path) -> Record:
    """A record from plain values, such as JSON holds; keys that it does not have are ignored.

    Raises:
        StudyError: the values do not fit the record; it names the file.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise StudyError(
            f"{path} is damaged ({error}); delete it and measure again with the verb that wrote it"
        ) from error


def plain(record: Any) -> Any:
    """Plain values of a record for JSON; what is undefined is None."""
    return msgspec.to_builtins(record)
