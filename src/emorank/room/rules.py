"""The declared rule that says which raters are left out, and every change of it.

A rule that is declared before there are answers binds its owner: what comes later stands in the
list with the time, the reason, and how many answers there were.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from emorank.errors import RatingError
from emorank.room.project import Project
from emorank.room.schema import EVENTS, RULES, VOTES


@dataclass(frozen=True)
class Declared:
    """One declaration.

    Attributes:
        rule: as `evaluation.raters.careless.parse_rule` reads it; empty for none any longer.
        at: milliseconds since 1970.
        answers: that the project had then.
        reason: of a change; empty at the first.
    """

    rule: str
    at: int
    answers: int
    reason: str


def rules(project: Project) -> tuple[Declared, ...]:
    """All declarations, the first one first; the last one holds."""
    with project.database.reading() as connection:
        rows = connection.execute(select(RULES).order_by(RULES.c.number)).all()
    return tuple(Declared(row.rule, row.at, row.answers, row.reason) for row in rows)


def declare(project: Project, rule: str, reason: str = "") -> Declared:
    """Declare a rule; an empty one takes it back.

    Raises:
        RatingError: there are answers already, and no reason is given.
    """
    now = project.now()
    with project.database.writing() as connection:
        answers = connection.scalar(select(func.count()).select_from(VOTES)) or 0
        if answers and not reason.strip():
            raise RatingError(
                f"there are {answers} answers already, so this rule was not declared before the "
                "data; say why it comes now (--reason)"
            )
        write_rule(connection, rule, now, answers, reason.strip())
        connection.execute(EVENTS.insert().values(at=now, kind="rule"))
    return Declared(rule, now, answers, reason.strip())


def write_rule(
    connection: Connection, rule: str, at: int, answers: int = 0, reason: str = ""
) -> None:
    """Store a declaration; part of a transaction."""
    connection.execute(RULES.insert().values(rule=rule, at=at, answers=answers, reason=reason))
