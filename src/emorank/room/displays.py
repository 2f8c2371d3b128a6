"""On what raters' sessions see the faces: theme, size of the window, pixels, pointer, browser.

The project fixes how large faces are and what is around them; what else differs between raters is
kept here. An answer in the log names the display on which it was given.
"""

from dataclasses import asdict, dataclass

import pandas as pd
from sqlalchemy import Connection, Select, func, select

from emorank.room.project import Project
from emorank.room.schema import DISPLAYS, EVENTS, PROJECT, RATERS, SESSIONS
from emorank.room.secret import hashed

MOST = 500  # rows of one session; a window may change its size without end


@dataclass(frozen=True)
class Display:
    """What a browser tells of itself.

    Attributes:
        theme: "light" or "dark", which the system or browser of the rater prefers.
        width, height: of the window in CSS pixels.
        pixel_ratio: pixels of the screen per CSS pixel; zooming changes it.
        face_px: side of the square in which faces are shown, in CSS pixels; less than the
            project's only where the window is too small for it.
        pointer: "mouse", "touch" or "none".
        browser: family and system, "Firefox, Windows"; no version.
    """

    theme: str
    width: int
    height: int
    pixel_ratio: float
    face_px: int
    pointer: str
    browser: str


def note(project: Project, session: str, display: Display) -> None:
    """Keep what a session sees from now on, unless that is what it saw before."""
    key, values = hashed(session), asdict(display)
    with project.database.writing() as connection:
        row = connection.execute(_newest(session)).mappings().first()
        mine = select(func.count()).select_from(DISPLAYS).where(DISPLAYS.c.session == key)
        if row is not None and {name: row[name] for name in values} == values:
            return
        if (connection.scalar(mine) or 0) < MOST:
            connection.execute(DISPLAYS.insert().values(session=key, at=project.now(), **values))


def current(connection: Connection, session: str) -> int | None:
    """The number of what a session sees; None if it has not told."""
    row = connection.execute(_newest(session)).first()
    return None if row is None else row.number


def displays(project: Project) -> pd.DataFrame:
    """One row for each display, in the order of their numbers.

    `display` is its number in the log, `session` counts the sessions from 1; `since` is when it was
    told first, `answers` how many events of the log were given on it. `face_size` and `background`
    are the project's, the same in every row.
    """
    given = (
        select(EVENTS.c.display, func.count().label("answers"))
        .group_by(EVENTS.c.display)
        .subquery()
    )
    query = (
        select(
            DISPLAYS.c.number.label("display"),
            DISPLAYS.c.session,
            RATERS.c.name.label("rater"),
            DISPLAYS.c.at.label("since"),
            *(DISPLAYS.c[name] for name in Display.__dataclass_fields__),
            func.coalesce(given.c.answers, 0).label("answers"),
            select(PROJECT.c.face_size).scalar_subquery().label("face_size"),
            select(PROJECT.c.background).scalar_subquery().label("background"),
        )
        .join(SESSIONS, SESSIONS.c.hash == DISPLAYS.c.session)
        .outerjoin(RATERS, RATERS.c.id == SESSIONS.c.rater_id)
        .outerjoin(given, given.c.display == DISPLAYS.c.number)
        .order_by(DISPLAYS.c.number)
    )
    with project.database.reading() as connection:
        result = connection.execute(query)
        table = pd.DataFrame(result.all(), columns=list(result.keys()))
    since = pd.to_datetime(table["since"].astype("Int64"), unit="ms", utc=True)
    return table.assign(session=pd.factorize(table["session"])[0] + 1, since=since)


def _newest(session: str) -> Select[tuple[object, ...]]:
    mine = DISPLAYS.c.session == hashed(session)
    return select(DISPLAYS).where(mine).order_by(DISPLAYS.c.number.desc()).limit(1)
