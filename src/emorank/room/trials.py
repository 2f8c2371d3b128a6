"""Pictures beside the study: practice before it, and attention checks in it.

Their answers are kept apart from the study's. A check looks like any other picture: it has a
position among the rater's showings, where the seed has put it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from emorank.room.design import read_design
from emorank.room.project import Project
from emorank.room.protocol import Protocol, Shown
from emorank.room.schema import EVENTS, RATERS, TRIALS

Kind = Literal["practice", "check"]
_ANSWER = ("answer", "reaction_ms", "hidden_ms", "exposure_ms", "shown_ms", "times_shown")


@dataclass(frozen=True)
class Checks:
    """How many checks a rater has answered, and how many of these not as expected."""

    answered: int
    failed: int


def check_places(count: int, checks: int, rng: np.random.Generator) -> list[int]:
    """Where checks stand among `count` pictures and the checks, in rising order.

    The whole is parted into as many pieces of equal length as there are checks, and each piece has
    one, anywhere but first of all: nobody meets two in a row by chance and none for a long time.
    """
    total = count + checks
    edges = np.linspace(0, total, checks + 1).round().astype(int)
    return [
        int(rng.integers(min(max(start, 1), stop - 1), stop)) for start, stop in pairwise(edges)
    ]


def plan_trials(
    connection: Connection,
    protocol: Protocol,
    rater: str,
    places: Sequence[int],
    order: Sequence[int],
) -> None:
    """Give a rater the practice faces in their order, and the checks at `places`, in `order`."""
    planned = [(place, protocol.checks[which]) for place, which in zip(places, order, strict=True)]
    rows = [
        *_rows(rater, "practice", list(enumerate(protocol.practice.faces))),
        *_rows(rater, "check", planned),
    ]
    if rows:
        connection.execute(TRIALS.insert(), rows)


def _rows(rater: str, kind: Kind, shown: Sequence[tuple[int, Shown]]) -> list[dict[str, Any]]:
    return [
        {
            "id": secrets.token_urlsafe(12),
            "rater_id": rater,
            "kind": kind,
            "position": position,
            "picture": one.pictures[0],
            "beside": one.right or None,
            "emotion": one.emotion,
            "expected": one.expected,
        }
        for position, one in shown
    ]


def trials(connection: Connection, rater: str, kind: Kind, start: int, count: int) -> list[Any]:
    """Some of a rater's trials of a kind: `position`, `id`, `emotion`, `answer`, `expected`."""
    names = ("position", "id", "emotion", "answer", "expected")
    query = (
        select(*(TRIALS.c[name] for name in names))
        .where(TRIALS.c.rater_id == rater, TRIALS.c.kind == kind, TRIALS.c.position >= start)
        .order_by(TRIALS.c.position)
        .limit(count)
    )
    return list(connection.execute(query).all())


def tally(connection: Connection, rater: str, kind: Kind) -> tuple[int, int, int | None]:
    """How many trials there are, how many are answered, and where the first one is that is not."""
    mine = (TRIALS.c.rater_id == rater, TRIALS.c.kind == kind)
    counts = select(func.count(), func.count(TRIALS.c.answer)).select_from(TRIALS).where(*mine)
    total, answered = connection.execute(counts).one()
    first = select(func.min(TRIALS.c.position)).where(*mine, TRIALS.c.answer.is_(None))
    return total, answered, connection.scalar(first)


def answers_to(connection: Connection, rater: str, pictures: set[str]) -> dict[str, str | None]:
    """The present answer to each of these ids that is a trial of the rater's."""
    query = select(TRIALS.c.id, TRIALS.c.answer).where(
        TRIALS.c.rater_id == rater, TRIALS.c.id.in_(pictures)
    )
    return {row.id: row.answer for row in connection.execute(query)}


def pictures_of(connection: Connection, rater: str, trial: str) -> tuple[str, str | None] | None:
    """The ids of a rater's trial: of its picture, and of the right one of a pair; None if none."""
    own = (TRIALS.c.id == trial, TRIALS.c.rater_id == rater)
    row = connection.execute(select(TRIALS.c.picture, TRIALS.c.beside).where(*own)).first()
    return None if row is None else (row.picture, row.beside)


def store_trial(
    connection: Connection, rater: str, vote: Any, at: int, display: int | None = None
) -> None:
    """Write the answer to a trial to the log, and keep it with the trial."""
    about = {name: getattr(vote, name) for name in _ANSWER}
    kind = connection.scalar(select(TRIALS.c.kind).where(TRIALS.c.id == vote.showing))
    seq = connection.scalar(
        EVENTS.insert()
        .values(
            at=at,
            kind=kind,
            rater_id=rater,
            detail=vote.showing,
            submission=vote.submission,
            display=display,
            shortest_ms=vote.shortest_ms,
            **about,
        )
        .returning(EVENTS.c.seq)
    )
    connection.execute(
        TRIALS.update().where(TRIALS.c.id == vote.showing).values(at=at, seq=seq, **about)
    )


def checks_of(project: Project) -> dict[str, Checks]:
    """How each rater (id) who has answered one did at the checks."""
    query = select(TRIALS.c.rater_id, TRIALS.c.answer, TRIALS.c.expected).where(
        TRIALS.c.kind == "check", TRIALS.c.answer.is_not(None)
    )
    found: dict[str, list[bool]] = {}
    with project.database.reading() as connection:
        scale = read_design(connection).scale
        for row in connection.execute(query):
            passed = scale.as_expected(row.answer, row.expected)
            found.setdefault(row.rater_id, []).append(not passed)
    return {rater: Checks(len(failed), sum(failed)) for rater, failed in found.items()}


def trials_table(project: Project) -> pd.DataFrame:
    """Every answer to a check or in practice, one row each.

    `rater`, `kind`, `position` (among the rater's pictures, from 0), `emotion`, `expected`,
    `answer`, `passed`, `reaction_ms`, `hidden_ms`, `exposure_ms`, `shown_ms`, `times_shown`, `at`
    (UTC). `passed` says whether the answer is the expected one, see `Scale.as_expected`.
    """
    names = ("kind", "position", "emotion", "expected", *_ANSWER, "at")
    query = (
        select(RATERS.c.name.label("rater"), *(TRIALS.c[name] for name in names))
        .join(RATERS, RATERS.c.id == TRIALS.c.rater_id)
        .where(TRIALS.c.answer.is_not(None))
        .order_by(RATERS.c.number, TRIALS.c.kind.desc(), TRIALS.c.position)
    )
    with project.database.reading() as connection:
        scale = read_design(connection).scale
        result = connection.execute(query)
        table = pd.DataFrame(result.all(), columns=list(result.keys()))
    table = table.astype(dict.fromkeys(_ANSWER[1:], "Int64"))
    both = zip(table["answer"], table["expected"], strict=True)
    passed = [scale.as_expected(answer, expected) for answer, expected in both]
    table.insert(6, "passed", pd.Series(passed, dtype="boolean", index=table.index))
    return table.assign(at=pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True))
