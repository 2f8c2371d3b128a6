"""The answers of a project on any scale, as a table."""

import pandas as pd
from sqlalchemy import select

from emorank.answers.answers_table import TIMES
from emorank.answers.scales import TIE, Scale
from emorank.naming import image_name, person_name
from emorank.room.design import read_design, stronger
from emorank.room.overview import table_of
from emorank.room.project import Project
from emorank.room.schema import IMAGES, PAIRS, RATERS, SHOWINGS, VOTED, VOTES
from emorank.vocabulary import emotion_word

COLUMNS = ("image", "emotion", "rater", "answer", "value", "repeat", *TIMES, "at")
PAIR_COLUMNS = (
    "first", "second", "left", "emotion", "rater", "answer", "stronger", "repeat", *TIMES, "at",
)  # fmt: skip


def scaled_answers(project: Project) -> tuple[Scale, pd.DataFrame]:
    """The scale, and the current answers in the order of their times.

    Of faces one by one the columns are `COLUMNS`: as in `answers_table`, and `value` (Float64), the
    answer as a number: a level from 1, a slider's position from 0 to 100; <NA> of None and Skip.

    Of pairs they are `PAIR_COLUMNS`: the names of the `first` and the `second` face, in an order
    that is the same for all raters; `left`, the name of the face that stood on the left; the answer
    as it was given (Left, Right, Tie, Skip); and `stronger`, the name of the face that was chosen,
    "Tie" or <NA>.
    """
    first, second = IMAGES.alias("first_face"), IMAGES.alias("second_face")
    query = (
        select(
            IMAGES.c.name.label("image"),
            IMAGES.c.emotion,
            RATERS.c.name.label("rater"),
            VOTES.c.answer,
            SHOWINGS.c.repeat,
            SHOWINGS.c.swapped,
            first.c.name.label("first"),
            second.c.name.label("second"),
            *(VOTES.c[name] for name in TIMES),
            VOTES.c.at,
        )
        .select_from(VOTED)
        .outerjoin(PAIRS, PAIRS.c.image_id == IMAGES.c.id)
        .outerjoin(first, first.c.id == PAIRS.c.first_id)
        .outerjoin(second, second.c.id == PAIRS.c.second_id)
        .order_by(VOTES.c.seq)
    )
    with project.database.reading() as connection:
        scale = read_design(connection).scale
    table = table_of(project, query)
    table = table.assign(
        emotion=table["emotion"].map(emotion_word).astype("string"),
        rater=table["rater"].map(person_name).astype("string"),
        answer=table["answer"].astype("string"),
        repeat=table["repeat"].astype(bool),
        at=pd.to_datetime(table["at"].astype("Int64"), unit="ms", utc=True),
        **{name: table[name].astype("Int64") for name in TIMES},
    )
    if scale.kind == "pairs":
        return scale, _with_sides(table)
    values = pd.array([scale.number(word) for word in table["answer"]], dtype="Float64")
    table = table.assign(image=table["image"].map(image_name).astype("string"), value=values)
    return scale, table[list(COLUMNS)]


def _with_sides(table: pd.DataFrame) -> pd.DataFrame:
    for name in ("first", "second"):
        table[name] = table[name].map(image_name).astype("string")
    swapped = table["swapped"].astype(bool)
    chosen = []
    rows = table[["answer", "first", "second"]].itertuples(index=False, name=None)
    for (answer, first, second), turned in zip(rows, swapped, strict=True):
        which = stronger(answer, bool(turned))
        names = {"first": first, "second": second}
        chosen.append(names.get(which) if which else TIE if answer == TIE else pd.NA)
    table = table.assign(
        left=table["second"].where(swapped, table["first"]),
        stronger=pd.array(chosen, dtype="string"),
    )
    return table[list(PAIR_COLUMNS)]
