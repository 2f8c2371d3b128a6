"""What was done in a rating project, in numbers: for the description of its methods."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from emorank.answers.scales import Scale
from emorank.naming import image_name
from emorank.room.design import read_design
from emorank.room.project import Project
from emorank.room.schema import (
    DISPLAYS,
    EVENTS,
    IMAGES,
    PAIRS,
    PROJECT,
    PROTOCOL,
    RATERS,
    SESSIONS,
    SHOWINGS,
    VOTES,
)


@dataclass(frozen=True)
class Facts:
    """What the database says about how faces were rated.

    Attributes:
        faces: number of faces of each emotion.
        persons: on the faces; None if that is not known of all of them.
        pairs: that were compared; 0 for faces one by one.
        invited: raters in the project; `rated` of them gave an answer, `finished` every one.
        units_each: (least, most) faces or pairs of a rater who gave an answer.
        raters_each: (least, most) raters of a face or pair, by the answers given.
        repeats: share of faces or pairs that were shown twice.
        answers: current ones, repeats too; `imported` of them came from elsewhere.
        shown_again: answers to a face of fixed time that was shown more than once before.
        first_at, last_at: of the answers, milliseconds since 1970; None without one.
        pointers: sessions by "mouse", "touch", "none".
        languages: raters by the code of the language that their pages were in, as far as known.
        declared: what the study declares about its course, as plain values; empty if nothing.
    """

    title: str
    question: str
    scale: Scale
    source: str
    faces: dict[str, int]
    persons: int | None
    pairs: int
    invited: int
    rated: int
    finished: int
    units_each: tuple[int, int]
    raters_each: tuple[int, int]
    ordering: str
    repeats: float
    shortest_ms: int
    face_size: int | None
    background: str | None
    answers: int
    imported: int
    shown_again: int
    first_at: int | None
    last_at: int | None
    pointers: dict[str, int]
    languages: dict[str, int]
    declared: dict[str, Any]


def facts(project: Project) -> Facts:
    """Read them, all from one state of the database."""
    with project.database.reading() as connection:
        about = connection.execute(select(PROJECT)).one()
        pairs = set(connection.execute(select(PAIRS.c.image_id)).scalars())
        images = connection.execute(select(IMAGES)).all()
        faces = [row for row in images if row.id not in pairs]
        persons = {row.person for row in faces}
        first, last = connection.execute(select(func.min(VOTES.c.at), func.max(VOTES.c.at))).one()
        of_rater, answered, of_unit = _counts(connection)
        rated = [rater for rater, number in answered.items() if number]
        units = [of_rater[rater] for rater in rated]
        everything = {row.id for row in images if (row.id in pairs) == bool(pairs)}
        raters = [of_unit[unit] for unit in everything]
        pointers = connection.execute(
            select(DISPLAYS.c.pointer, func.count(func.distinct(DISPLAYS.c.session)))
            .where(DISPLAYS.c.pointer != "")
            .group_by(DISPLAYS.c.pointer)
        ).all()
        languages = connection.execute(
            select(SESSIONS.c.language, func.count(func.distinct(SESSIONS.c.rater_id)))
            .where(SESSIONS.c.rater_id.in_(rated), SESSIONS.c.language.is_not(None))
            .group_by(SESSIONS.c.language)
            .order_by(SESSIONS.c.language)
        ).all()
        imported = (
            select(func.count())
            .select_from(VOTES)
            .join(EVENTS, EVENTS.c.seq == VOTES.c.seq)
            .where(EVENTS.c.kind == "import")
        )
        again = select(func.count()).select_from(VOTES).where(VOTES.c.times_shown > 1)
        return Facts(
            title=about.title,
            question=about.question,
            scale=read_design(connection).scale,
            source=about.source,
            faces=dict(sorted(Counter(row.emotion for row in faces).items())),
            persons=None if None in persons else len(persons),
            pairs=len(pairs),
            invited=connection.scalar(select(func.count()).select_from(RATERS)) or 0,
            rated=len(rated),
            finished=sum(answered[rater] == of_rater[rater] for rater in rated),
            units_each=(min(units, default=0), max(units, default=0)),
            raters_each=(min(raters, default=0), max(raters, default=0)),
            ordering=about.ordering,
            repeats=about.repeats,
            shortest_ms=about.shortest_ms,
            face_size=about.face_size,
            background=about.background,
            answers=connection.scalar(select(func.count()).select_from(VOTES)) or 0,
            imported=connection.scalar(imported) or 0,
            shown_again=connection.scalar(again) or 0,
            first_at=first,
            last_at=last,
            pointers={str(name): int(count) for name, count in pointers},
            languages={str(code): int(count) for code, count in languages},
            declared=_declared(connection),
        )


def persons(project: Project) -> dict[str, str]:
    """The person on each image by name, where it is known."""
    query = select(IMAGES.c.name, IMAGES.c.person).where(IMAGES.c.person.is_not(None))
    with project.database.reading() as connection:
        return {image_name(row.name): row.person for row in connection.execute(query)}


def _counts(connection: Connection) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """First showings and answers of each rater, answers to each unit."""
    query = (
        select(SHOWINGS.c.rater_id, SHOWINGS.c.image_id, VOTES.c.seq)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(SHOWINGS.c.repeat == 0)
    )
    of_rater: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    of_unit: Counter[str] = Counter()
    for row in connection.execute(query):
        of_rater[row.rater_id] += 1
        answered[row.rater_id] += row.seq is not None
        of_unit[row.image_id] += row.seq is not None
    return of_rater, answered, of_unit


def _declared(connection: Connection) -> dict[str, Any]:
    """What the study's own file declares, where there is one."""
    content = connection.scalar(select(PROTOCOL.c.content))
    values = json.loads(content) if content else {}
    return values if isinstance(values, dict) else {}
