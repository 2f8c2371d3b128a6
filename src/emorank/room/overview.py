"""The progress, the answers, the pictures and the log of a project."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, func, select

from emorank.answers.answers_table import TIMES, answers_table, fast_of
from emorank.errors import RatingError
from emorank.naming import image_name
from emorank.room.design import read_design
from emorank.room.project import Project
from emorank.room.schema import (
    EVENTS,
    IMAGES,
    INVITES,
    PAIRS,
    RATERS,
    SESSIONS,
    SHOWINGS,
    VOTED,
    VOTES,
)
from emorank.vocabulary import emotion_word


@dataclass(frozen=True)
class RaterProgress:
    """How far one rater is.

    Attributes:
        answered: showings with an answer, of `total`, which counts those for the second time too.
        median_ms: of the reaction times; None before the first.
        fast: answers that came too soon for a judgement, see `answers_table.fast_of`.
        last_at: of the last answer, milliseconds since 1970; None before the first.
        link: "claimed" while a session works; else "open", "expired", "revoked", "ended" (its
            session is over) or "none".
    """

    id: str
    name: str
    answered: int
    total: int
    median_ms: int | None
    fast: int
    last_at: int | None
    link: str


def progress(project: Project) -> list[RaterProgress]:
    """Every rater's progress, in the order in which they were invited."""
    query = (
        select(
            RATERS.c.id,
            RATERS.c.name,
            func.count(SHOWINGS.c.id).label("total"),
            func.count(VOTES.c.seq).label("answered"),
            func.max(VOTES.c.at).label("last_at"),
        )
        .outerjoin(SHOWINGS, SHOWINGS.c.rater_id == RATERS.c.id)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .group_by(RATERS.c.id, RATERS.c.name, RATERS.c.number)
        .order_by(RATERS.c.number)
    )
    times = (
        select(SHOWINGS.c.rater_id, VOTES.c.reaction_ms, VOTES.c.shortest_ms)
        .join(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(VOTES.c.reaction_ms.is_not(None))
    )
    with project.database.reading() as connection:
        links = _links(connection, project.now())
        rows = connection.execute(query).all()
        reactions = pd.DataFrame(
            connection.execute(times).all(), columns=["rater", "reaction_ms", "shortest_ms"]
        ).astype({"reaction_ms": "Int64", "shortest_ms": "Int64"})
    medians = reactions.groupby("rater")["reaction_ms"].median()
    fast = fast_of(reactions).groupby(reactions["rater"]).sum()
    return [
        RaterProgress(
            row.id,
            row.name,
            row.answered,
            row.total,
            round(medians[row.id]) if row.id in medians.index else None,
            int(fast.get(row.id, 0)),
            row.last_at,
            links.get(row.id, "none"),
        )
        for row in rows
    ]


def answers(project: Project) -> pd.DataFrame:
    """The current answers in the order of their times, as `answers_table` makes them.

    Raises:
        RatingError: the project has another scale than Minimal, Average, Strong; see `scaled`.
    """
    with project.database.reading() as connection:
        scale = read_design(connection).scale
    if not scale.standard:
        raise RatingError(
            f"{project.folder}: was rated on the scale '{scale.name}', and this needs Minimal, "
            "Average, Strong; emorank rate summary, export and methods read every scale. To "
            f"compare the ranks of a study with it: emorank rate summary {project.folder} "
            "--scores STUDY/ranks.parquet"
        )
    query = (
        select(
            IMAGES.c.name.label("image"),
            IMAGES.c.emotion,
            RATERS.c.name.label("rater"),
            VOTES.c.answer,
            SHOWINGS.c.repeat,
            *(VOTES.c[name] for name in TIMES),
            VOTES.c.at,
        )
        .select_from(VOTED)
        .order_by(VOTES.c.seq)
    )
    table = table_of(project, query)
    at = pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True)
    return answers_table(table.assign(repeat=table["repeat"].astype(bool), at=at))


def pictures(project: Project) -> dict[tuple[str, str], str]:
    """The id of the picture of each (name, emotion), written as in the table of answers."""
    faces = IMAGES.outerjoin(PAIRS, PAIRS.c.image_id == IMAGES.c.id)
    query = select(IMAGES.c.name, IMAGES.c.emotion, IMAGES.c.id).select_from(faces)
    with project.database.reading() as connection:
        rows = connection.execute(query.where(PAIRS.c.image_id.is_(None))).all()
    return {(image_name(row.name), emotion_word(row.emotion)): row.id for row in rows}


def version(project: Project) -> int:
    """The number of the last event; it grows with each change of the project."""
    with project.database.reading() as connection:
        return connection.scalar(select(func.coalesce(func.max(EVENTS.c.seq), 0))) or 0


def log(project: Project) -> pd.DataFrame:
    """The whole event log: `seq`, `at` (ms), `kind`, `rater`, `image`, `emotion`, `repeat`, …."""
    query = (
        select(
            EVENTS.c.seq,
            EVENTS.c.at,
            EVENTS.c.kind,
            RATERS.c.name.label("rater"),
            IMAGES.c.name.label("image"),
            IMAGES.c.emotion,
            SHOWINGS.c.repeat,
            EVENTS.c.answer,
            *(EVENTS.c[name] for name in TIMES),
            EVENTS.c.display,
        )
        .outerjoin(RATERS, RATERS.c.id == EVENTS.c.rater_id)
        .outerjoin(SHOWINGS, SHOWINGS.c.id == EVENTS.c.showing_id)
        .outerjoin(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
        .order_by(EVENTS.c.seq)
    )
    return table_of(project, query)


def table_of(project: Project, query: Select[Any]) -> pd.DataFrame:
    """The rows of a query, with its columns."""
    with project.database.reading() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def _links(connection: Connection, now: int) -> dict[str, str]:
    """Of each rater: "claimed" while a session works, or else the state of the newest link."""
    states: dict[str, str] = {}
    for row in connection.execute(select(INVITES).order_by(INVITES.c.created_at)):
        if row.revoked_at is not None:
            state = "revoked"
        elif row.claimed_at is not None:
            state = "ended"
        else:
            state = "open" if row.expires_at > now else "expired"
        states[row.rater_id] = state
    live = select(SESSIONS.c.rater_id).where(
        SESSIONS.c.revoked_at.is_(None), SESSIONS.c.expires_at > now
    )
    return states | dict.fromkeys(connection.execute(live).scalars(), "claimed")
