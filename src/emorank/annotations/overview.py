"""What the owner of a project reads from it: progress, answers, the log, pictures."""

import secrets
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, func, select

from emorank.annotations.answers import answers_table
from emorank.annotations.project import Project, add_rater
from emorank.annotations.schema import EVENTS, IMAGES, INVITES, RATERS, SHOWINGS, VOTES
from emorank.annotations.store import Vote, store_vote
from emorank.errors import RatingError


@dataclass(frozen=True)
class RaterProgress:
    """How far one rater is.

    Attributes:
        id: of the rater.
        name: of the rater.
        answered: showings with an answer, of `total`.
        total: showings, those for the second time too.
        median_ms: of the reaction times; None before the first.
        last_at: of the last answer, milliseconds since 1970; None before the first.
        link: of the newest invite: "open", "claimed", "expired", "revoked", or "none".
    """

    id: str
    name: str
    answered: int
    total: int
    median_ms: int | None
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
        select(SHOWINGS.c.rater_id, VOTES.c.reaction_ms)
        .join(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(VOTES.c.reaction_ms.is_not(None))
    )
    with project.database.reading() as connection:
        links = _links(connection, project.now())
        rows = connection.execute(query).all()
        reactions = pd.DataFrame(connection.execute(times).all(), columns=["rater", "ms"])
    medians = reactions.groupby("rater")["ms"].median()
    return [
        RaterProgress(
            row.id,
            row.name,
            row.answered,
            row.total,
            round(medians[row.id]) if row.id in medians.index else None,
            row.last_at,
            links.get(row.id, "none"),
        )
        for row in rows
    ]


def answers(project: Project) -> pd.DataFrame:
    """Every answer that stands, in the order in which they were given, as `answers_table` has it."""
    query = (
        select(
            IMAGES.c.name.label("image"),
            IMAGES.c.emotion,
            RATERS.c.name.label("rater"),
            VOTES.c.answer,
            SHOWINGS.c.repeat,
            VOTES.c.reaction_ms,
            VOTES.c.hidden_ms,
            VOTES.c.at,
        )
        .select_from(VOTES)
        .join(SHOWINGS, SHOWINGS.c.id == VOTES.c.showing_id)
        .join(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
        .join(RATERS, RATERS.c.id == SHOWINGS.c.rater_id)
        .order_by(VOTES.c.seq)
    )
    with project.database.reading() as connection:
        result = connection.execute(query)
        table = pd.DataFrame(result.all(), columns=list(result.keys()))
    at = pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True)
    return answers_table(table.assign(repeat=table["repeat"].astype(bool), at=at))


def pictures(project: Project) -> dict[tuple[str, str], str]:
    """The id of the picture of each (name, emotion)."""
    with project.database.reading() as connection:
        rows = connection.execute(select(IMAGES.c.name, IMAGES.c.emotion, IMAGES.c.id)).all()
    return {(row.name, row.emotion): row.id for row in rows}


def version(project: Project) -> int:
    """The number of the last event: as long as it stays, nothing has happened."""
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
            EVENTS.c.reaction_ms,
            EVENTS.c.hidden_ms,
        )
        .outerjoin(RATERS, RATERS.c.id == EVENTS.c.rater_id)
        .outerjoin(SHOWINGS, SHOWINGS.c.id == EVENTS.c.showing_id)
        .outerjoin(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
        .order_by(EVENTS.c.seq)
    )
    with project.database.reading() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


def import_answers(project: Project, table: pd.DataFrame) -> int:
    """Take in answers that were given elsewhere; returns how many. All of them, or none.

    Raters that the project does not know are added. An answer without an emotion is to the only
    question that the project has for its image.

    Raises:
        RatingError: an image is not the project's, or has an answer of that rater already.
    """
    units = _units(project, table)
    with project.database.writing() as connection:
        raters = dict(connection.execute(select(RATERS.c.name, RATERS.c.id)).tuples().all())
        for row, image in zip(table.itertuples(), units, strict=True):
            if row.rater not in raters:
                raters[row.rater] = add_rater(connection, project, str(row.rater))
            rater = raters[row.rater]
            showing, answered = _showing(connection, rater, image, bool(row.repeat))
            if answered:
                raise RatingError(
                    f"'{row.image}' has an answer of rater '{row.rater}' already; nothing was "
                    "imported"
                )
            vote = Vote(
                f"import-{secrets.token_urlsafe(12)}",
                showing,
                str(row.answer),
                None if pd.isna(row.reaction_ms) else int(row.reaction_ms),
                None if pd.isna(row.hidden_ms) else int(row.hidden_ms),
            )
            at = None if pd.isna(row.at) else row.at.value // 1_000_000
            store_vote(connection, rater, vote, at, answered=False, kind="import")
    return len(table)


def _units(project: Project, table: pd.DataFrame) -> list[str]:
    """The image id of each row."""
    known = pictures(project)
    by_name: dict[str, list[str]] = {}
    for (name, _), image in known.items():
        by_name.setdefault(name, []).append(image)
    found, missing = [], []
    for name, emotion in zip(table["image"], table["emotion"], strict=True):
        of_name = by_name.get(name, [])
        image = of_name[0] if pd.isna(emotion) and len(of_name) == 1 else None
        image = image if pd.isna(emotion) else known.get((name, emotion))
        if image is None:
            missing.append(f"{name} ({'no emotion' if pd.isna(emotion) else emotion})")
        else:
            found.append(image)
    if missing:
        raise RatingError(
            f"{len(missing)} answers are on images that the project does not have, the first: "
            f"{missing[0]}; nothing was imported"
        )
    return found


def _showing(connection: Connection, rater: str, image: str, repeat: bool) -> tuple[str, bool]:
    """The showing of an image to a rater, made if there is none, and whether it has an answer."""
    found = connection.execute(
        select(SHOWINGS.c.id, VOTES.c.seq)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(
            SHOWINGS.c.rater_id == rater,
            SHOWINGS.c.image_id == image,
            SHOWINGS.c.repeat == int(repeat),
        )
    ).first()
    if found is not None:
        return found.id, found.seq is not None
    last = connection.scalar(
        select(func.max(SHOWINGS.c.position)).where(SHOWINGS.c.rater_id == rater)
    )
    showing = secrets.token_urlsafe(12)
    connection.execute(
        SHOWINGS.insert().values(
            id=showing,
            rater_id=rater,
            position=0 if last is None else last + 1,
            image_id=image,
            repeat=int(repeat),
        )
    )
    return showing, False


def _links(connection: Connection, now: int) -> dict[str, str]:
    """The state of each rater's newest invite."""
    states: dict[str, str] = {}
    for row in connection.execute(select(INVITES).order_by(INVITES.c.created_at)):
        if row.claimed_at is not None:
            state = "claimed"
        elif row.revoked_at is not None:
            state = "revoked"
        else:
            state = "open" if row.expires_at > now else "expired"
        states[row.rater_id] = state
    return states


def rater_name(project: Project, rater: str) -> str:
    """The name of a rater (id)."""
    with project.database.reading() as connection:
        return str(connection.scalar(select(RATERS.c.name).where(RATERS.c.id == rater)))
