"""What raters say about themselves, if they like, under a key of its own that can be deleted.

The answers know the key and not the rater; one table connects the two. Without its row, or when
the answers are deleted, nothing leads from a rater to them.
"""

import re
import secrets
from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Connection, select

from emorank.errors import RatingError
from emorank.room.project import Project
from emorank.room.protocol import Question
from emorank.room.schema import DEMOGRAPHIC_KEYS, DEMOGRAPHICS, RATERS

UNSAID = ""
"""Prefer not to say; also every question that is left unanswered."""
_MOST = 200  # characters of a free answer


def answered(project: Project, rater: str) -> bool:
    """Whether a rater (id) has sent the page, with answers or without."""
    with project.database.reading() as connection:
        mine = select(DEMOGRAPHIC_KEYS.c.key).where(DEMOGRAPHIC_KEYS.c.rater_id == rater)
        return connection.scalar(mine) is not None


def store_demographics(project: Project, rater: str, answers: Mapping[str, str]) -> None:
    """Keep a rater's answers, by question; the first time stands."""
    with project.database.writing() as connection:
        # One at a time for each rater: a second sending finds the key of the first.
        connection.execute(select(RATERS.c.id).where(RATERS.c.id == rater).with_for_update())
        mine = DEMOGRAPHIC_KEYS.c.rater_id == rater
        if connection.scalar(select(DEMOGRAPHIC_KEYS.c.key).where(mine)) is not None:
            return
        key = secrets.token_urlsafe(12)
        connection.execute(DEMOGRAPHIC_KEYS.insert().values(rater_id=rater, key=key))
        rows = [
            {"key": key, "question": question, "answer": answer}
            for question, answer in answers.items()
            if answer != UNSAID
        ]
        if rows:
            connection.execute(DEMOGRAPHICS.insert(), rows)


def read_answer(question: Question, text: str) -> str:
    """An answer as it is kept; `UNSAID` for none.

    Raises:
        RatingError: it is not one of the options, no number in the range, or too long.
    """
    text = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    if not text:
        return UNSAID
    if question.kind == "number":
        if not re.fullmatch("[0-9]{1,7}", text):
            raise RatingError("this is no number")
        if not question.least <= int(text) <= question.most:
            raise RatingError(f"expected {question.least} to {question.most}")
        return str(int(text))
    if question.kind == "choice" and question.options and text not in question.options:
        raise RatingError("this is none of the answers")
    if len(text) > _MOST:
        raise RatingError(f"expected at most {_MOST} characters")
    return text


def forget_demographics(connection: Connection, rater: str) -> None:
    """Delete what a rater (id) has said, and the key."""
    mine = DEMOGRAPHIC_KEYS.c.rater_id == rater
    key = select(DEMOGRAPHIC_KEYS.c.key).where(mine).scalar_subquery()
    connection.execute(DEMOGRAPHICS.delete().where(DEMOGRAPHICS.c.key == key))
    connection.execute(DEMOGRAPHIC_KEYS.delete().where(mine))


def demographics(project: Project, questions: tuple[Question, ...]) -> pd.DataFrame:
    """One row for each rater who has sent the page: `key`, `rater`, and a column per question.

    An answer that was not given is missing.
    """
    people = select(DEMOGRAPHIC_KEYS.c.key, RATERS.c.name.label("rater")).join(
        RATERS, RATERS.c.id == DEMOGRAPHIC_KEYS.c.rater_id
    )
    with project.database.reading() as connection:
        rows = {
            row.key: {"key": row.key, "rater": row.rater}
            for row in connection.execute(people.order_by(RATERS.c.number))
        }
        for row in connection.execute(select(DEMOGRAPHICS)):
            if row.key in rows:
                rows[row.key][row.question] = row.answer
    columns = ["key", "rater", *(question.key for question in questions)]
    return pd.DataFrame(list(rows.values()), columns=columns)
