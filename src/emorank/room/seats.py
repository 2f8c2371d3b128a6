"""Which faces or pairs a rater gets: the raters of a new project, and one who comes later."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from emorank.answers.names import natural
from emorank.room.allocation import allocate, allocate_late, units_per_rater
from emorank.room.design import Design, read_design
from emorank.room.schema import EVENTS, IMAGES, PAIRS, PROJECT, SHOWINGS, VOTES

# What streams of random numbers of a seed are for; the raters' orders have [seed, number].
_OVERLAP, _SIDES, _PAIRS, _LATE = 1, 2, 3, 4


def stream(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """Random numbers of a project's own for one purpose."""
    return np.random.default_rng([seed, number, purpose])


def pairs_stream(seed: int) -> np.random.Generator:
    """Random numbers that choose a project's pairs."""
    return stream(seed, _PAIRS)


@dataclass
class Seats:
    """What raters get, and what they got so far; it changes with each of them.

    Attributes:
        about: the row of the project.
        units: the faces or pairs that are rated, as rows of `images`, in the order of their names,
            so that a seed gives the same orders wherever images lie.
        shown: how many raters have each unit.
        answers: to each unit; what late raters still owe counts.
        usual: units of a rater; None for all.
        planned: of a new project, the units of each rater by number.
    """

    about: Any
    design: Design
    units: Sequence[Any]
    shown: Counter[int] = field(default_factory=Counter)
    answers: list[int] = field(default_factory=list)
    usual: int | None = None
    planned: dict[int, list[int]] = field(default_factory=dict)

    def plan(self, raters: int, more: int = 0) -> None:
        """Deal the units to the first raters of a project; by an open link `more` may come.

        Raises:
            RatingError: the design demands what so many raters cannot give.
        """
        self.usual = usual(self.design, len(self.units), raters, more)
        if self.usual is not None:
            emotions, persons = self._columns()
            rng = stream(self.about.seed, _OVERLAP)
            hands = allocate(emotions, persons, raters, self.usual, rng)
            self.planned = dict(enumerate(hands, start=1))

    def take(self, number: int) -> list[int]:
        """The units of the rater with this number, who has them from now on."""
        if number in self.planned:
            hand = self.planned.pop(number)
        elif self.usual is None:
            hand = list(range(len(self.units)))
        else:
            emotions, persons = self._columns()
            rng = stream(self.about.seed, _LATE, number)
            hand = allocate_late(emotions, persons, self.answers, self.usual, rng)
            for unit in hand:
                self.answers[unit] += 1
        self.shown.update(hand)
        return hand

    def swapped(self, unit: int, repeat: bool) -> int | None:
        """Whether a pair's first face stands on the right for the rater who has just taken it.

        The side that a pair begins with is drawn; then it changes with each rater and each repeat.
        """
        if self.design.scale.kind != "pairs":
            return None
        return int((self._sides[unit] + self.shown[unit] + repeat) % 2)

    def __post_init__(self) -> None:
        """Draw the side that each pair begins with."""
        self._sides = stream(self.about.seed, _SIDES).integers(0, 2, len(self.units))

    def _columns(self) -> tuple[list[str], list[str | None]]:
        return [unit.emotion for unit in self.units], [unit.person for unit in self.units]


def usual(design: Design, units: int, raters: int, more: int = 0) -> int | None:
    """How many units each of the first raters rates; None for all.

    Where the design says how many, `more` raters who may come by an open link count too.

    Raises:
        RatingError: the design demands what so many raters cannot give.
    """
    what = "pair" if design.scale.kind == "pairs" else "face"
    raters += more if design.per_rater is not None else 0
    return units_per_rater(units, raters, design.per_rater, design.per_unit, what)


def seating(connection: Connection) -> Seats:
    """What the project's raters got so far, and what the next ones get."""
    about = connection.execute(select(PROJECT)).one()
    design = read_design(connection)
    rows = connection.execute(select(IMAGES)).all()
    if pairs := set(connection.execute(select(PAIRS.c.image_id)).scalars()):
        rows = [row for row in rows if row.id in pairs]
    units = sorted(rows, key=lambda row: (natural(row.name), row.emotion))
    number = {row.id: place for place, row in enumerate(units)}
    late = select(EVENTS.c.rater_id).where(
        EVENTS.c.kind == "rater", EVENTS.c.at != about.created_at
    )
    late_ones = set(connection.execute(late).scalars())
    query = (
        select(SHOWINGS.c.image_id, SHOWINGS.c.rater_id, VOTES.c.seq)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(SHOWINGS.c.repeat == 0)
    )
    shown: Counter[int] = Counter()
    answers = [0] * len(units)
    for row in connection.execute(query):
        shown[number[row.image_id]] += 1
        answers[number[row.image_id]] += row.seq is not None or row.rater_id in late_ones
    return Seats(about, design, units, shown, answers, _of_others(connection, design))


def _of_others(connection: Connection, design: Design) -> int | None:
    """How many units the raters have who are there; None for all."""
    if design.per_rater is not None or design.per_unit is None:
        return design.per_rater
    firsts = (
        select(func.count(SHOWINGS.c.id).label("count"))
        .where(SHOWINGS.c.repeat == 0)
        .group_by(SHOWINGS.c.rater_id)
        .subquery()
    )
    most: int | None = connection.scalar(select(func.max(firsts.c.count)))
    return most
