"""Answers of a Label Studio export as rows: whose picture, and which showing to a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emorank.answers.answers_table import SKIP
from emorank.errors import VotesError
from emorank.naming import decoded, image_name, person_name
from emorank.vocabulary import emotion_of, emotion_word

_UPLOAD = re.compile(r"(?:^|/)data/upload/(?:\d+/)?[0-9a-f]{8}-(?P<name>.+)")


@dataclass
class Row:
    """An answer, and where it comes from.

    Attributes:
        where: task and annotation.
        cells: the row of the table of answers.
        before: its number in emorank's file, if it comes from one.
        created: when its annotation was made; empty if unknown.
        about: the emotions that other fields of the task's data name.
    """

    where: str
    address: str
    cells: dict[str, Any]
    before: int | None
    created: str
    about: dict[str, str]


def about_one_emotion(rows: list[Row]) -> list[Row]:
    """The rows of a task; if its raters named one emotion, those who skipped were asked for it."""
    words = {row.cells["emotion"] for row in rows} - {None}
    for row in rows:
        if row.cells["answer"] == SKIP and len(words) == 1:
            row.cells["emotion"] = next(iter(words))
    return rows


def in_showings(rows: list[Row]) -> list[Row]:
    """The rows of Label Studio's own annotations, with first showing and repeat in order of time.

    A person who skipped a task and has answered it too has answered it.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.before is None:
            groups.setdefault(_unit(row), []).append(row)
    dropped: set[int] = set()
    for same in groups.values():
        real = [row for row in same if row.cells["answer"] != SKIP]
        kept = (real or same[:1]) if len(same) > 1 else same
        dropped |= {id(row) for row in same} - {id(row) for row in kept}
        if all(row.created for row in kept):
            kept = sorted(kept, key=lambda row: row.created)
        if len(kept) > 2:
            raise VotesError(
                f"{kept[2].where}: answer {len(kept)} of {kept[2].cells['rater']!r} to one "
                "question; expected at most two, of which the second is a repeat. Delete the others"
            )
        for number, row in enumerate(kept):
            row.cells["repeat"] = number > 0
    return [row for row in rows if id(row) not in dropped]


def check_uploads(rows: list[Row]) -> None:
    """Raise if two uploads of one question have one name: they may be different pictures."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        before = first.setdefault(_unit(row)[:2], row)
        if before.address != row.address and _upload(before.address) and _upload(row.address):
            raise VotesError(
                f"{row.where}: {row.address!r:.80} and {before.address!r:.80} are uploads of one "
                "name and may be different pictures; give them different names in data.image"
            )


def check_questions(rows: list[Row]) -> None:
    """Raise if tasks of one image, whose question names no emotion, name several elsewhere."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.cells["emotion"] is None:
            before = first.setdefault(image_name(row.cells["image"]), row)
            for key in sorted(row.about.keys() & before.about.keys()):
                if row.about[key] != before.about[key]:
                    raise VotesError(
                        f"{row.where}: data.{key} names {row.about[key]}, and {before.about[key]} "
                        f"at {before.where}, of one image. If these are two questions, expected "
                        "the emotion as data.emotion; if not, leave the field out"
                    )


def emotions_in(data: Mapping[str, Any]) -> dict[str, str]:
    """The emotion that each field of a task's data names; fields that name none are left out."""
    words = {key: word for key, word in data.items() if isinstance(word, str)}
    return {key: word for key in words if (word := emotion_of(words[key])) is not None}


def address_in(data: Mapping[str, Any], where: str) -> str:
    """The address of a task's image."""
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    texts.pop("emotion", None)
    if "image" not in data and len(texts) == 1:
        return next(iter(texts.values()))
    if isinstance(data.get("image"), list):
        raise VotesError(
            f"{where}: data.image is a list of {len(data['image'])} images; expected one image for "
            "each task, because an answer does not say which of them it is on"
        )
    if "image" not in texts:
        raise VotesError(
            f"{where}: expected the image's address as data.image, came "
            + (", ".join(f"{key}: {value!r:.30}" for key, value in data.items())[:160] or "nothing")
        )
    return texts["image"]


def image_at(address: str) -> str:
    """The name of an image: of an upload without what Label Studio put before it."""
    if local := address.partition("/local-files/?d=")[2]:
        return decoded(local)
    upload = _upload(address)
    return upload["name"] if upload else address


def _upload(address: str) -> re.Match[str] | None:
    plain = decoded(address) if address.startswith("/data/") else image_name(address)
    return _UPLOAD.search(plain)


def _unit(row: Row) -> tuple[str, str, str]:
    cells = row.cells
    return (
        image_name(cells["image"]),
        emotion_word(cells["emotion"] or ""),
        person_name(cells["rater"]),
    )
