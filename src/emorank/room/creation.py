"""Make a rating project: the pictures, and a database with an order of them for each rater.

It is made in a folder beside its own, which is renamed at the end, so it is there whole or not at
all.
"""

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import Connection, text

from emorank import delimited
from emorank.answers.names import natural, warn_of_similar
from emorank.errors import ImageError, RatingError, of_one_image
from emorank.files import private
from emorank.images import read as read_image
from emorank.naming import person_name
from emorank.progress import Progress, silent
from emorank.room.address import base_address
from emorank.room.database import Database
from emorank.room.design import Design, check_design, write_design
from emorank.room.enrolment import check_names, enrol
from emorank.room.migrations import migrate
from emorank.room.order import Ordering
from emorank.room.pairing import choose_pairs
from emorank.room.project import Project, database_of, open_project
from emorank.room.protocol import Declared, check_scale, stored
from emorank.room.rules import write_rule
from emorank.room.schema import EVENTS, IMAGES, PAIRS, PROJECT, PROTOCOL
from emorank.room.seats import pairs_stream, seating, usual
from emorank.room.settings import write_settings

QUESTION = "How strongly does this face express {emotion}?"
PAIR_QUESTION = "Which face expresses {emotion} more strongly?"
BASE_URL = "http://127.0.0.1:8321"
MAX_SIDE, QUALITY = 1024, 95  # of the pictures that raters see, in pixels; JPEG without subsampling
MAX_REPEATS = 0.3
SHORTEST_MS, MOST_SHORTEST_MS = 250, 10_000
FACE_SIZE, LEAST_FACE = 360, 100  # fits the windows of phones; a picture has MAX_SIDE
BACKGROUND = "#808080"
COPY = "protocol.toml"  # of the study's file; the database has what is in force
_MOST_SEEDS = 2**31


@dataclass(frozen=True)
class Setup:
    """The choices for a new project.

    Attributes:
        question: with {emotion} where the word goes, once; None for the usual one of the scale.
        ordering: "emotion", one class after another as in the paper, or "mixed".
        repeats: share of images shown twice to each rater, in [0, 0.3].
        shortest_ms: how long a picture has to be seen before an answer to it counts, 0 to 10 000;
            the second click of a double click comes within 200 ms.
        face_size: the longer side of each picture on raters' screens, in CSS pixels, 100 to 1024;
            smaller only where a window is too small for it.
        background: of the raters' page, as #rrggbb.
        seed: of the raters' permutations.
        source: where the images come from, in words.
        base_url: what invite links begin with.
        database: URL of a PostgreSQL database, or None for a file of SQLite.
        design: what raters can answer, and how their faces overlap.
        rule: when raters are left out, as `evaluation.raters.careless.parse_rule` reads it.
    """

    title: str = "Rating room"
    question: str | None = None
    ordering: Ordering = "emotion"
    repeats: float = 0.05
    shortest_ms: int = SHORTEST_MS
    face_size: int = FACE_SIZE
    background: str = BACKGROUND
    seed: int = 0
    source: str = ""
    base_url: str = BASE_URL
    database: str | None = None
    design: Design = field(default_factory=Design)
    rule: str = ""

    @property
    def asked(self) -> str:
        """The question as raters read it."""
        usual = PAIR_QUESTION if self.design.scale.kind == "pairs" else QUESTION
        return self.question or usual


def create_project(
    folder: Path | str,
    images: Sequence[tuple[str, str]],
    read: Callable[[str], np.ndarray],
    raters: Iterable[str],
    setup: Setup = Setup(),
    progress: Progress = silent,
    persons: Mapping[str, str] | None = None,
    declared: Declared | None = None,
) -> Project:
    """Make a project, whole or not at all.

    The folder is new or empty. `images` has the name and emotion word of each, `raters` the name of
    each once. `read` makes of a name upright RGB, UInt8 "height width 3"; its ImageError is a row
    of `excluded.csv`. `persons` has the person of each image by name, as far as they are known;
    raters who rate a part of the images see as many persons as possible.
    `declared` is the file of the study, of which a copy is kept beside; with an
    open link in it there may be no raters yet.

    Raises:
        RatingError: the folder is in use, something in `setup` is impossible, or no image is left.
        StorageError: the database cannot be reached or written to.
    """
    folder, names = Path(folder), [person_name(name) for name in raters]
    open_link = declared is not None and declared.protocol.open_link is not None
    _check(folder, names, setup, declared, least=0 if open_link else 1)
    with private():  # faces and answers are nobody else's
        _make(folder, images, read, names, setup, progress, persons or {}, declared)
    return open_project(folder)


def _make(
    folder: Path,
    images: Sequence[tuple[str, str]],
    read: Callable[[str], np.ndarray],
    names: list[str],
    setup: Setup,
    progress: Progress,
    persons: Mapping[str, str],
    declared: Declared | None,
) -> None:
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    schema = f"rating_{secrets.token_hex(6)}" if setup.database else None
    try:
        (making / "images").mkdir(parents=True)
        pictures: list[dict[str, Any]] = [
            row | {"person": persons.get(row["name"])}
            for row in _pictures(making, images, read, progress)
        ]
        pairs = _pairs(pictures, setup)
        link = None if declared is None else declared.protocol.open_link
        more = 0 if link is None else link.most
        if names or setup.design.per_rater is not None:  # before a schema is made
            usual(setup.design, len(pairs or pictures), len(names), more)
        elif setup.design.per_unit is not None and setup.design.per_rater is None:
            raise RatingError("with an open link say how many faces each rates: --per-rater")
        content = None if declared is None else _declare(making, declared, setup)
        write_settings(making, setup.database, schema)
        database = database_of(making, setup.database, schema)
        try:
            _fill(database, pictures, pairs, names, more, setup, schema, content)
        finally:
            database.close()
        if folder.is_dir():
            folder.rmdir()
        making.replace(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _check(
    folder: Path, names: list[str], setup: Setup, declared: Declared | None, least: int
) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RatingError(f"{folder} is in use; expected a new or empty folder as --out")
    check_design(setup.design)
    if declared is not None:
        check_scale(declared.protocol, setup.design.scale)
    if setup.asked.count("{emotion}") != 1:
        raise RatingError(
            f"the question is '{setup.asked}'; expected {{emotion}} in it once, for the word"
        )
    base_address(setup.base_url)
    if setup.database is not None and setup.database.startswith("sqlite"):
        raise RatingError(
            "--database is for a PostgreSQL server: expected postgresql+psycopg://user@host/name; "
            "leave it out for a file of SQLite"
        )
    if not 0 <= setup.repeats <= MAX_REPEATS:
        raise RatingError(f"repeats={setup.repeats:g}; expected a share from 0 to {MAX_REPEATS}")
    if not 0 <= setup.shortest_ms <= MOST_SHORTEST_MS:
        raise RatingError(
            f"a shortest viewing time of {setup.shortest_ms} ms; expected 0 to {MOST_SHORTEST_MS}"
        )
    if not LEAST_FACE <= setup.face_size <= MAX_SIDE:
        raise RatingError(f"faces of {setup.face_size} pixels; expected {LEAST_FACE} to {MAX_SIDE}")
    if not re.fullmatch("#[0-9a-f]{6}", setup.background):
        raise RatingError(
            f"the background is '{setup.background}'; expected one such as {BACKGROUND}: # and "
            "six digits 0-9a-f, two each for red, green and blue"
        )
    if not 0 <= setup.seed < _MOST_SEEDS:
        raise RatingError(f"seed={setup.seed}; expected a number from 0 to {_MOST_SEEDS - 1}")
    if names or least:
        check_names(names)
    warn_of_similar(names)


def _pictures(
    making: Path,
    images: Sequence[tuple[str, str]],
    read: Callable[[str], np.ndarray],
    progress: Progress,
) -> list[dict[str, str]]:
    """Write the pictures; returns the rows of the table `images`."""
    pictures, excluded = [], []
    for done, (name, emotion) in enumerate(images):
        progress(done, len(images), "pictures")
        image = secrets.token_urlsafe(12)
        try:
            with of_one_image(name):
                picture = _small(read(name))
        except ImageError as error:
            excluded.append((name, error.reason))
            continue
        _save(making, image, picture)
        pictures.append({"id": image, "name": name, "emotion": emotion})
    if not pictures:
        reason = f"; the first reason: {excluded[0][0]}: {excluded[0][1]}" if excluded else ""
        raise RatingError(f"none of {len(images)} images can be shown{reason}")
    delimited.write(making / "excluded.csv", [("file", "reason"), *excluded])
    progress(len(images), len(images), "pictures")
    return pictures


def _pairs(pictures: list[dict[str, Any]], setup: Setup) -> list[dict[str, str]]:
    """The rows of the table `pairs`; none where faces are rated one by one."""
    if setup.design.scale.kind != "pairs":
        return []
    pictures.sort(key=_by_name)
    words = [row["emotion"] for row in pictures]
    chosen = choose_pairs(words, setup.design.pairs_per_face, pairs_stream(setup.seed))
    return [
        {
            "image_id": secrets.token_urlsafe(12),
            "first_id": pictures[first]["id"],
            "second_id": pictures[second]["id"],
        }
        for first, second in chosen
    ]


def _declare(making: Path, declared: Declared, setup: Setup) -> dict[str, Any]:
    """Keep a copy of the file, and the pictures that it names; the row of the table `protocol`."""
    (making / COPY).write_text(declared.content, encoding="utf-8")
    protocol, ids = declared.protocol, {}
    for name in {name for shown in protocol.pictures for name in shown.pictures}:
        try:
            with of_one_image(name):
                picture = _small(read_image(declared.folder / name))
        except ImageError as error:
            raise RatingError(f"a picture of the study's file cannot be used: {error}") from error
        ids[name] = secrets.token_urlsafe(12)
        _save(making, ids[name], picture)
    key = secrets.token_urlsafe(24) if protocol.open_link else None
    return {"content": stored(protocol, ids), "open_key": key}


def _small(pixels: np.ndarray) -> Image.Image:
    picture = Image.fromarray(pixels)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture


def _save(making: Path, image: str, picture: Image.Image) -> None:
    picture.save(making / "images" / f"{image}.jpg", quality=QUALITY, subsampling=0)


def _fill(
    database: Database,
    pictures: list[dict[str, Any]],
    pairs: list[dict[str, str]],
    names: list[str],
    more: int,
    setup: Setup,
    schema: Any,
    declared: dict[str, Any] | None,
) -> None:
    if schema is not None:
        with database.writing() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    try:
        migrate(database)
        with database.writing() as connection:
            _insert(connection, pictures, pairs, names, more, setup, declared)
    except BaseException:
        if schema is not None:
            with database.writing() as connection:
                connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        raise


def _insert(
    connection: Connection,
    pictures: list[dict[str, Any]],
    pairs: list[dict[str, str]],
    names: list[str],
    more: int,
    setup: Setup,
    declared: dict[str, Any] | None,
) -> None:
    now = int(time.time() * 1000)
    own = {"id": 1, "question": setup.asked, "base_url": base_address(setup.base_url)}
    project = vars(setup) | own | {"created_at": now}
    for beside in ("database", "design", "rule"):
        del project[beside]
    connection.execute(PROJECT.insert().values(project))
    write_design(connection, setup.design)
    if setup.rule:
        write_rule(connection, setup.rule, now)
    connection.execute(EVENTS.insert().values(at=now, kind="new"))
    connection.execute(IMAGES.insert(), pictures)
    if pairs:
        connection.execute(IMAGES.insert(), _pair_units(pictures, pairs))
        connection.execute(PAIRS.insert(), pairs)
    if declared is not None:
        connection.execute(PROTOCOL.insert().values(id=1, **declared))
    seats = seating(connection)
    if names:
        seats.plan(len(names), more)
    for name in names:
        enrol(connection, seats, name, now)


def _pair_units(
    pictures: list[dict[str, Any]], pairs: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """The pairs as rows of `images`: rated as one, without a picture or a person of their own."""
    by_id = {row["id"]: row for row in pictures}
    return [
        {
            "id": pair["image_id"],
            "name": " | ".join(by_id[pair[side]]["name"] for side in ("first_id", "second_id")),
            "emotion": by_id[pair["first_id"]]["emotion"],
            "person": None,
        }
        for pair in pairs
    ]


def _by_name(row: dict[str, Any]) -> tuple[Any, ...]:
    return natural(row["name"]), row["emotion"]
