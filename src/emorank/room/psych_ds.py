"""A project in the layout of Psych-DS, to be shared: answers, raters, faces, and their columns.

The rules are those of its documentation (https://psychds-docs.readthedocs.io): at the root
`dataset_description.json` (JSON-LD, schema.org) with name, description and variableMeasured; below
`data/` CSV files named `key-value_…_data.csv`, each column of which is in variableMeasured. No name
of a rater is written: raters have numbers.
"""

import json
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import func, select

from emorank import delimited
from emorank.answers.codebook import Column, as_markdown, codebook
from emorank.errors import RatingError
from emorank.naming import image_name
from emorank.room.overview import table_of
from emorank.room.project import Project
from emorank.room.scaled import scaled_answers
from emorank.room.schema import IMAGES, PAIRS, RATERS, SHOWINGS, VOTES

SCHEMA = "Psych-DS 0.1.0"
README = """# {title}

Ratings of faces, written by emorank in the layout of Psych-DS (https://psych-ds.github.io).

- `data/task-rating_description-answers_data.csv`: one row an answer; image (or first and second of
  a pair), emotion, subject_id and repeat identify it.
- `data/task-rating_description-subjects_data.csv`: one row a rater, by number; no names.
- `data/task-rating_description-stimuli_data.csv`: one row a face and emotion.
- `documentation/codebook.md`: what each column means.

The pictures are not part of this folder. To be filled in by you in `dataset_description.json`:
author, license, citation, funder.
"""


def write_psych_ds(project: Project, folder: Path) -> int:
    """Write the folder, whole or not at all; returns the number of answers.

    Raises:
        RatingError: there is something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RatingError(f"{folder} is in use; expected a new or empty folder")
    scale, answers = scaled_answers(project)
    numbers = _numbers(project)
    width = max(2, len(str(len(numbers))))
    ids = {name: f"{number:0{width}}" for number, name in enumerate(numbers, start=1)}
    place = list(answers.columns).index("rater")
    answers.insert(place, "subject_id", answers["rater"].map(ids))
    tables = {
        "answers": answers.drop(columns="rater"),
        "subjects": _subjects(project, ids),
        "stimuli": _stimuli(project),
    }
    names = dict.fromkeys(name for table in tables.values() for name in table.columns)
    columns = codebook(names, scale)
    about = project.about()
    making = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    try:
        for part in ("data", "documentation"):
            (making / part).mkdir(parents=True)
        for name, table in tables.items():
            path = making / "data" / f"task-rating_description-{name}_data.csv"
            delimited.write(path, delimited.rows_of(_written(table)))
        text = json.dumps(_description(about, scale.name, columns), indent=2, ensure_ascii=False)
        (making / "dataset_description.json").write_text(text + "\n", encoding="utf-8")
        (making / "README.md").write_text(README.format(title=about.title), encoding="utf-8")
        book = as_markdown(columns, "Codebook")
        (making / "documentation" / "codebook.md").write_text(book, encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        making.replace(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return len(answers)


def _numbers(project: Project) -> list[str]:
    """The raters' names in the order of their numbers."""
    with project.database.reading() as connection:
        return list(connection.execute(select(RATERS.c.name).order_by(RATERS.c.number)).scalars())


def _subjects(project: Project, ids: dict[str, str]) -> pd.DataFrame:
    query = (
        select(
            RATERS.c.name, func.count(VOTES.c.seq).label("answers"),
            func.count(SHOWINGS.c.id).label("total"),
        )
        .outerjoin(SHOWINGS, SHOWINGS.c.rater_id == RATERS.c.id)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .group_by(RATERS.c.id, RATERS.c.name, RATERS.c.number)
        .order_by(RATERS.c.number)
    )  # fmt: skip
    table = table_of(project, query)
    table.insert(0, "subject_id", table["name"].map(ids))
    return table.drop(columns="name")


def _stimuli(project: Project) -> pd.DataFrame:
    faces = IMAGES.outerjoin(PAIRS, PAIRS.c.image_id == IMAGES.c.id)
    query = (
        select(IMAGES.c.name.label("image"), IMAGES.c.emotion, IMAGES.c.person)
        .select_from(faces)
        .where(PAIRS.c.image_id.is_(None))
        .order_by(IMAGES.c.name, IMAGES.c.emotion)
    )
    table = table_of(project, query)
    return table.assign(image=table["image"].map(image_name))


def _written(table: pd.DataFrame) -> pd.DataFrame:
    if "at" not in table:
        return table
    instants = table["at"].map(lambda at: at.isoformat().replace("+00:00", "Z"), "ignore")
    return table.assign(at=instants)


def _description(about: Any, scale: str, columns: Sequence[Column]) -> dict[str, Any]:
    question = about.question.replace("{emotion}", "…")
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": about.title,
        "description": f"Ratings of faces on the scale '{scale}': {question}",
        "schemaVersion": SCHEMA,
        "keywords": ["facial expression", "expression intensity", "ratings"],
        "variableMeasured": [_property(column) for column in columns],
    }


def _property(column: Column) -> dict[str, Any]:
    levels = "; ".join(v if v == m else f"{v}: {m}" for v, m in column.levels)
    text = column.meaning + (f". Values: {levels}" if levels else "")
    text += f". Empty: {column.missing}" if column.missing else ""
    unit = {"unitText": column.unit} if column.unit else {}
    return {"@type": "PropertyValue", "name": column.name, "description": text} | unit
