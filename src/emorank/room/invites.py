"""Invite links, and the sessions that they open.

A link can be claimed once, within its time, unless it was revoked.
"""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, true

from emorank.errors import RatingError
from emorank.room.consent import note_consent
from emorank.room.project import Project
from emorank.room.schema import EVENTS, INVITES, PROJECT, RATERS, SESSIONS
from emorank.room.secret import hashed, new_secret

DAY = 24 * 60 * 60 * 1000
INVITE_LIFE, SESSION_LIFE, PASS_LIFE = 30 * DAY, 60 * DAY, DAY


@dataclass(frozen=True)
class Visitor:
    """The person of a session: a rater (id), or the owner if that is None; and the language."""

    rater: str | None
    language: str | None = field(default=None, compare=False)

    @property
    def owner(self) -> bool:
        """Whether this is the owner of the project."""
        return self.rater is None


def invite(
    project: Project, rater: str | None, life: int = INVITE_LIFE, base_url: str | None = None
) -> str:
    """A new link for a rater (id), or for the owner; returns its secret, which is stored nowhere.

    A rater's link that was not claimed yet no longer works; sessions go on. The owner's links work
    until they are revoked, because the server makes another one whenever it starts. `base_url` is
    what the link begins with; by default the project's.
    """
    secret, now = new_secret(), project.now()
    with project.database.writing() as connection:
        if rater is not None:
            _withdraw(connection, rater, now)
        base_url = base_url or connection.scalar(select(PROJECT.c.base_url))
        _insert(connection, INVITES, secret, rater, now, life, base_url=base_url)
        _log(connection, now, "invite", rater)
    return secret


def revoke(project: Project, rater: str | None) -> None:
    """End all links and sessions of a rater (or the owner); the votes stay."""
    now = project.now()
    with project.database.writing() as connection:
        _withdraw(connection, rater, now)
        connection.execute(
            SESSIONS.update()
            .where(SESSIONS.c.rater_id.is_not_distinct_from(rater), SESSIONS.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        _log(connection, now, "revoke", rater)


def invited(project: Project, secret: str) -> Visitor:
    """The person whom a link is for, if it can still be claimed.

    Raises:
        RatingError: it cannot; the message does not say why, because somebody may guess links.
    """
    with project.database.reading() as connection:
        row = connection.execute(
            select(INVITES.c.rater_id).where(_claimable(secret, project.now()))
        ).first()
    if row is None:
        raise RatingError(_SPENT)
    return Visitor(row.rater_id)


def addressee(project: Project, secret: str) -> Visitor | None:
    """The person whom a link was made for, whether it still works or not; None if it is unknown."""
    with project.database.reading() as connection:
        row = connection.execute(
            select(INVITES.c.rater_id).where(INVITES.c.hash == hashed(secret))
        ).first()
    return None if row is None else Visitor(row.rater_id)


def claim(
    project: Project, secret: str, language: str | None = None, text_hash: str | None = None
) -> tuple[str, Visitor]:
    """Use up a link; returns the secret of the session that it opens, and the person.

    `text_hash` is of the text that a rater agrees to by this. A rater keeps the `language` of the
    first session.
    """
    now = project.now()
    with project.database.writing() as connection:
        # One statement checks and claims, so only one of two simultaneous requests succeeds.
        row = connection.execute(
            INVITES.update()
            .where(_claimable(secret, now))
            .values(claimed_at=now)
            .returning(INVITES.c.rater_id)
        ).first()
        if row is None:
            raise RatingError(_SPENT)
        session = open_session(connection, row.rater_id, now, language)
        _log(connection, now, "claim", row.rater_id)
        if text_hash is not None and row.rater_id is not None:
            note_consent(connection, row.rater_id, text_hash, language or "en", now)
    return session, Visitor(row.rater_id)


def open_session(
    connection: Connection, rater: str | None, now: int, language: str | None = None
) -> str:
    """Open a session, in the rater's language if there was one before; returns its secret."""
    session = new_secret()
    before = (
        select(SESSIONS.c.language)
        .where(SESSIONS.c.rater_id == rater, SESSIONS.c.language.is_not(None))
        .order_by(SESSIONS.c.created_at)
    )
    language = connection.scalars(before).first() or language
    _insert(connection, SESSIONS, session, rater, now, SESSION_LIFE, language=language)
    return session


def visitor(project: Project, session: str) -> Visitor | None:
    """The person whose session a secret opens; None if there is no such session, or it ended."""
    with project.database.reading() as connection:
        row = connection.execute(
            select(SESSIONS.c.rater_id, SESSIONS.c.language).where(
                SESSIONS.c.hash == hashed(session),
                SESSIONS.c.revoked_at.is_(None),
                SESSIONS.c.expires_at > project.now(),
            )
        ).first()
    return None if row is None else Visitor(row.rater_id, row.language)


def printed_elsewhere(project: Project, base_url: str) -> dict[str, list[str]]:
    """The people whose open links begin with another address than `base_url`, by that address."""
    begins = func.coalesce(INVITES.c.base_url, PROJECT.c.base_url)
    query = (
        select(begins, func.coalesce(RATERS.c.name, "the owner"))
        .select_from(INVITES)
        .outerjoin(RATERS, RATERS.c.id == INVITES.c.rater_id)
        .join(PROJECT, true())
        .where(_open(project.now()), begins != base_url)
        .order_by(INVITES.c.rater_id.is_(None), RATERS.c.number)
    )
    people: dict[str, list[str]] = {}
    with project.database.reading() as connection:
        for address, name in connection.execute(query):
            names = people.setdefault(address, [])
            if name not in names:  # the owner may have several
                names.append(name)
    return people


def move(project: Project, base_url: str) -> None:
    """Let links begin with another address from now on."""
    now = project.now()
    with project.database.writing() as connection:
        if connection.scalar(select(PROJECT.c.base_url)) != base_url:
            connection.execute(PROJECT.update().values(base_url=base_url))
            _log(connection, now, "move", None)


def leave(project: Project, session: str) -> None:
    """End one session."""
    with project.database.writing() as connection:
        one = SESSIONS.update().where(SESSIONS.c.hash == hashed(session))
        connection.execute(one.values(revoked_at=project.now()))


_SPENT = (
    "this link does not work: it was used already, has expired, was revoked, or is incomplete; "
    "ask the person who invited you for a new one"
)


def _claimable(secret: str, now: int) -> ColumnElement[bool]:
    return and_(INVITES.c.hash == hashed(secret), _open(now))


def _open(now: int) -> ColumnElement[bool]:
    return and_(
        INVITES.c.claimed_at.is_(None),
        INVITES.c.revoked_at.is_(None),
        INVITES.c.expires_at > now,
    )


def _withdraw(connection: Connection, rater: str | None, now: int) -> None:
    connection.execute(
        INVITES.update()
        .where(
            INVITES.c.rater_id.is_not_distinct_from(rater),
            INVITES.c.claimed_at.is_(None),
            INVITES.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def _insert(
    connection: Connection,
    table: Table,
    secret: str,
    rater: str | None,
    now: int,
    life: int,
    **more: str | None,
) -> None:
    values = {"created_at": now, "expires_at": now + life, **more}
    connection.execute(table.insert().values(hash=hashed(secret), rater_id=rater, **values))


def _log(connection: Connection, now: int, kind: str, rater: str | None) -> None:
    connection.execute(EVENTS.insert().values(at=now, kind=kind, rater_id=rater))
