"""Delete what is personal of a rater: name, links, sessions, displays, what was said about oneself.

The event log refuses to change, and it holds no name: a rater is a random id there. The one place
that connected the id with a name is overwritten, so the log keeps a number of nobody. Answers stay
under a pseudonym, unless they are to go too; then the table of answers loses them, and the log
alone still says that somebody gave them.
"""

import itertools
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from emorank.errors import RatingError, StorageError
from emorank.room.database import Database
from emorank.room.demographics import forget_demographics
from emorank.room.design import read_design
from emorank.room.project import Project
from emorank.room.raters import rater_ids
from emorank.room.schema import (
    DISPLAYS,
    EVENTS,
    FORGOTTEN,
    METADATA,
    RATERS,
    SESSIONS,
    SHOWINGS,
    VOTES,
)

DAY = 24 * 60 * 60 * 1000
# These have a rater's random id and nothing that tells who it was; trials are answers too.
KEPT = frozenset({"events", "forgotten", "raters", "sessions", "showings", "trials"})


@dataclass(frozen=True)
class Forgotten:
    """What became of a rater.

    Attributes:
        pseudonym: "forgotten rater 1" …, under which answers are exported from now on.
        answers: how many were deleted; 0 if they stay.
    """

    pseudonym: str
    answers: int


@dataclass(frozen=True)
class Retention:
    """How long what is personal is kept.

    Attributes:
        days: that were declared; None if none were.
        due: milliseconds since 1970 from which on it is to be deleted; None before an answer.
        raters: names of those of whom something personal is left.
    """

    days: int | None
    due: int | None
    raters: tuple[str, ...]

    def overdue(self, now: int) -> bool:
        """Whether something is still there that should be gone."""
        return self.due is not None and now >= self.due and bool(self.raters)


def forget(project: Project, names: Collection[str], answers: bool = False) -> dict[str, Forgotten]:
    """Delete what is personal of some raters, all of them or none; with `answers` these too.

    The files of SQLite are written anew, so that no deleted byte stays in them. A PostgreSQL server
    overwrites its own at its next VACUUM. Copies elsewhere are not known here.

    Raises:
        RatingError: one of them is not in the project.
        StorageError: the database failed.
    """
    with project.database.writing() as connection:
        known = rater_ids(connection)
        for name in names:
            if name not in known:
                raise RatingError(
                    f"there is no rater '{name}'; there are {', '.join(known) or 'none'}; nothing "
                    "was deleted"
                )
        now = project.now()
        done = {name: _forget(connection, known[name], answers, now) for name in names}
    try:
        compact(project.database)
    except StorageError as error:
        left = ", ".join(one.pseudonym for one in done.values())
        raise StorageError(
            f"it was deleted, but the file could not be written anew, and may hold old bytes in "
            f"free parts; stop the server and forget again, under the new names: {left} ({error})"
        ) from error
    return done


def retention(project: Project) -> Retention:
    """What was declared, and whether it is due."""
    with project.database.reading() as connection:
        days = read_design(connection).keep_days
        last = connection.scalar(select(func.max(VOTES.c.at)))
        gone = select(FORGOTTEN.c.rater_id)
        rows = connection.execute(
            select(RATERS.c.name).where(RATERS.c.id.not_in(gone)).order_by(RATERS.c.number)
        )
        names = tuple(rows.scalars())
    due = None if days is None or last is None else last + days * DAY
    return Retention(days, due, names)


def compact(database: Database) -> None:
    """Write the files of SQLite anew, without what was deleted; nothing for PostgreSQL."""
    if database.dialect != "sqlite":
        return
    with database.reading() as connection:
        # SQLite does neither within a transaction.
        connection.exec_driver_sql("COMMIT")
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.exec_driver_sql(statement)


def _forget(connection: Connection, rater: str, answers: bool, now: int) -> Forgotten:
    deleted = 0
    if answers:
        mine = select(SHOWINGS.c.id).where(SHOWINGS.c.rater_id == rater)
        deleted = connection.execute(delete(VOTES).where(VOTES.c.showing_id.in_(mine))).rowcount
    # The log names displays, so their rows stay, emptied, in a session that nobody ever had.
    sessions = select(SESSIONS.c.hash).where(SESSIONS.c.rater_id == rater)
    nobody = f"forgotten-{secrets.token_hex(8)}"
    old = list(connection.execute(sessions).scalars())
    if old:
        connection.execute(
            SESSIONS.insert().values(
                hash=nobody, rater_id=rater, created_at=0, expires_at=0, revoked_at=now
            )
        )
        empty = dict.fromkeys(("theme", "pointer", "browser"), "") | dict.fromkeys(
            ("at", "width", "height", "pixel_ratio", "face_px"), 0
        )
        connection.execute(
            DISPLAYS.update().where(DISPLAYS.c.session.in_(old)).values(session=nobody, **empty)
        )
        connection.execute(delete(SESSIONS).where(SESSIONS.c.hash.in_(old)))
    forget_demographics(connection, rater)
    for table in reversed(METADATA.sorted_tables):
        personal = table.name not in KEPT or (answers and table.name == "trials")
        if personal and "rater_id" in table.c:
            connection.execute(delete(table).where(table.c.rater_id == rater))
    connection.execute(delete(FORGOTTEN).where(FORGOTTEN.c.rater_id == rater))
    pseudonym = _pseudonym(connection, rater)
    number = (connection.scalar(select(func.max(RATERS.c.number))) or 0) + 1
    connection.execute(
        RATERS.update().where(RATERS.c.id == rater).values(name=pseudonym, number=number)
    )
    connection.execute(FORGOTTEN.insert().values(rater_id=rater, at=now, answers=deleted))
    connection.execute(EVENTS.insert().values(at=now, kind="forget", rater_id=rater))
    return Forgotten(pseudonym, deleted)


def _pseudonym(connection: Connection, rater: str) -> str:
    """The name "forgotten rater 1", or one with the next number that no other rater has."""
    others = select(RATERS.c.name).where(RATERS.c.id != rater)
    taken = set(connection.execute(others).scalars())
    numbers = itertools.count(1)
    return next(name for n in numbers if (name := f"forgotten rater {n}") not in taken)
