"""A rating project: a folder with the pictures that raters see, and a database of their answers.

Only the owner of the folder can read what is in it.

rating.toml     where the database is, perhaps with its password
rating.db       the database, unless it is a PostgreSQL server's
images/         the pictures, re-encoded under random names: no file name, no camera data
excluded.csv    images that were left out, and why
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from emorank.errors import RatingError
from emorank.files import make_private
from emorank.room.database import Database, file_url
from emorank.room.migrations import migrate
from emorank.room.schema import IMAGES, PROJECT
from emorank.room.settings import read_settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """An open project; `clock` gives the seconds since 1970."""

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
        """Eight characters by which browsers tell this project from others; they never change."""
        # Ids of images are random and never change; hashed, because no id may leave the project.
        with self.database.reading() as connection:
            image = connection.scalar(select(func.min(IMAGES.c.id)))
        return hashlib.sha256(f"mark of {image}".encode()).hexdigest()[:8]

    def picture(self, image: str) -> Path:
        """The file of a picture by its id, which has to come from the database."""
        return self.folder / "images" / f"{image}.jpg"


def database_of(folder: Path, url: str | None, schema: str | None) -> Database:
    """The database of a project: at a URL, or the file in its folder."""
    return Database(url or file_url(folder / "rating.db"), schema)


def open_project(folder: Path | str) -> Project:
    """Open a project, bring its database to the present tables, and close the folder to others.

    Raises:
        RatingError: there is none, its settings are damaged, or a newer emorank wrote it.
        StorageError: its database cannot be reached.
    """
    folder = Path(folder)
    url, schema = read_settings(folder)
    if not url and not (folder / "rating.db").is_file():
        raise RatingError(f"{folder / 'rating.db'}: the database is missing; bring it back")
    _close_to_others(folder)
    database = database_of(folder, url, schema)
    migrate(database)
    return Project(folder, database)


def _close_to_others(folder: Path) -> None:
    try:
        changed = make_private(folder)
    except OSError as error:
        _LOG.warning("%s: others may be able to read this project (%s)", folder, error)
    else:
        if changed:
            _LOG.warning(
                "%s: %s files and folders could be read by others on this machine; now only by you",
                folder,
                changed,
            )
