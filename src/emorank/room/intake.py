"""Take answers from elsewhere into a project."""

import secrets
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from emorank.answers.answers_table import TIMES
from emorank.answers.names import full_names, warn_of_similar
from emorank.errors import RatingError
from emorank.naming import person_name
from emorank.room.design import read_design
from emorank.room.overview import pictures
from emorank.room.project import Project
from emorank.room.raters import add_rater, rater_ids
from emorank.room.schema import SHOWINGS, TRIALS, VOTES
from emorank.room.store import Vote, store_vote


def import_answers(project: Project, table: pd.DataFrame) -> int:
    """Take in answers from elsewhere, all of them or none; returns how many.

    Raters who are not in the project are added. An answer without an emotion belongs to the only
    question that the project asks about its image.

    Raises:
        RatingError: an image is not the project's, or has an answer of that rater already; or the
            project has another scale than Minimal, Average, Strong.
    """
    with project.database.reading() as connection:
        scale = read_design(connection).scale
    if not scale.standard:
        raise RatingError(
            f"the project has the scale '{scale.name}', and answers from elsewhere are Minimal, "
            "Average and Strong; nothing was imported"
        )
    units = _units(project, table)
    with project.database.writing() as connection:
        raters = {person_name(name): rater for name, rater in rater_ids(connection).items()}
        warn_of_similar({*raters, *table["rater"]})
        for row, image in zip(table.to_dict("records"), units, strict=True):
            name = row["rater"]
            if name not in raters:
                raters[name], _ = add_rater(connection, name, project.now())
            showing, answered = _showing(connection, raters[name], image, row["repeat"])
            if answered:
                raise RatingError(
                    f"'{row['image']}' has an answer of rater '{name}' already; "
                    "nothing was imported"
                )
            times: dict[str, Any] = {
                name: None if pd.isna(row[name]) else row[name] for name in TIMES
            }
            submission = f"import-{secrets.token_urlsafe(12)}"
            vote = Vote(submission, showing, row["answer"], **times)
            at = None if pd.isna(row["at"]) else int(1000 * row["at"].timestamp())
            store_vote(connection, raters[name], vote, at, answered=False, kind="import")
    return len(table)


def _units(project: Project, table: pd.DataFrame) -> list[str]:
    """The image id of each row."""
    by_unit: dict[tuple[str, str], list[str]] = {}
    for (name, word), image in pictures(project).items():
        for unit in ((name, word), (name, "")):
            by_unit.setdefault(unit, []).append(image)
    full = full_names(table["image"], {name for name, _ in by_unit})
    units, missing = [], []
    for name, emotion in zip(table["image"], table["emotion"], strict=True):
        unknown = pd.isna(emotion)
        images = by_unit.get((full[name], "" if unknown else emotion), [])
        if len(images) == 1:
            units.append(images[0])
        else:
            missing.append(f"{name} ({'no emotion' if unknown else emotion})")
    if missing:
        raise RatingError(
            f"{len(missing)} answers are on images that the project does not have, the first: "
            f"{missing[0]}; nothing was imported"
        )
    return units


def _showing(connection: Connection, rater: str, image: str, repeat: bool) -> tuple[str, bool]:
    """The showing of an image to a rater, made if there is none, and whether it has an answer."""
    row = connection.execute(
        select(SHOWINGS.c.id, VOTES.c.seq)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .where(
            SHOWINGS.c.rater_id == rater,
            SHOWINGS.c.image_id == image,
            SHOWINGS.c.repeat == int(repeat),
        )
    ).first()
    if row is not None:
        return row.id, row.seq is not None
    line = ((SHOWINGS, ()), (TRIALS, (TRIALS.c.kind == "check",)))
    last = -1
    for table, more in line:
        mine = select(func.max(table.c.position)).where(table.c.rater_id == rater, *more)
        newest = connection.scalar(mine)
        last = last if newest is None else max(last, newest)
    place = {"position": last + 1, "image_id": image, "repeat": int(repeat)}
    showing = secrets.token_urlsafe(12)
    connection.execute(SHOWINGS.insert().values(id=showing, rater_id=rater, **place))
    return showing, False
