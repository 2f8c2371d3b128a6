"""Give a rater a place in a project: a name, a number, and an order of the faces."""

import secrets
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from emorank.errors import RatingError
from emorank.naming import person_name
from emorank.printable import printable
from emorank.room.order import showing_order
from emorank.room.project import Project
from emorank.room.protocol import declared
from emorank.room.raters import add_rater
from emorank.room.schema import RATERS, SHOWINGS
from emorank.room.seats import Seats, seating, stream
from emorank.room.trials import check_places, plan_trials

MAX_RATERS = 1000
_CHECKS = 5  # the stream of random numbers that places them, beside those of `seats`


def enrol(connection: Connection, seats: Seats, name: str, at: int) -> str:
    """Add a rater with an order of their own, drawn from seed and number; returns the id.

    The checks of the protocol stand between the pictures, drawn from another stream, so that
    pictures keep their order with checks and without.
    """
    rater, number = add_rater(connection, name, at)
    rng = np.random.default_rng([seats.about.seed, number])
    hand = seats.take(number)
    emotions = [seats.units[unit].emotion for unit in hand]
    order = showing_order(emotions, rng, seats.about.ordering, seats.about.repeats)
    protocol = declared(connection)
    checks, rng = len(protocol.checks), stream(seats.about.seed, _CHECKS, number)
    places = check_places(len(order), checks, rng)
    plan_trials(connection, protocol, rater, places, rng.permutation(checks).tolist())
    taken = set(places)
    free = [place for place in range(len(order) + checks) if place not in taken]
    rows = [
        {
            "id": secrets.token_urlsafe(12),
            "rater_id": rater,
            "position": position,
            "image_id": seats.units[hand[place]].id,
            "repeat": int(repeat),
            "swapped": seats.swapped(hand[place], repeat),
        }
        for position, (place, repeat) in zip(free, order, strict=True)
    ]
    connection.execute(SHOWINGS.insert(), rows)
    return rater


def faces_ahead(project: Project) -> int:
    """About how many pictures a new rater will be shown, with repeats, practice and checks."""
    with project.database.reading() as connection:
        seats, protocol = seating(connection), declared(connection)
    units = len(seats.units) if seats.usual is None else seats.usual
    beside = len(protocol.checks) + len(protocol.practice.faces)
    repeats: float = seats.about.repeats
    return units + round(repeats * units) + beside


def add_raters(project: Project, names: Sequence[str]) -> dict[str, str | None]:
    """Add raters to a project that is there; all of them or none. Returns the ids by name.

    Raises:
        RatingError: a name is empty or taken, or there would be too many raters.
    """
    wanted = [person_name(name) for name in names]
    with project.database.writing() as connection:
        seats = seating(connection)
        taken = set(connection.execute(select(RATERS.c.name)).scalars())
        check_names(wanted, taken)
        at = project.now()
        return {name: enrol(connection, seats, name, at) for name in wanted}


def wanted_names(project: Project, text: str) -> list[str]:
    """The names that are asked for: "3" is three new ones, "ada, ben" are two.

    Raises:
        RatingError: nothing is asked for, or too many.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) != 1 or not words[0].isdecimal():
        return words
    count = int(words[0][:9])
    if not 1 <= count <= MAX_RATERS:
        raise RatingError(f"{words[0]} more raters; expected 1 to {MAX_RATERS}")
    return next_names(project, count)


def next_names(project: Project, count: int) -> list[str]:
    """Names for more raters, "r11", "r12" …, that nobody has yet."""
    with project.database.reading() as connection:
        number = connection.scalar(select(func.max(RATERS.c.number))) or 0
        taken = set(connection.execute(select(RATERS.c.name)).scalars())
    names: list[str] = []
    while len(names) < count:
        number += 1
        if f"r{number}" not in taken:
            names.append(f"r{number}")
    return names


def check_names(names: Sequence[str], taken: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Refuse names that are empty, double or taken or hold control characters, and too many."""
    if not names or len(names) + len(taken) > MAX_RATERS:
        raise RatingError(
            f"{len(names) + len(taken)} raters; expected 1 to {MAX_RATERS} in a project"
        )
    if odd := [name for name in names if printable(name) != name]:  # PostgreSQL stores no NUL
        raise RatingError(f"expected names that can be printed, got {printable(odd[0])}")
    if {*names} & taken or len({*names} - {""}) < len(names):
        double = ", ".join(sorted({*names} & taken)[:5])
        raise RatingError(
            f"expected for each rater a name of their own{f'; taken: {double}' if double else ''}"
        )
