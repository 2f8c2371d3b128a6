"""One link for all: people come by it with an id of theirs, and one person has one place.

The ids are whatever stands in an address, so only plain ones are taken.
"""

import re
import secrets
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, func, select

from emorank.errors import RatingError
from emorank.room.consent import note_consent
from emorank.room.enrolment import enrol
from emorank.room.invites import open_session
from emorank.room.project import Project
from emorank.room.protocol import OpenLink
from emorank.room.schema import EVENTS, PARTICIPANTS, PROJECT, PROTOCOL, RATERS
from emorank.room.seats import seating

_ID = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


class FullError(RatingError):
    """As many people as the project admits have come."""


class StrangeIdError(RatingError):
    """The address has no id of a participant, or one that cannot be one."""


@dataclass(frozen=True)
class Arrival:
    """The ids with which somebody comes; empty where there is none."""

    participant: str
    study: str = ""
    session: str = ""


def open_key(project: Project) -> str | None:
    """What the open link of a project ends with; None if there is none."""
    with project.database.reading() as connection:
        return connection.scalar(select(PROTOCOL.c.open_key))


def arrival(link: OpenLink, parameters: dict[str, str]) -> Arrival:
    """The ids in the parameters of an address.

    Raises:
        StrangeIdError: the participant's is missing and has to be there, or one is no plain id.
    """
    participant = parameters.get(link.participant) or parameters.get("participant", "")
    found = Arrival(participant, parameters.get(link.study, ""), parameters.get(link.session, ""))
    if not participant and not link.anonymous:
        raise StrangeIdError(f"the address has no {link.participant}")
    for value in vars(found).values():
        if value and not _ID.fullmatch(value):
            raise StrangeIdError(
                "an id in the address has other characters than A-Z a-z 0-9 . _ @ + -"
            )
    return found


def place_of(project: Project, participant: str) -> str | None:
    """The rater (id) who came with this id before; None if nobody did."""
    with project.database.reading() as connection:
        return _place_of(connection, participant)


def admit(
    project: Project, link: OpenLink, who: Arrival, text_hash: str | None, language: str
) -> tuple[str, str]:
    """Give a person a place, or the same one again; returns the secret of a session and the rater.

    A new rater is called p1, p2 …, by no id of theirs. `text_hash` is of the text that the person
    agrees to, if the project has one.

    Raises:
        FullError: nobody more is admitted.
        RatingError: the project is closed.
    """
    now = project.now()
    with project.database.writing() as connection:
        # One at a time, so that one person gets one place and `most` is kept.
        about = connection.execute(select(PROJECT).with_for_update()).one()
        if about.closed_at is not None:
            raise RatingError("the owner has closed this rating; nobody can begin any more")
        rater = _place_of(connection, who.participant) if who.participant else None
        if rater is None:
            count = connection.scalar(select(func.count()).select_from(PARTICIPANTS)) or 0
            if count >= link.most:
                raise FullError("as many people as this study can take have come already")
            rater = enrol(connection, seating(connection), _free_name(connection, count), now)
            participant = who.participant or f"anonymous-{secrets.token_urlsafe(12)}"
            row = {"participant": participant, "study": who.study, "session": who.session}
            connection.execute(PARTICIPANTS.insert().values(rater_id=rater, at=now, **row))
        if text_hash is not None:
            note_consent(connection, rater, text_hash, language, now)
        connection.execute(EVENTS.insert().values(at=now, kind="arrive", rater_id=rater))
        return open_session(connection, rater, now, language), rater


def participants(project: Project) -> pd.DataFrame:
    """Who came by the open link: `rater`, `participant`, `study`, `session`, `at` (UTC)."""
    names = ("participant", "study", "session", "at")
    query = (
        select(RATERS.c.name.label("rater"), *(PARTICIPANTS.c[name] for name in names))
        .join(RATERS, RATERS.c.id == PARTICIPANTS.c.rater_id)
        .order_by(RATERS.c.number)
    )
    with project.database.reading() as connection:
        result = connection.execute(query)
        table = pd.DataFrame(result.all(), columns=list(result.keys()))
    return table.assign(at=pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True))


def _place_of(connection: Connection, participant: str) -> str | None:
    mine = PARTICIPANTS.c.participant == participant
    return connection.scalar(select(PARTICIPANTS.c.rater_id).where(mine))


def _free_name(connection: Connection, count: int) -> str:
    taken = set(connection.execute(select(RATERS.c.name)).scalars())
    number = count + 1
    while f"p{number}" in taken:
        number += 1
    return f"p{number}"
