"""Who has agreed to take part, when, and to which text."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from emorank.room.project import Project
from emorank.room.schema import CONSENTS, EVENTS, RATERS


def agreed(project: Project, rater: str) -> bool:
    """Whether a rater (id) has agreed."""
    with project.database.reading() as connection:
        return has_agreed(connection, rater)


def has_agreed(connection: Connection, rater: str) -> bool:
    """The same within a transaction."""
    return connection.scalar(select(CONSENTS.c.at).where(CONSENTS.c.rater_id == rater)) is not None


def note_consent(
    connection: Connection, rater: str, text_hash: str, language: str, at: int
) -> None:
    """Keep that a rater agrees to a text; the first time stands."""
    if has_agreed(connection, rater):
        return
    row: dict[str, Any] = {"rater_id": rater, "at": at, "language": language}
    connection.execute(CONSENTS.insert().values(text_hash=text_hash, **row))
    event = EVENTS.insert().values(at=at, kind="consent", rater_id=rater, detail=text_hash)
    connection.execute(event)


def consents(project: Project) -> pd.DataFrame:
    """`rater`, `at` (UTC), `language` and `text_hash` (SHA-256 of the text) of each consent."""
    query = (
        select(
            RATERS.c.name.label("rater"), CONSENTS.c.at, CONSENTS.c.language, CONSENTS.c.text_hash
        )
        .join(RATERS, RATERS.c.id == CONSENTS.c.rater_id)
        .order_by(RATERS.c.number)
    )
    with project.database.reading() as connection:
        result = connection.execute(query)
        table = pd.DataFrame(result.all(), columns=list(result.keys()))
    return table.assign(at=pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True))
