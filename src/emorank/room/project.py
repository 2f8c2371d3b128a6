"""A rating project: a folder with the pictures that raters see, and a database of what they say.

rating.toml     where the database is; readable by its owner only, for a URL may hold a password
rating.db       the database, unless it is a PostgreSQL server's
images/         the pictures, re-encoded under random names: no file name, no camera data
excluded.csv    images that were left out, and why
"""

import csv
import hashlib
import secrets
import shutil
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import tomli_w
from PIL import Image
from sqlalchemy import Connection, func, select, text

from emorank.answers.votes import PROJECT_FILE as SETTINGS
from emorank.answers.votes import is_project
from emorank.answers.voting import natural
from emorank.errors import ImageError, RatingError
from emorank.progress import Progress, silent
from emorank.room.database import Database, file_url
from emorank.room.migrations import migrate
from emorank.room.order import Ordering, showing_order
from emorank.room.schema import EVENTS, IMAGES, PROJECT, RATERS, SHOWINGS

QUESTION = "How strongly does this face express {emotion}?"
BASE_URL = "http://127.0.0.1:8321"
MAX_SIDE, QUALITY = 1024, 95  # of the pictures that raters see, in pixels; JPEG without subsampling
MAX_RATERS, MAX_REPEATS = 1000, 0.3
_MOST_SEEDS = 2**31
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Setup:
    """What a project is to be.

    Attributes:
        title: for the owner.
        question: with {emotion} where the word goes, once.
        ordering: "emotion", one class after another as in the paper, or "mixed".
        repeats: share of images shown twice to each rater, in [0, 0.3].
        seed: of the raters' permutations.
        source: where the images come from, in words.
        base_url: what invite links begin with.
        database: URL of a PostgreSQL database, or None for a file of SQLite.
    """

    title: str = "Rating room"
    question: str = QUESTION
    ordering: Ordering = "emotion"
    repeats: float = 0.05
    seed: int = 0
    source: str = ""
    base_url: str = BASE_URL
    database: str | None = None


@dataclass(frozen=True)
class Project:
    """An open project.

    Attributes:
        folder: of its files.
        database: of its tables.
        clock: seconds since 1970; another one in tests.
    """

    folder: Path
    database: Database
    clock: Callable[[], float] = time.time

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock() * 1000)

    def about(self) -> Any:
        """The row of the table `project`."""
        with self.database.reading() as connection:
            return connection.execute(select(PROJECT)).one()

    def mark(self) -> str:
        """Eight characters that tell this project from others; the same as long as it exists."""
        # Ids of images are random and stay; the hash, so that none of them leaves the project.
        with self.database.reading() as connection:
            image = connection.scalar(select(func.min(IMAGES.c.id)))
        return hashlib.sha256(f"mark of {image}".encode()).hexdigest()[:8]

    def picture(self, image: str) -> Path:
        """The file of a picture, by the id that the database gave; never by anything else."""
        return self.folder / "images" / f"{image}.jpg"


def open_project(folder: Path | str) -> Project:
    """Open a project, and bring its database to the present tables.

    Raises:
        RatingError: there is none, its settings are damaged, or a newer emorank wrote it.
        StorageError: its database cannot be reached.
    """
    folder = Path(folder)
    if not is_project(folder):
        raise RatingError(
            f"{folder}: no rating project here (no {SETTINGS}); make one with: emorank rate new"
        )
    try:
        settings = tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        url, schema = settings["database"], settings.get("schema")
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
        raise RatingError(f"{folder / SETTINGS}: damaged ({error}); bring it back") from error
    if not url and not (folder / "rating.db").is_file():
        raise RatingError(f"{folder / 'rating.db'}: the database is missing; bring it back")
    database = _database(folder, url, schema)
    migrate(database)
    return Project(folder, database)


def create_project(
    folder: Path | str,
    images: Sequence[tuple[str, str]],
    read: Callable[[str], np.ndarray],
    raters: Iterable[str],
    setup: Setup = Setup(),
    progress: Progress = silent,
) -> Project:
    """Make a project, whole or not at all.

    Args:
        folder: new or empty.
        images: (name, emotion word) of each.
        read: name → upright RGB, UInt8 "height width 3"; an ImageError is a row of `excluded.csv`.
        raters: their names, each once.
        setup: what it is to be.
        progress: told of every image.

    Raises:
        RatingError: the folder is in use, something in `setup` is impossible, or no image is left.
        StorageError: the database cannot be reached or written to.
    """
    folder, names = Path(folder), list(raters)
    _check(folder, names, setup)
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    schema = f"rating_{secrets.token_hex(6)}" if setup.database else None
    try:
        (making / "images").mkdir(parents=True)
        kept = _pictures(making, images, read, progress)
        _write_settings(making, setup, schema)
        database = _database(making, setup.database, schema)
        try:
            _fill(database, kept, names, setup, schema)
        finally:
            database.close()
        if folder.is_dir():
            folder.rmdir()
        making.replace(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return open_project(folder)


def base_address(url: str) -> str:
    """What links begin with, as browsers write it: no path, no user, no port that goes unsaid.

    Raises:
        RatingError: it is no address of a server.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port or an IPv6 address that is none
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise RatingError(
            f"--base-url {url}: expected http://HOST or https://HOST, perhaps with a port"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    said = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{said}"


def add_rater(connection: Connection, project: Project, name: str) -> str:
    """Add a rater without showings; returns the id."""
    number = (connection.scalar(select(func.max(RATERS.c.number))) or 0) + 1
    rater = secrets.token_urlsafe(12)
    connection.execute(RATERS.insert().values(id=rater, number=number, name=name))
    connection.execute(EVENTS.insert().values(at=project.now(), kind="rater", rater_id=rater))
    return rater


def _check(folder: Path, names: list[str], setup: Setup) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RatingError(f"{folder} is in use; choose another --out")
    if setup.question.count("{emotion}") != 1:
        raise RatingError(
            f"the question is '{setup.question}'; expected {{emotion}} in it once, for the word"
        )
    base_address(setup.base_url)
    if setup.database is not None and setup.database.startswith("sqlite"):
        raise RatingError(
            "--database is for a PostgreSQL server: expected postgresql+psycopg://user@host/name; "
            "leave it out for a file of SQLite"
        )
    if not 0 <= setup.repeats <= MAX_REPEATS:
        raise RatingError(f"repeats={setup.repeats:g}; expected a share from 0 to {MAX_REPEATS}")
    if not 0 <= setup.seed < _MOST_SEEDS:
        raise RatingError(f"seed={setup.seed}; expected a number from 0 to {_MOST_SEEDS - 1}")
    if not 1 <= len(names) <= MAX_RATERS or len(set(names)) < len(names):
        raise RatingError(
            f"{len(names)} raters; expected 1 to {MAX_RATERS}, each with a name of their own"
        )


def _pictures(
    making: Path,
    images: Sequence[tuple[str, str]],
    read: Callable[[str], np.ndarray],
    progress: Progress,
) -> list[dict[str, str]]:
    """Write what raters will see; rows of the table `images`."""
    kept, excluded = [], []
    for done, (name, emotion) in enumerate(images):
        progress(done, len(images), "pictures")
        image = secrets.token_urlsafe(12)
        try:
            picture = Image.fromarray(read(name))
        except ImageError as error:
            excluded.append((name, error.reason))
            continue
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        picture.save(making / "images" / f"{image}.jpg", quality=QUALITY, subsampling=0)
        kept.append({"id": image, "name": name, "emotion": emotion})
    if not kept:
        reason = f"; the first reason: {excluded[0][0]}: {excluded[0][1]}" if excluded else ""
        raise RatingError(f"none of {len(images)} images can be shown{reason}")
    with (making / "excluded.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", "reason"), *excluded])
    progress(len(images), len(images), "pictures")
    return kept


def _write_settings(making: Path, setup: Setup, schema: str | None) -> None:
    path = making / SETTINGS
    path.touch(mode=0o600)
    place = {"database": setup.database or ""} | ({"schema": schema} if schema else {})
    path.write_text(tomli_w.dumps(place), encoding="utf-8")


def _database(folder: Path, url: str | None, schema: str | None) -> Database:
    return Database(url or file_url(folder / "rating.db"), schema)


def _fill(
    database: Database, kept: list[dict[str, str]], names: list[str], setup: Setup, schema: Any
) -> None:
    if schema is not None:
        with database.writing() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    try:
        migrate(database)
        with database.writing() as connection:
            _insert(connection, kept, names, setup)
    except BaseException:
        if schema is not None:
            with database.writing() as connection:
                connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        raise


def _insert(
    connection: Connection, kept: list[dict[str, str]], names: list[str], setup: Setup
) -> None:
    now = int(time.time() * 1000)
    connection.execute(
        PROJECT.insert().values(
            id=1,
            title=setup.title,
            question=setup.question,
            source=setup.source,
            ordering=setup.ordering,
            repeats=setup.repeats,
            seed=setup.seed,
            base_url=base_address(setup.base_url),
            created_at=now,
        )
    )
    # In the order of names, so that a seed gives the same permutations wherever images lie.
    kept = sorted(kept, key=lambda row: (natural(row["name"]), row["emotion"]))
    connection.execute(IMAGES.insert(), kept)
    for number, name in enumerate(names, start=1):
        rater = secrets.token_urlsafe(12)
        connection.execute(RATERS.insert().values(id=rater, number=number, name=name))
        rng = np.random.default_rng([setup.seed, number])
        order = showing_order([row["emotion"] for row in kept], rng, setup.ordering, setup.repeats)
        connection.execute(
            SHOWINGS.insert(),
            [
                {
                    "id": secrets.token_urlsafe(12),
                    "rater_id": rater,
                    "position": position,
                    "image_id": kept[image]["id"],
                    "repeat": int(repeat),
                }
                for position, (image, repeat) in enumerate(order)
            ],
        )
    connection.execute(EVENTS.insert().values(at=now, kind="new"))
