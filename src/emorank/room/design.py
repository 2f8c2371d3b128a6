"""What the owner decides about a study before it begins: scale, overlap, how long data are kept."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from emorank.answers.scales import LEFT, RIGHT, THREE, Kind, Scale
from emorank.errors import RatingError
from emorank.room.schema import DESIGN

MOST_DAYS = 36_500


@dataclass(frozen=True)
class Design:
    """The choices for the whole of a project.

    Attributes:
        scale: what raters can answer.
        per_rater: units (faces, or pairs of faces) that each rater rates; None for all.
        per_unit: raters that each unit has at least; None if that was not demanded.
        pairs_per_face: pairs that each face is in, at least; None for faces one by one.
        keep_days: days after the last answer until what is personal is to be deleted; None if that
            was not declared.
    """

    scale: Scale = THREE
    per_rater: int | None = None
    per_unit: int | None = None
    pairs_per_face: int | None = None
    keep_days: int | None = None


def check_design(design: Design) -> None:
    """Refuse what no project can have.

    Raises:
        RatingError: a number is out of its range, or pairs are asked for on another scale.
    """
    for value, what in (
        (design.per_rater, "units for each rater"),
        (design.per_unit, "raters for each unit"),
        (design.pairs_per_face, "pairs for each face"),
    ):
        if value is not None and value < 1:
            raise RatingError(f"{value} {what}; expected 1 or more")
    if design.pairs_per_face is not None and design.scale.kind != "pairs":
        raise RatingError("pairs for each face need the scale 'pairs'")
    if design.keep_days is not None and not 1 <= design.keep_days <= MOST_DAYS:
        raise RatingError(f"{design.keep_days} days to keep; expected 1 to {MOST_DAYS}")


def write_design(connection: Connection, design: Design) -> None:
    """Store the design of a new project."""
    scale = design.scale
    row = {name: value for name, value in vars(design).items() if name != "scale"}
    connection.execute(
        DESIGN.insert().values(
            id=1, scale=scale.name, levels=json.dumps(scale.levels), ties=int(scale.ties), **row
        )
    )


def read_design(connection: Connection) -> Design:
    """The design of a project; that of projects which are older than designs is the default."""
    row = connection.execute(select(DESIGN)).mappings().first()
    if row is None:
        return Design()
    kinds: dict[str, Kind] = {"slider": "slider", "pairs": "pairs"}
    kind = kinds.get(row["scale"], "levels")
    scale = Scale(kind, tuple(json.loads(row["levels"])), bool(row["ties"]))
    names = ("per_rater", "per_unit", "pairs_per_face", "keep_days")
    return Design(scale, **{name: row[name] for name in names})


def stronger(answer: str, swapped: bool) -> str | None:
    """Which of a pair's faces an answer chose: "first", "second", or None for neither.

    `swapped` says whether the first face stood on the right.
    """
    if answer not in (LEFT, RIGHT):
        return None
    return "first" if (answer == LEFT) != swapped else "second"
