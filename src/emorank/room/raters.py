"""The raters of a project, by name and by id."""

import secrets

from sqlalchemy import Connection, func, select

from emorank.errors import RatingError
from emorank.room.project import Project
from emorank.room.schema import EVENTS, RATERS


def rater_ids(connection: Connection) -> dict[str, str]:
    """The id of every rater, by name."""
    rows = connection.execute(select(RATERS.c.name, RATERS.c.id))
    return {row.name: row.id for row in rows}


def rater_id(project: Project, name: str) -> str:
    """The id of the rater with a name; a RatingError if there is none."""
    with project.database.reading() as connection:
        ids = rater_ids(connection)
    if name not in ids:
        raise RatingError(f"there is no rater '{name}'; there are {', '.join(ids) or 'none'}")
    return ids[name]


def rater_name(project: Project, rater: str) -> str:
    """The name of a rater (id)."""
    with project.database.reading() as connection:
        return str(connection.scalar(select(RATERS.c.name).where(RATERS.c.id == rater)))


def add_rater(connection: Connection, name: str, at: int) -> tuple[str, int]:
    """Add a rater without showings; returns the id and the number, which counts from 1."""
    number = (connection.scalar(select(func.max(RATERS.c.number))) or 0) + 1
    rater = secrets.token_urlsafe(12)
    connection.execute(RATERS.insert().values(id=rater, number=number, name=name))
    connection.execute(EVENTS.insert().values(at=at, kind="rater", rater_id=rater))
    return rater, number
