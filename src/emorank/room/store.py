"""The showings of raters, and their answers.

A browser sends an answer until the server confirms that it is stored, so the same answer may come
twice, the second time late. Each has an id of its own, so that it is stored once.
"""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from emorank.answers.answers_table import TIMES
from emorank.answers.scales import Scale
from emorank.errors import RatingError
from emorank.room.design import read_design
from emorank.room.displays import current
from emorank.room.project import Project
from emorank.room.protocol import declared
from emorank.room.schema import EVENTS, IMAGES, PAIRS, PROJECT, RATERS, SHOWINGS, VOTES
from emorank.room.trials import answers_to, pictures_of, store_trial, tally, trials

Fate = Literal["stored", "stale", "fast"]
_ANSWER = ("answer", *TIMES)


@dataclass(frozen=True)
class Vote:
    """One answer as a browser sends it.

    Attributes:
        submission: the id that the browser gave it.
        showing: the picture that was on the screen.
        answer: one that the project's scale admits.
        reaction_ms: from the painted picture to the answer, without `hidden_ms`.
        hidden_ms: how long the page was hidden in between.
        change: whether the rater went back to change an answer.
        was: the answer that is to be changed; None if it was not sent.
        served_ms: from the picture's first sending to the arrival of the answer, by the server's
            clock; None if the server does not know.
        shortest_ms: of an answer from elsewhere, the shortest viewing time there.
        exposure_ms: how long the face was to be on the screen; None if until the answer.
        shown_ms: how long it was, as the browser measured; None without a fixed time.
        times_shown: how often it began to be shown for that time: more than once where the page
            was loaded again, hidden or covered before the answer.
    """

    submission: str
    showing: str
    answer: str
    reaction_ms: int | None = None
    hidden_ms: int | None = None
    change: bool = False
    was: str | None = None
    served_ms: int | None = None
    shortest_ms: int | None = None
    exposure_ms: int | None = None
    shown_ms: int | None = None
    times_shown: int | None = None

    @property
    def viewed_ms(self) -> float:
        """The longest that the rater can have seen the picture; infinity if nothing is known."""
        known = [ms for ms in (self.reaction_ms, self.served_ms) if ms is not None]
        return min(known, default=math.inf)


@dataclass(frozen=True)
class Standing:
    """How far a rater is.

    Attributes:
        next: position of the first picture without an answer; `total` if there is none.
        pace_ms: mean reaction time so far; None before the first answer.
        closed: whether the owner has closed the project.
    """

    total: int
    answered: int
    next: int
    pace_ms: int | None
    closed: bool


class UnknownShowing(RatingError):
    """A picture that is not among this rater's."""


class Closed(RatingError):
    """The project takes no more votes."""


class NotOnScale(RatingError):
    """An answer that the project's scale does not have."""


class Contradicted(RatingError):
    """An id came before, with another answer."""


def standing(project: Project, rater: str) -> Standing:
    """How far a rater (id) is."""
    mine = SHOWINGS.c.rater_id == rater
    joined = SHOWINGS.outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
    counts = (func.count(SHOWINGS.c.id), func.count(VOTES.c.seq), func.avg(VOTES.c.reaction_ms))
    position = select(func.min(SHOWINGS.c.position)).select_from(joined)
    with project.database.reading() as connection:
        total, answered, pace = connection.execute(
            select(*counts).select_from(joined).where(mine)
        ).one()
        first = connection.scalar(position.where(mine, VOTES.c.seq.is_(None)))
        checks, checked, open_check = tally(connection, rater, "check")
        closed = connection.scalar(select(PROJECT.c.closed_at)) is not None
    pace_ms = None if pace is None else round(float(pace))
    total, answered = total + checks, answered + checked
    following = min((place for place in (first, open_check) if place is not None), default=total)
    return Standing(total, answered, following, pace_ms, closed)


def practice_standing(project: Project, rater: str) -> Standing:
    """How far a rater (id) is in practice."""
    with project.database.reading() as connection:
        total, answered, first = tally(connection, rater, "practice")
        closed = connection.scalar(select(PROJECT.c.closed_at)) is not None
    return Standing(total, answered, total if first is None else first, None, closed)


def practice(project: Project, rater: str, start: int, count: int) -> list[Any]:
    """Some of a rater's practice trials, as `showings`, and what is `expected` of each."""
    with project.database.reading() as connection:
        return trials(connection, rater, "practice", start, count)


def showings(project: Project, rater: str, start: int, count: int) -> list[Any]:
    """Some of a rater's showings: `position`, `id`, `emotion`, and the rater's own `answer`.

    Checks are among them, and nothing tells them from the others.
    """
    query = (
        select(SHOWINGS.c.position, SHOWINGS.c.id, IMAGES.c.emotion, VOTES.c.answer)
        .join(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(SHOWINGS.c.rater_id == rater, SHOWINGS.c.position >= start)
        .order_by(SHOWINGS.c.position)
        .limit(count)
    )
    with project.database.reading() as connection:
        checks = trials(connection, rater, "check", start, count)
        found = [*connection.execute(query).all(), *checks]
    return sorted(found, key=lambda row: row.position)[:count]


def image_of(project: Project, rater: str, showing: str, side: str | None = None) -> str:
    """The image of one of a rater's own showings or trials; of a pair that on the `side`.

    A side is "left" or "right".

    Raises:
        UnknownShowing: it is not this rater's, or a side is missing or has no meaning.
    """
    own = (SHOWINGS.c.id == showing, SHOWINGS.c.rater_id == rater)
    query = (
        select(SHOWINGS.c.image_id, SHOWINGS.c.swapped, PAIRS.c.first_id, PAIRS.c.second_id)
        .outerjoin(PAIRS, PAIRS.c.image_id == SHOWINGS.c.image_id)
        .where(*own)
    )
    with project.database.reading() as connection:
        row = connection.execute(query).first()
        trial = pictures_of(connection, rater, showing) if row is None else None
    if trial is not None and (trial[1] is None) == (side is None):
        return trial[1] if side == "right" and trial[1] is not None else trial[0]
    if row is None or (row.first_id is None) != (side is None):
        raise UnknownShowing("there is no such picture among yours")
    if side is None:
        return str(row.image_id)
    return str(row.first_id if (side == "left") != bool(row.swapped) else row.second_id)


def scale_of_project(project: Project) -> Scale:
    """What raters of the project can answer."""
    with project.database.reading() as connection:
        return read_design(connection).scale


def submit(
    project: Project, rater: str, votes: Sequence[Vote], session: str | None = None
) -> list[Fate]:
    """Store a rater's answers, in their order; durable when this returns.

    `session` is the secret of the one that sends them, whose display the log names.

    An answer whose id came before is not stored again. An answer to a picture that already has one
    is "stale" unless it changes that one: the rater has answered in another browser meanwhile, and
    that answer stays. An answer that came within the project's shortest viewing time is "fast" and
    not stored: it was meant for the picture before.

    Raises:
        UnknownShowing: one of the pictures is not this rater's; nothing was stored.
        Closed: the project is closed; nothing was stored.
        NotOnScale: an answer is none of the project's scale; nothing was stored.
        Contradicted: an id came before with another answer; nothing was stored.
        StorageError: the database failed; nothing was stored, or it was and may be sent again.
    """
    now = project.now()
    with project.database.writing() as connection:
        # One at a time for each rater; SQLite's writers are one at a time anyway.
        connection.execute(select(RATERS.c.id).where(RATERS.c.id == rater).with_for_update())
        scale = read_design(connection).scale
        for vote in votes:
            for word in (vote.answer, vote.was):
                if word is not None and not scale.admits(word):
                    raise NotOnScale(f"'{word}' is no answer here; expected {scale.words}")
        before = _before(connection, rater, votes)
        beside = answers_to(connection, rater, {vote.showing for vote in votes})
        answers = beside | _answers(connection, rater, votes, beside)
        exposure = declared(connection).exposure
        display = current(connection, session) if session else None
        new = [vote for vote in votes if vote.submission not in before]
        plan = connection.execute(select(PROJECT.c.closed_at, PROJECT.c.shortest_ms)).one()
        if new and plan.closed_at is not None:
            raise Closed("the owner has closed this rating; no more answers are taken")
        outcomes: list[Fate] = []
        for vote in votes:
            answer = answers[vote.showing]
            changes = vote.change and vote.was in (None, answer)
            if vote.submission in before:
                if before[vote.submission] != (vote.showing, vote.answer):
                    raise Contradicted("this submission id came before with another answer")
            elif answer is not None and not changes:
                outcomes.append("stale")
                continue
            elif vote.viewed_ms < plan.shortest_ms:
                outcomes.append("fast")
                continue
            else:
                planned = None if exposure is None else exposure.face_ms
                timed = replace(vote, shortest_ms=plan.shortest_ms, exposure_ms=planned)
                if vote.showing in beside:
                    store_trial(connection, rater, timed, now, display)
                else:
                    store_vote(connection, rater, timed, now, answer is not None, display=display)
                answers[vote.showing] = vote.answer
                before[vote.submission] = (vote.showing, vote.answer)
            outcomes.append("stored")
        return outcomes


def store_vote(
    connection: Connection,
    rater: str,
    vote: Vote,
    at: int | None,
    answered: bool,
    kind: str | None = None,
    display: int | None = None,
) -> None:
    """Write an answer to the log and make it the current one; part of a transaction."""
    about = {name: getattr(vote, name) for name in _ANSWER}
    seq = connection.scalar(
        EVENTS.insert()
        .values(
            at=at or 0,
            kind=kind or ("change" if answered else "vote"),
            rater_id=rater,
            showing_id=vote.showing,
            submission=vote.submission,
            display=display,
            **about,
        )
        .returning(EVENTS.c.seq)
    )
    values = about | {"at": at, "seq": seq}
    if answered:
        connection.execute(
            VOTES.update().where(VOTES.c.showing_id == vote.showing).values(**values)
        )
    else:
        connection.execute(VOTES.insert().values(showing_id=vote.showing, **values))


def close(project: Project, closed: bool = True) -> None:
    """Take no more votes, or take them again."""
    now = project.now()
    with project.database.writing() as connection:
        connection.execute(PROJECT.update().values(closed_at=now if closed else None))
        connection.execute(EVENTS.insert().values(at=now, kind="close" if closed else "reopen"))


def _before(
    connection: Connection, rater: str, votes: Sequence[Vote]
) -> dict[str, tuple[str, str]]:
    """The showings and answers that came before under the ids of these votes."""
    showing = func.coalesce(EVENTS.c.showing_id, EVENTS.c.detail).label("showing")
    query = select(EVENTS.c.submission, showing, EVENTS.c.answer).where(
        EVENTS.c.rater_id == rater, EVENTS.c.submission.in_({vote.submission for vote in votes})
    )
    return {row.submission: (row.showing, row.answer) for row in connection.execute(query)}


def _answers(
    connection: Connection, rater: str, votes: Sequence[Vote], beside: Container[str]
) -> dict[str, str | None]:
    """The present answer to each picture of these votes but those `beside`; None without one."""
    pictures = {vote.showing for vote in votes if vote.showing not in beside}
    query = (
        select(SHOWINGS.c.id, VOTES.c.answer)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(SHOWINGS.c.rater_id == rater, SHOWINGS.c.id.in_(pictures))
    )
    answers = {row.id: row.answer for row in connection.execute(query)}
    if len(answers) < len(pictures):
        raise UnknownShowing("there is no such picture among yours")
    return answers
